"""One look at an archive: its listing, its base backups, the way of a recovery from each, and all that is on it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from opsproof.profile.backups import Wal
from opsproof.rehearsal.archive import archiver
from opsproof.rehearsal.archive.bases import Base
from opsproof.rehearsal.archive.contents import Contents, Listing
from opsproof.rehearsal.archive.names import lsn_text
from opsproof.rehearsal.archive.path import Way, find_way
from opsproof.rehearsal.archive.segments import Segments
from opsproof.rehearsal.archive.targets import Point
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.node import Node

_READ_SECONDS = 6 * 3600.0


@dataclass(frozen=True)
class Look:
    """
    The archive as one look found it.

    Attributes:
        all_bases: Every base backup that came to its end.
        bases: Those of them whose label can be read, oldest first.
        ways: Of each of them the way of a recovery.
        timeline: The timeline that a recovery follows.
    """

    listing: Listing
    all_bases: tuple[Base, ...]
    bases: tuple[Base, ...]
    ways: tuple[Way, ...]
    timeline: int

    @property
    def longest(self) -> Way:
        """The way from the oldest backup that has one."""
        return next((way for way in self.ways if not way.why), Way((), why="no backup has a way"))

    def ends(self) -> list[Point | None]:
        """The end of each base backup; None where it is not known."""
        labels, _ = self.listing.labels()
        ends = {label.start: label.ended for label in labels.values()}
        found: list[Point | None] = []
        for base in self.bases:
            label = base.label
            at = (label.ended or ends.get(label.start)) if label else None
            stop = lsn_text(label.stop) if label and label.stop else None
            found.append(Point(base.name, at, stop, None, label.timeline) if label and at else None)
        return found


class Looking:
    """
    Looks at an archive; what was asked before in a sweep is not asked again.

    Args:
        wal: What the profile says of it.
        contents: Lists it.
        segments: Reads it.
        server: The server that archives; None if it is not known, and the newest timeline is followed then.
        asking: Keeps the answers.
        where: The archive, as people are told of it.
    """

    def __init__(
        self,
        wal: Wal,
        contents: Contents,
        segments: Segments,
        server: Node | None,
        asking: Asking,
        where: str,
    ) -> None:
        self.contents = contents
        self._wal = wal
        self._segments = segments
        self._server = server
        self._asking = asking
        self._where = where

    async def look(self) -> Look:
        """
        List the archive and its base backups, and find the ways.

        Raises:
            NotObserved: There is no answer.
        """
        listing, found = await asyncio.gather(self.contents.listing(self._wal), self.contents.bases())
        there, whole = listing.segments(), listing.whole()
        histories, _ = listing.histories()
        if self._server is not None:
            timeline = (await archiver.state(self._server)).timeline
        else:
            timeline = max((one.timeline for one in there.values()), default=1)
        newest = max((one.start(listing.size) for one in there.values() if one.timeline == timeline), default=None)
        bases = tuple(base for base in found if base.label)
        ways = tuple(
            find_way(
                whole,
                histories,
                begin=(base.label.timeline, base.label.start),
                stop=base.label.stop,
                timeline=timeline,
                newest=newest,
                size=listing.size,
            )
            for base in bases
            if base.label
        )
        return Look(listing, tuple(found), bases, ways, timeline)

    async def read(self, look: Look) -> Any:
        """
        Read every segment: the answer of `Segments.read`.

        Raises:
            NotObserved: There is no answer.
        """
        stretches = look.longest.stretches()
        on_the_way = {step.name for stretch in stretches for step in stretch}
        others = sorted(set(look.listing.segments()) - on_the_way)
        last = stretches[-1][-1].name if stretches else "none"
        text = f"read {len(on_the_way)} segments to {last} and the heads of {len(others)}"
        return await self._asking.ask(
            f"{text} in {self._where}",
            "pg_waldump -q START END in a copy of the archive",
            lambda: self._segments.read(stretches, others, look.timeline, look.listing.size),
            seconds=_READ_SECONDS,
            fresh=False,
        )
