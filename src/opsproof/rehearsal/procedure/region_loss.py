"""The region is lost: the standby of the DR site takes over, and the home site comes back as a standby of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from typing_extensions import override

from opsproof.errors import PreconditionMissing
from opsproof.rehearsal.failover import asked
from opsproof.rehearsal.failover.detectors import everything
from opsproof.rehearsal.failover.divergence import Divergence, divergence, fork_of
from opsproof.rehearsal.failover.exports import Kept, keep
from opsproof.rehearsal.failover.failback import follow, rewind, switch_over
from opsproof.rehearsal.failover.promoted import Archive, PromotedVerification
from opsproof.rehearsal.failover.promotion import Promotion, promote
from opsproof.rehearsal.failover.rewound import RewoundVerification
from opsproof.rehearsal.failover.split import SplitVerification
from opsproof.rehearsal.node import Node
from opsproof.rehearsal.procedure.common_steps import CommonSteps
from opsproof.rehearsal.procedure.recovery import said
from opsproof.stack.clusters import Cluster

_WANTS_A_COUNT = ("what_only_the_old_timeline_had_is_kept", "nothing_is_left_that_only_it_has")
"""What can only be told where the commits of the old timeline were counted."""


class RegionLoss(CommonSteps):
    """Failover to the standby, and back."""

    _lost: Divergence | None = None
    _rescued: Kept | None = None
    _settings: Mapping[str, str] = {}
    _promotion: Promotion | None = None

    @override
    def own_actions(self) -> Mapping[str, Callable[[], object]]:
        site = self.at.embedded
        if site is None:
            return {}
        return {
            **super().own_actions(),
            "break": site.break_home,
            "attach-standby": lambda: site.attach_standby(site.dr, "second").name,
        }

    @override
    def own_primary(self) -> Cluster:
        assert self.at.embedded is not None
        return self.at.embedded.dr

    @override
    def state(self) -> dict[str, Any]:
        return {**super().state(), "settings": dict(self._settings)}

    @override
    def remember(self, state: Mapping[str, Any]) -> None:
        super().remember(state)
        self._settings = dict(state["settings"])

    async def the_home_site_is_lost(self) -> list[str]:
        """Database and service of the home site are gone."""
        if not self._settings:  # home cannot be asked again once it is gone
            self._settings = await asked.settings(self.at.home)
            self.rehearsal.keep()
        return await self.break_it("cut off the home site: database and service, without a last word")

    async def the_standby_is_promoted(self) -> list[str]:
        """By pg_promote itself where opsproof acts; else by the profile's command or the operator."""
        if self.actor.by("promote") != "operator" or self.at.embedded is None:
            await self.actor.act("promote", "SELECT pg_promote() on the DR standby", seconds=self.seconds("database"))
            return await self.wait(self._still_recovers, "database")
        promotion = self._promotion = await promote(self.at.dr)
        wrong = [] if promotion.returned else ["pg_promote returned false: the request stays, and may be served later"]
        return wrong if promotion.finished else [*wrong, f"still in recovery after {promotion.seconds:.1f} s"]

    async def only_one_node_takes_writes(self) -> list[str]:
        """The old primary is fenced at its address, and nobody else takes the token."""
        split = SplitVerification(self.at.dr, [self.at.home], self.rehearsal.asking)
        if await split.silent():
            if wrong := await self.fence("database"):
                return wrong
            split = SplitVerification(self.at.dr, [self.at.home], self.rehearsal.asking, vouched=True)
        return said(await everything(split, "split"))

    async def the_new_primary_can_serve(self) -> list[str]:
        """Everything of a promoted server."""
        if self.before is None:
            next_step = "See why the home site could not be asked before it was lost."
            raise PreconditionMissing("what the old primary had was not noted", where="home", next_step=next_step)
        archive = Archive(self.archived, self.archived_sha256)
        verification = PromotedVerification(
            self.at.dr,
            self.before,
            archive,
            promotion=self._promotion,
            expected=frozenset(),
            full_read=self.at.rehearsals.full_read,
        )
        found = await everything(verification, "promoted")
        if self._promotion is None:  # a command or a person promoted it, and what pg_promote returned is theirs
            found.pop("promoted.the_promotion_was_confirmed")
        return said(found)

    async def what_only_the_old_primary_has_is_exported(self) -> list[str]:
        """Counted from its WAL, kept as files outside of the grounds."""
        home = self._own_home()
        fork = await fork_of(self.at.dr, await asked.timeline(self.at.dr))
        self._lost = await divergence(self.rehearsal.asking, self.at.grounds.programs, home.data, fork)
        if self._lost.commits or self._lost.prepared:
            scratch = Cluster(self.at.grounds, "old-timeline")
            folder = self.rehearsal.folder / f"old-timeline-{self.token}"
            folder.mkdir(parents=True, exist_ok=True)
            asking = self.rehearsal.asking
            self._rescued = await keep(asking, home, scratch, self.at.dr, self._lost, fork, folder)
        verification = self._rewound()
        return await verification.what_only_the_old_timeline_had_is_kept()

    async def the_old_primary_follows(self) -> list[str]:
        """Rewound, its own settings back, and streaming from the new primary."""
        site = self.at.embedded
        if site is None:
            await self.actor.act("rewind", "pg_rewind the old primary, and start it", seconds=self.seconds("failback"))
            await self.wait(self._home_follows, "failback")
        else:
            home = self._own_home()
            if self._lost is None or (self._rescued is None and (self._lost.commits or self._lost.prepared)):
                next_step = "See the step before: keep its WAL and rows first; pg_rewind throws them away."
                raise PreconditionMissing("nothing of the old timeline is kept", where=home.name, next_step=next_step)
            await rewind(self.rehearsal.asking, home, Node("dr", site.conninfo(site.dr), self.rehearsal.asking))
            slot = await self._slot("home")
            follow(home, f"host={site.dr.home} port={site.dr.port} user=replicator application_name=home", slot)
            await self.rehearsal.asking.ask("start home as a standby", "pg_ctl start", home.start)
        verification = self._rewound()
        found = await everything(verification, "rewound")
        if self._lost is None:  # the step before says that it is not proven
            for name in _WANTS_A_COUNT:
                del found[f"rewound.{name}"]
        return said(found, await self.wait(self._home_streams, "failback"))

    async def the_home_site_serves_again(self) -> list[str]:
        """T6: switched over without a loss, names back, and the DR site follows."""
        site = self.at.embedded
        if site is None:
            await self.actor.act("switch-back", "switch over to the home site", seconds=self.seconds("failback"))
        else:
            site.deactivate("dr")
            slot = await self._slot("dr", on=self.at.home)
            await switch_over(self.rehearsal.asking, site.dr, self.at.home)
            follow(site.dr, f"host={site.home.home} port={site.home.port} user=replicator application_name=dr", slot)
            await self.rehearsal.asking.ask("start dr as a standby", "pg_ctl start", site.dr.start)
            site.switch_dns("home")
            await self.rehearsal.asking.ask("start the home service", "", lambda: site.activate("home"))
        wrong = await self.wait(self._home_serves, "failback")
        if not wrong:
            self.note("t6")
        return wrong

    def _rewound(self) -> RewoundVerification:
        at, read = self.at, self.at.rehearsals.full_read
        return RewoundVerification(at.dr, at.home, self._lost, self._rescued, self._settings, full_read=read)

    async def _home_streams(self) -> list[str]:
        """What arrives may come from the archive alone."""
        receiver = await asked.wal_receiver(self.at.home)
        return [] if receiver and receiver["status"] == "streaming" else ["home does not stream from the new primary"]

    @override
    async def _is_broken(self) -> list[str]:
        wrong = await super()._is_broken()
        return wrong if await self.users_see_it() else [*wrong, "the home site's service still answers"]

    async def _still_recovers(self) -> list[str]:
        return ["dr is still in recovery"] if await asked.recovers(self.at.dr) else []

    async def _home_follows(self) -> list[str]:
        if not await asked.recovers(self.at.home):
            return ["home is not in recovery: it follows nobody"]
        return [] if await asked.wal_receiver(self.at.home) else ["home does not stream from the new primary"]

    async def _home_serves(self) -> list[str]:
        wrong = ["home is in recovery"] if await asked.recovers(self.at.home) else []
        if not await asked.recovers(self.at.dr):
            wrong.append("dr is not in recovery: both take writes")
        if not await asked.wal_receiver(self.at.dr):
            wrong.append("dr does not stream from home")
        if await self.users_see_it():
            wrong.append("the service does not answer well by its public name")
        back = self.seen_from_home()
        wrong += await back.every_resolver_leads_to_the_dr_site()
        return wrong or await back.every_connection_is_to_the_new_primary()

    async def _slot(self, name: str, on: Node | None = None) -> str:
        node = on or self.at.dr
        sql = """
            SELECT pg_create_physical_replication_slot(%(name)s, true)
            WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = %(name)s)"""
        await node.rows(sql, name=name)
        return name

    def _own_home(self) -> Cluster:
        if self.at.embedded is None:
            raise PreconditionMissing(
                "the data folder of the old primary is not on this machine",
                where="home",
                next_step="Count and export its commits there, before it is rewound: docs/disaster-recovery.md.",
            )
        return self.at.embedded.home
