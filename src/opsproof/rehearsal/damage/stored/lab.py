"""Copies of sound backups that a fault may damage, and what is asked of them."""

import gzip
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal

from opsproof.errors import NotObserved
from opsproof.probes.backup import Objects
from opsproof.profile.backups import Backups, Bases, Dumps
from opsproof.profile.targets import StoreTarget
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.damage.damage import Damage, NotApplicable
from opsproof.rehearsal.damage.stored import origin
from opsproof.rehearsal.stored import StoredVerification, dump_note
from opsproof.stack.clusters import Grounds

Form = Literal["custom", "plain", "bases"]

DUMP_CHECKS = (
    "a_dump_is_fresh",
    "the_newest_dump_holds_fresh_rows",
    "every_dump_holds_the_rows_of_its_time",
    "latest_is_the_newest_dump",
    "every_dump_is_what_was_stored",
    "no_dump_of_the_catalogue_is_gone",
    "every_dump_reads_to_its_end",
    "every_table_is_in_its_dump",
    "every_dump_defines_what_it_holds",
    "no_dump_is_too_small",
    "enough_whole_dumps_are_kept",
    "every_dump_is_of_a_fitting_version",
    "every_dump_is_named_by_its_time",
    "no_two_dumps_are_the_same",
    "all_dumps_are_of_one_database",
)
BASE_CHECKS = (
    "a_base_backup_is_fresh",
    "every_base_backup_is_whole",
    "every_base_backup_is_what_was_stored",
    "no_base_backup_of_the_catalogue_is_gone",
    "every_base_backup_says_where_it_begins",
    "no_base_backup_brings_orders_along",
    "every_base_backup_is_of_this_cluster",
    "page_checksums_are_on_and_hold",
    "every_base_backup_is_self_contained",
    "no_base_backup_is_open_to_others",
    "the_chain_of_increments_is_whole",
    "enough_whole_base_backups_are_kept",
    "every_base_backup_is_named_by_its_time",
)


@dataclass
class StoredLab:
    """
    A store and its catalogue, as folders.

    Attributes:
        grounds: Where they live.
        form: Which series.
        store: The store's folder.
        catalogue: The catalogue's folder.
        said: What the profile says of them.
        clock: What time it is.
        own: True for copies of somebody's own backups; False for the lab's.
        later: How much later it is than the clock says.
    """

    grounds: Grounds
    form: Form
    store: Path
    catalogue: Path
    said: Backups
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    own: bool = False
    later: timedelta = field(default_factory=timedelta)

    @property
    def series(self) -> Dumps | Bases:
        """What the profile says of the series."""
        series = self.said.bases if self.form == "bases" else self.said.dumps
        assert series is not None
        return series

    @property
    def prefix(self) -> str:
        """How the names of the series begin."""
        return self.series.prefix

    @property
    def backups(self) -> list[Path]:
        """Dumps or folders, the newest last; without the latest."""
        every = sorted((self.store / self.prefix).iterdir())
        return [path for path in every if not path.name.startswith("latest") and path.suffix not in _NOTES]

    def at_least(self, count: int) -> list[Path]:
        """The backups. Raises NotApplicable where there are fewer."""
        backups = self.backups
        if len(backups) < count:
            raise NotApplicable(f"it takes {count} backups, and there is {len(backups)}")
        return backups

    def only_in_the_lab(self) -> None:
        """Raises NotApplicable for copies of somebody's own: the lab's tables are not theirs."""
        if self.own:
            raise NotApplicable("it is made with the lab's own tables")

    @property
    def newest(self) -> Path:
        """The newest one."""
        return self.backups[-1]

    @property
    def latest(self) -> Path:
        """The dump that is always the newest."""
        (found,) = (self.store / self.prefix).glob("latest.*")
        return found

    def write(self, path: Path, content: bytes) -> None:
        """Put other content into a dump, and into the latest if it is the newest; file times stay."""
        at = path.stat().st_mtime
        latest = (self.store / self.prefix).glob("latest.*") if path == self.newest else ()
        for one in (path, *latest):
            one.write_bytes(content)
            os.utime(one, (at, at))

    def raw(self, path: Path) -> bytes:
        """A dump, unpacked."""
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content

    def pack(self, path: Path, raw: bytes) -> None:
        """Put other content into a dump, packed as its name says."""
        self.write(path, gzip.compress(raw, mtime=0) if path.suffix == ".gz" else raw)

    def entry_of(self, path: Path) -> Path:
        """The catalogue's file on a backup."""
        return self.catalogue / f"{self.prefix}{path.name}.json"

    def put(self, path: Path, content: bytes) -> None:
        """Put other content into a file of a base backup: a link to the sound one, so that it is replaced."""
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        path.chmod(0o600)

    def note(self, path: Path, **changes: Any) -> None:
        """Change an entry of the catalogue."""
        file = self.entry_of(path)
        changed = json.loads(file.read_text(encoding="utf-8")) | changes
        self.put(file, json.dumps(changed).encode())

    def cover_up(self, path: Path, **changes: Any) -> None:
        """Note size and SHA-256 of a dump as they are now: who damaged it could write to the catalogue, too."""
        now = dump_note("", path, _EPOCH, _EPOCH)
        self.note(path, sha256=now["sha256"], bytes=now["bytes"], **changes)

    def verification(self) -> StoredVerification:
        """What asks about them."""
        return StoredVerification(
            self.said,
            _objects(self.store),
            _objects(self.catalogue),
            Asking.alone("stored"),
            self.grounds.programs,
            self.grounds.folder("stored-scratch"),
            lambda: self.clock() + self.later,
        )


