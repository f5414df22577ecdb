"""What of a base backup could be no server's, whatever its hashes say: damage that was there when it was taken."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from opsproof.rehearsal.stored.label import Label, lsn

_PAGE = 8192
_EMPTY_PAGE = bytes(_PAGE)
_NEEDED = ("PG_VERSION", "global/pg_control", "global/pg_filenode.map")
_MAP_MAGIC = 0x592717
_XIDS_OF_A_PAGE, _PAGES_OF_A_SEGMENT = _PAGE * 4, 32
_TOLD_BY = 16
_AT_MOST = 20
_POLYNOMIAL = 0x82F63B78


def impossible(folder: Path, control: Mapping[str, str], label: Label | None) -> list[str]:
    """
    Look at what every server of PostgreSQL has: its files, its maps of catalogues, the fates of its transactions, and
    the first page of every relation. What a server could have lost in between is not told by reading alone.

    Args:
        folder: Of the base backup.
        control: What pg_controldata says.
        label: Where it began; pages that were written since are replaced by recovery.
    """
    found = [f"{path} is missing: no server starts without it" for path in _NEEDED if not (folder / path).is_file()]
    databases = [path for path in sorted((folder / "base").glob("*")) if path.name.isdigit()]
    for place in (folder / "global", *databases):
        found += _mapped(folder, place)
    for place in (folder / "global", *databases, *sorted((folder / "pg_tblspc").glob("*/PG_*/*"))):
        found += [
            f"{path.relative_to(folder)}: its first page is all zeros, and what comes behind it is not"
            for path in sorted(place.glob("*"))
            if path.name.isdigit() and _begins_with_nothing(path, label)
        ]
    found += _without_fates(folder / "pg_xact", control)
    return found[:_AT_MOST]


def _mapped(folder: Path, place: Path) -> Iterator[str]:
    """Why the map of the catalogues that have no other entry cannot be read, or what it names that is not there."""
    path = place / "pg_filenode.map"
    name = path.relative_to(folder)
    if not path.is_file():
        if place.name != "global":
            yield f"{name} is missing: its database cannot be opened"
        return
    content = path.read_bytes()
    words = [int.from_bytes(content[at : at + 4], "little") for at in range(0, len(content) - 3, 4)]
    end = 2 + 2 * ((len(content) - 12) // 8)
    if len(words) <= end or words[0] != _MAP_MAGIC or 2 + 2 * words[1] > end:
        yield f"{name} is no map of catalogues: no relation of its database is found"
    elif words[end] != _crc32c(content[: 4 * end]):
        yield f"{name}: its checksum does not hold, and no server opens its database"
    else:
        for file in words[3 : 2 + 2 * words[1] : 2]:
            if not ((place / str(file)).is_file() or (place / f"INCREMENTAL.{file}").is_file()):
                yield f"{name} names the file {file}, which is not there"


def _begins_with_nothing(path: Path, label: Label | None) -> bool:
    """Whether the first page is empty and a later one is filled, of before the backup began."""
    with path.open("rb") as file:
        if label is None or file.read(_PAGE) != _EMPTY_PAGE:
            return False
        while page := file.read(_PAGE):
            at = (int.from_bytes(page[:4], "little") << 32) + int.from_bytes(page[4:8], "little")
            if page != _EMPTY_PAGE[: len(page)] and at < lsn(label.start):
                return True
    return False


def _without_fates(folder: Path, control: Mapping[str, str]) -> Iterator[str]:
    """Pages of pg_xact that know of no transaction, though many of theirs had ended when the backup began."""
    oldest = control.get("Latest checkpoint's oldestXID", "")
    running = control.get("Latest checkpoint's oldestActiveXID", "")
    if not (oldest.isdigit() and running.isdigit()) or not 0 < int(oldest) < int(running):
        return  # shut down, of another wal_level, or around the end of the numbers
    first, last = int(oldest), int(running) - 1
    for number in range(first // _XIDS_OF_A_PAGE, last // _XIDS_OF_A_PAGE + 1):
        start = max(first, number * _XIDS_OF_A_PAGE)
        ended = min(last + 1, (number + 1) * _XIDS_OF_A_PAGE) - start
        name = f"{number // _PAGES_OF_A_SEGMENT:04X}"
        if ended < _TOLD_BY:
            continue
        page = _page(folder / name, number % _PAGES_OF_A_SEGMENT)
        inside = f"the fates of {ended} transactions from {start} on"
        if page is None:
            yield f"pg_xact/{name} does not hold {inside}"
        elif not any(page[(start % _XIDS_OF_A_PAGE) // 4 :]):
            yield f"pg_xact/{name} holds only zeros for {inside}: their rows would be gone, or back"


def _page(path: Path, number: int) -> bytes | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        file.seek(number * _PAGE)
        page = file.read(_PAGE)
    return page if len(page) == _PAGE else None


def _crc32c(content: bytes) -> int:
    value = 0xFFFFFFFF
    for byte in content:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
    return value ^ 0xFFFFFFFF
