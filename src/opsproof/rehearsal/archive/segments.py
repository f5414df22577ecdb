"""Every segment of an archive, read to its last byte, and the way of a recovery read record by record."""

import hashlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from opsproof.errors import NotObserved
from opsproof.probes.backup import Objects
from opsproof.rehearsal.archive import waldump
from opsproof.rehearsal.archive.headers import Header, Pages, read_header
from opsproof.rehearsal.archive.names import segment_name
from opsproof.rehearsal.archive.path import Step
from opsproof.stack.clusters import Programs

_BATCH_BYTES = 256 << 20
_HEAD_BYTES = 64


@dataclass(frozen=True, slots=True)
class Segment:
    """
    What is in a segment.

    Attributes:
        name: Its name in the archive.
        bytes: How many were read of it.
        header: Its own; None where it has none.
        sha256: Of its bytes; "" for one of which only the head was read.
        odd: What is wrong with its pages; "" if nothing is.
        unread: Why it cannot be read; "" if it can.
    """

    name: str
    bytes: int
    header: Header | None
    sha256: str = ""
    odd: str = ""
    unread: str = ""


class Segments:
    """
    Reads segments, some hundred megabytes of them in the scratch folder at a time.

    Args:
        objects: The store.
        prefix: The archive's.
        programs: PostgreSQL's.
        scratch: A folder for copies; what is put there is removed.
    """

    def __init__(self, objects: Objects, prefix: str, programs: Programs, scratch: Path) -> None:
        self._objects = objects
        self._prefix = prefix
        self._programs = programs
        self._scratch = scratch

    def read(self, stretches: Sequence[Sequence[Step]], others: Iterable[str], timeline: int, size: int) -> Any:
        """
        Read everything; the answer is plain JSON, for `segments` and `waldump.Reading`.

        Args:
            stretches: The way of a recovery, cut where segments are missing.
            others: Names of segments that are not on it; only their heads are read.
            timeline: The timeline that the way ends on.
            size: Bytes of a segment.

        Raises:
            PreconditionMissing: The programs here are of another version than the WAL.
        """
        heads = [self._head(name) for name in others]
        read: dict[str, Segment] = {one.name: one for one in heads}
        whole = waldump.Reading()
        for stretch in stretches:
            for batch in _batches(stretch, size):
                found = self._batch(batch, read, timeline, size)
                whole.broken += found.broken
                whole.minimal += found.minimal
                whole.begins += found.begins
        return {"segments": [asdict(one) for one in read.values()], **waldump.plain(whole)}

    def _batch(self, batch: Sequence[Step], read: dict[str, Segment], timeline: int, size: int) -> waldump.Reading:
        with Folder(self._programs, self._scratch) as folder:
            for step in batch:
                read[step.name] = self._fetch(step, folder / segment_name(timeline, step.start, size))
            self._programs.own(folder)
            magics = Counter(one.header.magic for one in read.values() if one.header)
            if magics:
                waldump.expect_version(self._programs, magics.most_common(1)[0][0])
            return waldump.read_stretch(self._programs, folder, timeline, [step.start for step in batch], size)

    def _fetch(self, step: Step, target: Path) -> Segment:
        try:
            return read_whole(step.name, fetched(self._objects.stream(f"{self._prefix}{step.name}"), target))
        except NotObserved as exc:
            return Segment(step.name, 0, None, unread=exc.what)

    def _head(self, name: str) -> Segment:
        try:
            head = self._objects.read(f"{self._prefix}{name}", _HEAD_BYTES)
        except NotObserved as exc:
            return Segment(name, 0, None, unread=exc.what)
        return Segment(name, len(head), read_header(head))


def segments(kept: Any) -> dict[str, Segment]:
    """The segments of an answer of `Segments.read`, by name."""
    made = (
        Segment(**{**one, "header": Header(**one["header"]) if one["header"] else None}) for one in kept["segments"]
    )
    return {one.name: one for one in made}


def read_whole(name: str, pieces: Iterable[bytes]) -> Segment:
    """Read a segment to its end: its hash, its header, its pages."""
    digest, size, header, pages = hashlib.sha256(), 0, None, None
    for number, piece in enumerate(pieces):
        digest.update(piece)
        size += len(piece)
        if number == 0 and (header := read_header(piece)) is not None:
            pages = Pages(header)
        if pages is not None:
            pages.feed([piece])
    return Segment(name, size, header, digest.hexdigest(), pages.odd if pages else "")


def fetched(pieces: Iterable[bytes], target: Path) -> Iterator[bytes]:
    """The pieces as they come, each written to a file first."""
    with target.open("wb") as file:
        for piece in pieces:
            file.write(piece)
            yield piece


class Folder:
    """
    A folder in the scratch folder that PostgreSQL's programs may read; gone at the end.

    Args:
        programs: Whose user it is for.
        scratch: Where it is made.
    """

    def __init__(self, programs: Programs, scratch: Path) -> None:
        self._path = Path(tempfile.mkdtemp(prefix="wal-", dir=scratch))
        programs.own(self._path)

    def __enter__(self) -> Path:
        return self._path

    def __exit__(self, *exc: object) -> None:
        shutil.rmtree(self._path, ignore_errors=True)


def _batches(stretch: Sequence[Step], size: int) -> Iterator[Sequence[Step]]:
    """Pieces that overlap by one segment, so that a record over the edge of one is read too."""
    most = max(_BATCH_BYTES // size, 2)
    for at in range(0, max(len(stretch) - 1, 1), most - 1):
        yield stretch[at : at + most]