_NOTES = (".json", ".sha256", ".md5")
_DAY_AND_MORE = 26 * 3600.0
_EPOCH = datetime.fromtimestamp(0, UTC)


def lab(form: Form) -> Callable[[Grounds], Any]:
    """Makes sound copies of one series."""
    return partial(_lab, form=form)


@contextmanager
def _lab(grounds: Grounds, form: Form) -> Iterator[StoredLab]:
    sound = origin.bases(grounds) if form == "bases" else origin.dumps(grounds, form)
    place = grounds.folder("stored-lab")
    shutil.rmtree(place)
    shutil.copytree(sound, place, symlinks=True, copy_function=os.link if form == "bases" else shutil.copy2)
    try:
        yield StoredLab(grounds, form, place / "store", place / "catalogue", _said(form))
    finally:
        shutil.rmtree(place)


def _said(form: Form) -> Backups:
    if form == "bases":
        return Backups(bases=Bases(prefix=origin.BASE, freshness=_DAY_AND_MORE))
    latest = "latest.dump.gz" if form == "custom" else "latest.sql.gz"
    least = dict.fromkeys(origin.TABLES, 1)
    return Backups(dumps=Dumps(prefix=origin.DAILY, freshness=_DAY_AND_MORE, form=form, latest=latest, tables=least))


def checks(lab: StoredLab) -> tuple[str, ...]:
    """Names of what is asked of a series."""
    if lab.form == "bases":
        return BASE_CHECKS
    latest = lab.said.dumps is not None and lab.said.dumps.latest
    return tuple(name for name in DUMP_CHECKS if latest or name != "latest_is_the_newest_dump")


async def detect(lab: StoredLab) -> Mapping[str, Sequence[str]]:
    """What every check of the series says; what cannot be told is no good news either."""
    verification = lab.verification()
    found: dict[str, Sequence[str]] = {}
    for name in checks(lab):
        try:
            found[f"backup.{name}"] = await getattr(verification, name)()
        except NotObserved as exc:
            found[f"backup.{name}"] = [f"unknown: {exc.what}"]
    return found


def damage(
    name: str,
    source: str,
    english: str,
    korean: str,
    inject: Callable[[StoredLab], None],
    usual: Callable[[StoredLab], str],
    *caught_by: str,
) -> Damage[StoredLab]:
    """A fault of stored backups, caught by checks of the folder `backup`."""
    names = tuple(f"backup.{one}" for one in caught_by)
    return Damage(name, source, {"en": english, "ko": korean}, inject, usual, names)


def changed(content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """What a change makes of it. Raises NotApplicable where it changes nothing."""
    other = change(content)
    if other == content:
        raise NotApplicable("there is nothing in them that it would change")
    return other


def _objects(folder: Path) -> Objects:
    return Objects(StoreTarget(kind="store", url=f"local://{folder}"))
