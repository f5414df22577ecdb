"""The data is polluted: a base backup and the archive give the database as it was just before the wrong change."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Literal

from typing_extensions import override

from opsproof.errors import PreconditionMissing
from opsproof.rehearsal.archive.targets import Point, Target, choose_backup, lint
from opsproof.rehearsal.node import Node
from opsproof.rehearsal.procedure.restoring import Restoring
from opsproof.rehearsal.restored.markers import Marker, is_there, plant
from opsproof.rehearsal.restored.restored import RecoveryTarget, Restored
from opsproof.rehearsal.restored.verification import Expectations
from opsproof.stack.site.pollution import Pollution


class PollutedData(Restoring):
    """Recovery to a point in time: to a second, and to a transaction."""

    restores = "the_database_is_recovered_to_the_target"
    verifies = "the_bad_change_is_gone_and_the_good_is_there"
    _pollution: Pollution | None = None
    _markers: tuple[Marker, Marker] | None = None
    _base = ""

    @override
    def state(self) -> dict[str, Any]:
        return {
            **super().state(),
            "pollution": self._pollution and asdict(self._pollution),
            "markers": self._markers and [one.to_json() for one in self._markers],
            "base": self._base,
            "target": self.account.target and self.account.target.isoformat(),
        }

    @override
    def remember(self, state: Mapping[str, Any]) -> None:
        super().remember(state)
        self._pollution = Pollution(**state["pollution"]) if state["pollution"] else None
        if state["markers"]:
            before, after = (Marker.from_json(one) for one in state["markers"])
            self._markers = before, after
        self._base = str(state["base"])
        self.account.target = datetime.fromisoformat(state["target"]) if state["target"] else None

    @override
    def refuses(self, noted: Mapping[str, str]) -> str:
        if "the_data_is_polluted" not in noted or self._markers is not None:
            return super().refuses(noted)
        return (
            "it was interrupted while the wrong change was committed, so that nobody knows its transaction: bring the "
            "environment back to what it was, then rehearse anew, without --resume"
        )

    @property
    @override
    def polluted(self) -> bool:
        return True

    @override
    def own_actions(self) -> Mapping[str, Callable[[], object]]:
        site = self.at.embedded
        if site is None:
            return {}
        return {
            **super().own_actions(),
            "break": lambda: json.dumps(asdict(site.pollute())),
            "fence": self._fence_own,
            "attach-standby": lambda: site.attach_standby(self.own_primary(), "second").name,
        }

    async def the_data_is_polluted(self) -> list[str]:
        """T0 is the commit of the wrong change; a marker is committed on either side of it."""
        if self._markers is None:
            self.rehearsal.keep()
            await self._unpredictable()
            before = await plant(self.at.home, f"before-{self.token}")
            said = await self.actor.act("break", "commit the wrong change", seconds=self.seconds("declare"))
            self._pollution = _pollution(said)
            self.note("t0", datetime.fromisoformat(self._pollution.committed))
            self._markers = before, await plant(self.at.home, f"after-{self.token}")
            self.rehearsal.keep()
        return await self.wait(self._is_broken, "declare")

    @override
    async def users_see_it(self) -> bool:
        """Everything is healthy; only a business total tells."""
        return await self.failed()

    @override
    async def failed(self) -> bool:
        """Whether a business total is another one since T0."""
        return self.watch.moments.t0 is not None and bool(await self.unlike_totals(self.at.home))

    async def the_target_is_sound(self) -> list[str]:
        """Linted both as a time and as a transaction, before anything is restored."""
        before, after = self._known_markers
        pollution = self._known_pollution
        if wrong := await self.archives(self.at.home, "database"):
            return wrong  # what arrives later would look like the copy's doing
        bases = await self.bases_ended()
        marks = [Point(one.name, one.committed, xid=int(one.xid)) for one in (before, after)]
        place = Point("the wrong change", datetime.fromisoformat(pollution.committed), pollution.lsn, pollution.xid)
        by_time = Target(
            time=self._moment.isoformat(), inclusive=False, timeline="current", action="promote", backup=None
        )
        by_xid = Target(xid=pollution.xid, inclusive=False, timeline="current", action="promote")
        self._base = choose_backup(by_xid, bases, place).name
        wrong = [f"by time: {one}" for one in lint(by_time, bases, marks[1], *marks)]
        return [*wrong, *(f"by transaction: {one}" for one in lint(by_xid, bases, marks[1], *marks, place=place))]

    async def the_database_is_recovered_to_the_target(self) -> list[str]:
        """To the transaction, for the service; to the second, in another scratch server, to see that both agree."""
        if not self._base:
            raise PreconditionMissing("no base backup was chosen", where="backups", next_step="See the step before.")
        xid = str(self._known_pollution.xid)
        restored = await self.restore("recovered", self._base, self._target("xid", xid))
        self.take(restored)
        wrong = [restored.failed] if restored.failed else []
        to_second = await self.restore("to-the-second", self._base, self._target("time", self._moment.isoformat()))
        wrong += [f"by time: {to_second.failed}"] if to_second.failed else []
        if not wrong:
            wrong += [f"by time: {one}" for one in await self._both_sides(self._node_of(to_second))]
        self.account.target = datetime.fromisoformat(self._known_pollution.committed)
        return wrong

    async def the_bad_change_is_gone_and_the_good_is_there(self) -> list[str]:
        """Everything of the copy, markers included; then the service may come."""
        before, after = self._known_markers
        wrong = await self.verified(self._needed, Expectations(before=(before.name,), after=(after.name,)))
        return wrong or await self.open_to_the_service("recover")

    def _target(self, kind: Literal["time", "xid"], value: str) -> RecoveryTarget:
        """Along home's own timeline: a site that was recovered meanwhile has left it before the target."""
        timeline = str(self.before.timeline) if self.before else "latest"
        return RecoveryTarget(kind, value, inclusive=False, timeline=timeline)

    def _fence_own(self) -> None:
        site = self.at.embedded
        assert site is not None
        site.deactivate("home")
        site.home.stop()

    def _node_of(self, restored: Restored) -> Node:
        return restored.node(self.rehearsal.asking, database=self.at.database_name)

    @property
    def _moment(self) -> datetime:
        before, _ = self._known_markers
        committed = datetime.fromisoformat(self._known_pollution.committed)
        return before.committed + (committed - before.committed) / 2 + timedelta(microseconds=1)

    async def _both_sides(self, node: Node) -> list[str]:
        before, after = self._known_markers
        wrong = [] if await is_there(node, before.name) else ["the marker from before the target is not there"]
        return [*wrong, "the marker from after the target is there"] if await is_there(node, after.name) else wrong

    @property
    def _known_markers(self) -> tuple[Marker, Marker]:
        if self._markers is None:
            raise PreconditionMissing("no marker was planted", where="home", next_step="See the step of the failure.")
        return self._markers

    @property
    def _known_pollution(self) -> Pollution:
        if self._pollution is None:
            raise PreconditionMissing("nothing was polluted", where="home", next_step="See the step of the failure.")
        return self._pollution


def _pollution(said: str) -> Pollution:
    """What the command of the wrong change has written: one line of JSON."""
    try:
        told = json.loads(said.splitlines()[-1])
        return Pollution(
            str(told.get("statement", "")),
            int(told.get("rows", 0)),
            int(told["xid"]),
            str(told["began"]),
            str(told["committed"]),
            str(told["lsn"]),
        )
    except (ValueError, KeyError, TypeError, IndexError):
        raise PreconditionMissing(
            "the transaction of the wrong change is not known",
            where=f"what rehearsals.commands.break wrote: {said[:120]}",
            next_step='Let its last line be {"xid": 774, "began": TIME, "committed": TIME, "lsn": "0/3000148"}.',
        ) from None
