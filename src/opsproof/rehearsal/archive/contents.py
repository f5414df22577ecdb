"""What an archive and its base backups hold, by their listing and their small files."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opsproof.errors import NoData, NotObserved
from opsproof.probes.backup import Objects
from opsproof.profile.backups import Backups, Wal
from opsproof.rehearsal.archive.bases import Base, ranges, read_base
from opsproof.rehearsal.archive.histories import History, Label, read_history, read_label
from opsproof.rehearsal.archive.names import Kind, WalName, parse
from opsproof.rehearsal.asking import Asking

_SMALL = (Kind.HISTORY, Kind.BACKUP)
_USUAL_SIZE = 16 << 20
_MANIFEST_BYTES = 512 << 20


@dataclass(frozen=True, slots=True)
class File:
    """
    An object of the archive.

    Attributes:
        path: Behind the archive's prefix; more than a name where somebody made a folder.
        name: What PostgreSQL means by it; None for what it does not know.
        bytes: Its size.
    """

    path: str
    name: WalName | None
    bytes: int


@dataclass(frozen=True)
class Listing:
    """
    The archive.

    Attributes:
        at: When it was listed.
        files: Every object.
        small: Text of the history files, of both kinds, by their names; None for one that cannot be read.
        hashes: SHA-256 of those.
    """

    at: datetime
    files: tuple[File, ...]
    small: dict[str, str | None]
    hashes: dict[str, str]

    def segments(self) -> dict[str, WalName]:
        """The segments at their place, by name; empty ones are none."""
        return {one.path: one.name for one in self.of(Kind.SEGMENT) if one.name and one.bytes}

    def whole(self) -> set[str]:
        """Names of the segments of full size; PostgreSQL replays no other."""
        return {one.path for one in self.of(Kind.SEGMENT) if one.bytes == self.size}

    def of(self, *kinds: Kind) -> list[File]:
        """Objects of some kinds, at their place."""
        return [one for one in self.files if one.name and one.name.kind in kinds and one.path == one.name.text]

    @property
    def size(self) -> int:
        """Bytes of a segment: what most of them have."""
        sizes = Counter(one.bytes for one in self.of(Kind.SEGMENT) if one.bytes >= 1 << 20)
        return sizes.most_common(1)[0][0] if sizes else _USUAL_SIZE

    def histories(self) -> tuple[dict[int, History], list[str]]:
        """The timeline history files that can be read, by timeline, and what is wrong with the others."""
        return _parsed(self.of(Kind.HISTORY), self.small, lambda name, text: read_history(name.timeline, text))

    def labels(self) -> tuple[dict[str, Label], list[str]]:
        """The backup history files that can be read, by name, and what is wrong with the others."""
        found, wrong = _parsed(self.of(Kind.BACKUP), self.small, lambda _, text: read_label(text), key="text")
        return found, wrong


class Contents:
    """
    Lists an archive and its base backups.

    Args:
        backups: Where they are.
        objects: The store that holds them.
        catalogue: Where it was noted when each was made.
        asking: Keeps the answers.
        now: The clock.
    """

    def __init__(
        self,
        backups: Backups,
        objects: Objects,
        catalogue: Objects | None,
        asking: Asking,
        now: Callable[[], datetime],
    ) -> None:
        self._backups = backups
        self._objects = objects
        self._catalogue = catalogue
        self._asking = asking
        self._now = now

    async def listing(self, wal: Wal, *, fresh: bool = False) -> Listing:
        """
        List the archive.

        Args:
            wal: What the profile says of it.
            fresh: True to list it now, and not to take what was listed before in this sweep.

        Raises:
            NoData: There is nothing in it.
            NotObserved: There is no answer.
        """

        def call() -> dict[str, Any]:
            files = [(one.name, one.size) for one in self._objects.names(wal.prefix)]
            small: dict[str, str | None] = {}
            hashes = {}
            for path, _ in files:
                name = parse(path.removeprefix(wal.prefix))
                if name is not None and name.kind in _SMALL:
                    content = _content(self._objects, path)
                    small[name.text] = None if content is None else content.decode(errors="replace")
                    hashes[name.text] = hashlib.sha256(content or b"").hexdigest()
            return {"at": self._now().isoformat(), "files": files, "small": small, "hashes": hashes}

        text = f"LIST {wal.prefix}* at {self._objects.target.address}"
        found = await self._asking.ask(text, f"obstore list {wal.prefix}", call, fresh=fresh)
        if not found["files"]:
            next_step = "See whether archive_command fills it, and whether backups.wal.prefix is right."
            raise NoData("there is no WAL in the archive", where=self._objects.where(wal.prefix), next_step=next_step)
        files = []
        for path, size in found["files"]:
            place = path.removeprefix(wal.prefix)
            files.append(File(place, parse(place.rpartition("/")[2]), size))
        return Listing(datetime.fromisoformat(found["at"]), tuple(files), found["small"], found["hashes"])

    async def bases(self) -> list[Base]:
        """
        The base backups that came to their end (with a manifest), oldest first.

        Raises:
            NoData: There is none: WAL alone recovers nothing.
            NotObserved: There is no answer.
        """
        series = self._backups.bases
        prefix = series.prefix if series else ""

        def call() -> dict[str, list[str | None]]:
            folders = {one.name.removeprefix(prefix).split("/")[0] for one in self._objects.names(prefix)}
            found = {}
            for folder in sorted(folders):
                read = [
                    _text(self._objects, f"{prefix}{folder}/{name}") for name in ("backup_label", "backup_manifest")
                ]
                noted = _text(self._catalogue, f"{prefix}{folder}.json") if self._catalogue else None
                found[folder] = [read[0], ranges(read[1]), noted]
            return found

        kept = (
            await self._asking.ask(
                f"base backups below {prefix} at {self._objects.target.address}",
                f"obstore list {prefix}",
                call,
                fresh=False,
            )
            if series
            else {}
        )
        made = (read_base(folder, *texts) for folder, texts in kept.items())
        bases = sorted((one for one in made if one), key=lambda one: one.label.start if one.label else 0)
        if not bases:
            next_step = "Take a base backup (pg_basebackup): WAL without one recovers nothing; see backups.bases."
            raise NoData(
                "there is no base backup with a backup_label and a manifest that WAL could be replayed from",
                where=self._objects.where(prefix or "backups.bases is not set"),
                next_step=next_step,
            )
        return bases

    async def noted(self, prefix: str) -> dict[str, str]:
        """
        SHA-256 of every file of the archive that the catalogue has one of.

        Raises:
            NoData: The catalogue has none.
            NotObserved: There is no answer.
        """
        catalogue = self._catalogue
        where = catalogue.where(prefix) if catalogue else "backups.catalogue is not set"

        def call() -> dict[str, str | None]:
            if catalogue is None:
                return {}
            names = [one.name for one in catalogue.names(prefix) if one.name.endswith((".sha256", ".json"))]
            return {name.removeprefix(prefix): _text(catalogue, name) for name in names}

        kept = await self._asking.ask(f"catalogue of {prefix}*", f"obstore list {prefix}", call, fresh=False)
        found = {name.rpartition(".")[0]: _sha256(text) for name, text in kept.items()}
        if not found:
            next_step = (
                "Let archive_command write `sha256sum` of each segment there, or set backups.wal.hashes to false."
            )
            raise NoData("no SHA-256 of any segment was noted", where=where, next_step=next_step)
        return found


def _content(objects: Objects, name: str) -> bytes | None:
    try:
        return objects.read(name, _MANIFEST_BYTES)
    except NotObserved:
        return None


def _text(objects: Objects, name: str) -> str | None:
    content = _content(objects, name)
    return None if content is None else content.decode(errors="replace")


def _sha256(text: str | None) -> str:
    """The hash of a catalogue's entry, JSON or as sha256sum writes it; "" for neither."""
    if text is None:
        return ""
    try:
        return str(json.loads(text)["sha256"]).lower()
    except (ValueError, KeyError, TypeError):
        first = text.split(maxsplit=1)[0].lstrip("\\").lower() if text.strip() else ""
        return first if re.fullmatch(r"[0-9a-f]{64}", first) else ""


def _parsed(
    files: list[File], small: dict[str, str | None], read: Callable[[WalName, str], Any], key: str = "timeline"
) -> tuple[dict[Any, Any], list[str]]:
    found: dict[Any, Any] = {}
    wrong: list[str] = []
    for file in files:
        name = file.name
        text = small.get(file.path)
        if name is None or text is None:
            wrong.append(f"{file.path} cannot be read")
            continue
        try:
            found[getattr(name, key)] = read(name, text)
        except ValueError as exc:
            wrong.append(f"{file.path} cannot be read: {exc}")
    return found, wrong
