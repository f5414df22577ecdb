"""What every step of a rehearsal stands on: its environment, who acts, the outside writer, the account."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from opsproof.errors import NoData, NotObserved, PreconditionMissing
from opsproof.judge.outcome import Outcome
from opsproof.profile.rehearsals import Rehearsals, Site
from opsproof.profile.targets import Url
from opsproof.rehearsal.archive.additions import sha256_of
from opsproof.rehearsal.clock.objectives import Scale
from opsproof.rehearsal.clock.stopwatch import Moment
from opsproof.rehearsal.facts import RehearsalFact
from opsproof.rehearsal.failover.detectors import UNKNOWN
from opsproof.rehearsal.failover.promoted import Inventory
from opsproof.rehearsal.failover.promotion import first_write
from opsproof.rehearsal.node import Node
from opsproof.rehearsal.procedure.account import Account
from opsproof.rehearsal.procedure.acting import Actor, until_well
from opsproof.rehearsal.procedure.copies import Copies
from opsproof.rehearsal.procedure.outside_writer import OutsideWriter
from opsproof.rehearsal.procedure.surroundings import Surroundings
from opsproof.rehearsal.site.door import Door
from opsproof.rehearsal.site.names import Names
from opsproof.rehearsal.site.verification import Before, SiteVerification
from opsproof.stack.state import write_private

if TYPE_CHECKING:
    from opsproof.rehearsal.procedure.rehearsal import Rehearsal

_EMBEDDED_PATIENCE = 30.0


class Recovery:
    """
    What the steps of a rehearsal share.

    Args:
        rehearsal: Its clock, its plan and its evidence.
        at: Where it takes place.
    """

    def __init__(self, rehearsal: Rehearsal, at: Surroundings) -> None:
        self.rehearsal = rehearsal
        self.at = at
        self.watch = rehearsal.watch
        self.token = secrets.token_hex(4)
        self.account = Account(rehearsal.plan, self.watch, embedded=at.embedded is not None)
        self.actor = Actor(
            at.rehearsals, self.own_actions(), rehearsal.asking, rehearsal.say, rehearsal.folder, rehearsal.note_who
        )
        self.before: Inventory | None = None
        self.noted = Before()
        self.serving: Node | None = None
        self.archive_before: dict[str, int] | None = None
        """Bytes of what was in the archive before the failure, by name."""
        self.earlier_grounds: list[str] = []
        """Folders of those that were interrupted before."""
        self.writer = self._new_writer()
        self.copies = self._new_copies()
        self._site: SiteVerification | None = None

    # What a scenario is.

    def own_actions(self) -> Mapping[str, Callable[[], object]]:
        """What opsproof does itself on sites of its own, by action."""
        site = self.at.embedded
        if site is None:
            return {}
        return {
            "declare": lambda: "by opsproof, in place of the DevOps Lead",
            "activate": self._activate_own,
            "switch-dns": lambda: site.switch_dns("dr"),
            "back-up": self._back_up_own,
        }

    def own_primary(self) -> Any:
        """The cluster of our own that serves after the recovery."""
        raise NotImplementedError

    async def users_see_it(self) -> bool:
        """Whether the service does not answer well by its public name."""
        return not await self._is_healthy()

    async def the_dr_site_is_not_ready(self) -> list[str]:
        """Whether the service is not healthy at the DR site's own address, wherever the names lead."""
        site, recovered = self.at.rehearsals.dr, self.at.rehearsals.recovered
        if site is None or site.api is None:
            next_step = "Write the address of the service at the DR site, past the public name."
            raise PreconditionMissing("the profile has no rehearsals.dr.api", where="rehearsals", next_step=next_step)
        parts = urlsplit(site.api.get_secret_value())
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        place = f"{host}:{port}" if recovered and recovered.record else host
        return [] if await self._is_healthy(place) else [f"the service is not healthy at {host}:{port}"]

    async def _is_healthy(self, address: str | None = None) -> bool:
        recovered = self.at.rehearsals.recovered
        if recovered is None or recovered.release is None:
            next_step = "Write rehearsals.recovered.release in the profile."
            raise PreconditionMissing("nothing says how users reach it", where="rehearsals", next_step=next_step)
        door = Door(
            recovered, Names(self.at.rehearsals.resolvers, self.at.asking_of("resolvers")), self.at.asking_of("api")
        )
        try:
            return (await door.get(recovered.release.health, address=address)).ok
        except NotObserved:
            return False

    async def failed(self) -> bool:
        """Whether the home site's database is gone."""
        try:
            await self.at.home.value("SELECT 1", seconds=3)
        except NotObserved:
            return True
        return False

    @property
    def polluted(self) -> bool:
        """Whether the newest data is the damage."""
        return False

    # What the steps share.

    def seconds(self, phase: str) -> float:
        """How long a step may wait for what it verifies."""
        budget = self.rehearsal.plan.budget(phase)
        return min(budget, _EMBEDDED_PATIENCE) if self.at.embedded else budget

    async def wait(self, verify: Callable[[], Awaitable[list[str]]], phase: str) -> list[str]:
        """Verify until it is well, or the phase's time is over."""
        return await until_well(verify, seconds=self.seconds(phase), patient=self.at.embedded is None)

    @property
    def recovered(self) -> Node:
        """The database that serves after the recovery."""
        return self.serving or self.at.dr

    @property
    def site(self) -> SiteVerification:
        """Asks whether the service is recovered; knows T0 and the database that serves as soon as they are known."""
        rehearsals = self.at.rehearsals
        if self.serving is not None and rehearsals.dr is not None:
            site = rehearsals.dr.model_copy(update={"database": Url(self.serving.conninfo)})
            rehearsals = rehearsals.model_copy(update={"dr": Site.model_validate(site)})
        return self._verification(rehearsals)

    def seen_from_home(self) -> SiteVerification:
        """The same questions after the way back: home is where everything must lead to."""
        rehearsals = self.at.rehearsals
        names = {key: one.model_copy(update={"home": one.dr, "dr": one.home}) for key, one in rehearsals.names.items()}
        changes = {"home": rehearsals.dr, "dr": rehearsals.home, "names": names}
        return self._verification(rehearsals.model_copy(update=changes))

    def _verification(self, rehearsals: Rehearsals) -> SiteVerification:
        profile = self.at.profile
        return SiteVerification(
            rehearsals,
            asking=self.at.asking_of,
            token=self.token,
            t0=self.watch.moments.t0 or datetime.now(UTC),
            polluted=self.polluted,
            before=self.noted,
            decisions=profile.decisions,
            work=profile.work,
        )

    def state(self) -> dict[str, Any]:
        """What the journal keeps for later steps."""
        return {
            "token": self.token,
            "before": self.before and asdict(self.before),
            "noted": self.noted.to_json(),
            "writer": self.writer.state(),
            "system_identifier": self.account.system_identifier,
            "versions": self.account.versions,
            "declared_by": self.account.declared_by,
            "scale": self.account.scale and asdict(self.account.scale),
            "acted": self.rehearsal.acted,
            "grounds": [*self.earlier_grounds, str(self.at.grounds.directory)],
        }

    def remember(self, state: Mapping[str, Any]) -> None:
        """Go on with what the journal has kept."""
        self.token = str(state["token"])
        self.before = Inventory(**state["before"]) if state["before"] else None
        self.noted = Before.from_json(state["noted"])
        self.account.system_identifier = str(state["system_identifier"])
        self.account.versions = dict(state["versions"])
        self.account.declared_by = str(state["declared_by"])
        self.account.scale = Scale(**state["scale"]) if state["scale"] else None
        self.rehearsal.acted |= state["acted"]
        self.archive_before = self.kept_aside("archive")
        self.earlier_grounds = list(state["grounds"])
        self.copies = self._new_copies()
        self.writer = self._new_writer()
        self.writer.remember(state["writer"])

    def again(self, noted: Mapping[str, str]) -> set[str]:
        """
        Steps that are done again in a rehearsal that is resumed, although they had passed.

        Args:
            noted: By name of a step what the journal says of it: `passed`, `failed`, `begun`.
        """
        compared = "what_was_acknowledged_is_accounted_for"
        return set() if "nothing_is_left_behind" in noted else {compared}  # its rows are gone by then

    def refuses(self, noted: Mapping[str, str]) -> str:
        """Why an interrupted rehearsal cannot go on, and what to do; "" if it can. The argument is that of `again`."""
        return ""

    def keep_aside(self, name: str, content: object) -> None:
        """Keep what is too large for each line of the journal in a file of its own beside it."""
        path = self._aside(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, json.dumps(content))

    def kept_aside(self, name: str) -> Any:
        """What `keep_aside` has kept; None where it has not."""
        path = self._aside(name)
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def note(self, moment: Moment, at: datetime | None = None) -> None:
        """Note a moment; it stands if the rehearsal was interrupted right after it."""
        if getattr(self.watch.moments, moment) is None:
            self.watch.note(moment, at)

    def fact(self, outcomes: Mapping[str, Outcome | None]) -> RehearsalFact:
        """What came of it."""
        self.account.copies = self.copies.facts()
        return self.account.fact(outcomes, self.rehearsal)

    def close(self) -> None:
        """End the writer, if it still runs."""
        self.writer.end()

    @property
    def ledgers(self) -> str:
        """How the path of every ledger of this scenario begins: that of the writer, and of one that was forgotten."""
        return str(self._aside("ledger")).removesuffix(f"{self.token}.json")

    def _aside(self, name: str) -> Path:
        plan = self.rehearsal.plan
        return self.rehearsal.folder / f"{name}-{plan.profile.replace('/', '-')}-{plan.scenario}-{self.token}.json"

    def _new_writer(self) -> OutsideWriter:
        return OutsideWriter(self.at, Path(f"{self.ledgers}{self.token}.jsonl"), self.rehearsal.plan.objectives.rpo)

    def _new_copies(self) -> Copies:
        path = self.rehearsal.folder / f"copies-{self.rehearsal.plan.scenario}-{self.token}.json"
        return Copies(self.at, self.watch.anchor, path)

    async def archives(self, node: Node, phase: str) -> list[str]:
        """Whether what a server writes now comes into the archive: a segment is switched, and waited for."""
        if self.at.backups.wal is None:
            return ["the profile has no backups.wal: nothing is archived"]
        await first_write(node, f"archived-{secrets.token_hex(4)}")
        segment = str(await node.value("SELECT pg_walfile_name(lsn) FROM pg_switch_wal() AS lsn"))

        async def arrived() -> list[str]:
            names = await self.archived()
            return [] if segment in names else [f"{segment} was switched, and is not in the archive"]

        return await self.wait(arrived, phase)

    async def archived(self) -> dict[str, int]:
        """Bytes of what is in the archive, by name."""
        wal = self.at.backups.wal
        if wal is None:
            return {}
        prefix, objects = wal.prefix, self.at.objects
        return await self.rehearsal.asking.ask(
            f"LIST {prefix}*", "", lambda: {one.name.removeprefix(prefix): one.size for one in objects.names(prefix)}
        )

    async def archived_sha256(self, name: str) -> str:
        """SHA-256 of a file in the archive, read back."""
        whole, objects = f"{self.at.backups.wal.prefix if self.at.backups.wal else ''}{name}", self.at.objects
        return await self.rehearsal.asking.ask(f"GET {whole} | sha256sum", "", lambda: sha256_of(objects, whole))

    def wanted(self, found: Mapping[str, list[str]]) -> dict[str, list[str]]:
        """Without what the profile does not ask for: a reach of the archive, hashes of segments, a latest dump."""
        backups = self.at.backups
        asked_for = {
            "every_moment_can_be_recovered": backups.wal and backups.wal.reach,
            "every_segment_is_what_was_archived": backups.wal and backups.wal.hashes,
            "latest_is_the_newest_dump": backups.dumps and backups.dumps.latest,
        }
        return {name: one for name, one in found.items() if asked_for.get(name.partition(".")[2], True)}

    async def _is_broken(self) -> list[str]:
        return [] if await self.failed() else ["the home site still answers"]

    async def _is_seen(self) -> list[str]:
        return [] if await self.users_see_it() else ["users see nothing of the failure yet"]

    async def _unpredictable(self) -> None:
        """Wait for any moment; then look at the copies once more, and see the outside writer at work."""
        await asyncio.sleep(0.2 + secrets.randbelow(800) / 1000)
        await self.copies.look()
        await self.writer.must_write(self.watch.anchor)

    def _activate_own(self) -> str:
        site = self.at.embedded
        assert site is not None
        site.serve_from(self.own_primary())
        site.activate("dr")
        return site.services["dr"].url

    def _back_up_own(self) -> str:
        site, primary = self.at.embedded, self.own_primary()
        assert site is not None
        site.beat(primary)
        return str(site.back_up(primary))


def said(found: Mapping[str, list[str]], besides: Sequence[str] = ()) -> list[str]:
    """
    The sentences of several checks, each with the name of its check, behind what is wrong besides.

    Raises:
        NoData: Nothing is known to be wrong, and some could not look.
    """
    told = [(f"{name.partition('.')[2]}: {one}", one) for name, sentences in found.items() for one in sentences]
    wrong = [*besides, *(words for words, one in told if not one.startswith(UNKNOWN))]
    unseen = [words for words, one in told if one.startswith(UNKNOWN)]
    if unseen and not wrong:
        next_step = "See what each of them could not look at, and mend that first."
        raise NoData("; ".join(unseen), where=f"{len(unseen)} of {len(found)} checks", next_step=next_step)
    return [*wrong, *unseen]
