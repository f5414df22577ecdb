"""What looks like damage of a base backup and is none, and what is told of the rest."""

import pytest

from opsproof.rehearsal.stored.insides import impossible
from opsproof.rehearsal.stored.label import Label

LABEL = Label("0/5000028", "000000010000000000000005", 1, None, "", 0)
CONTROL = {"Latest checkpoint's oldestXID": "700", "Latest checkpoint's oldestActiveXID": "70000"}
MAP_CRC = "65137507"
FILLED, EMPTY = b"\1", bytes(8192)


@pytest.fixture
def base(tmp_path):
    """Files that every server has, and one table."""
    for name in ("PG_VERSION", "global/pg_control", "pg_xact/0000"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"\x55" * 8192 * 3)
    (tmp_path / "base/5").mkdir(parents=True)
    # magic, one mapping (1262 to 1262), room for 64 of them, CRC-32C
    (tmp_path / "global/1262").touch()
    (tmp_path / "base/5/1262").touch()
    content = (
        (0x592717).to_bytes(4, "little") + (1).to_bytes(4, "little") + (1262).to_bytes(4, "little") * 2 + bytes(504)
    )
    for place in ("global", "base/5"):
        (tmp_path / place / "pg_filenode.map").write_bytes(content + bytes.fromhex(MAP_CRC))
    return tmp_path


def page(position: int) -> bytes:
    """A filled page that was written at a place of the first 4 GiB of WAL."""
    return (bytes(4) + position.to_bytes(4, "little")).ljust(8192, FILLED)


def test_a_sound_base_has_nothing_impossible(base):
    """Whoever objects to good backups is switched off."""
    (base / "base/5/16384").write_bytes(page(0x100) * 3)

    assert impossible(base, CONTROL, LABEL) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (EMPTY + page(0x4000000), True),
        (EMPTY + EMPTY + page(0x4000000), True),
        (EMPTY + page(0x6000000), False),
        (EMPTY * 3, False),
        (page(0x100) + EMPTY + page(0x100), False),
        (b"", False),
    ],
)
def test_a_first_page_of_zeros_is_told_where_an_older_one_is_filled(base, content, told):
    """A table that grew while it was copied is mended by recovery, and empty pages in the middle are ordinary."""
    (base / "base/5/16384").write_bytes(content)

    said = ["base/5/16384: its first page is all zeros, and what comes behind it is not"]
    assert impossible(base, CONTROL, LABEL) == (said if told else [])


@pytest.mark.parametrize(
    ("zeros", "control", "told"),
    [
        (1, {}, ["pg_xact/0000 holds only zeros for the fates of 32768 transactions from 32768 on"]),
        (2, {}, ["pg_xact/0000 holds only zeros for the fates of 4464 transactions from 65536 on"]),
        (2, {"Latest checkpoint's oldestActiveXID": "65540"}, []),
        (2, {"Latest checkpoint's oldestActiveXID": "0"}, []),
        (1, {"Latest checkpoint's oldestXID": "4000000000"}, []),
    ],
)
def test_fates_of_transactions_are_not_all_open(base, zeros, control, told):
    """Of a page that has just begun, and of one before the oldest, nothing is said."""
    path = base / "pg_xact/0000"
    content = bytearray(path.read_bytes())
    content[zeros * 8192 : (zeros + 1) * 8192] = EMPTY
    path.write_bytes(content)

    said = impossible(base, CONTROL | control, LABEL)

    assert [one.partition(":")[0] for one in said] == told


def test_a_segment_of_fates_that_is_short_is_told(base):
    """A server would not start, or believe that nothing was committed."""
    path = base / "pg_xact/0000"
    path.write_bytes(path.read_bytes()[: 2 * 8192])

    assert impossible(base, CONTROL, LABEL) == [
        "pg_xact/0000 does not hold the fates of 4464 transactions from 65536 on"
    ]


def test_a_map_names_files_that_are_there(base):
    """In an increment a file has another name."""
    (base / "base/5/1262").rename(base / "base/5/INCREMENTAL.1262")
    assert impossible(base, CONTROL, LABEL) == []
    (base / "base/5/INCREMENTAL.1262").unlink()
    (base / "global/pg_control").unlink()

    assert impossible(base, CONTROL, LABEL) == [
        "global/pg_control is missing: no server starts without it",
        "base/5/pg_filenode.map names the file 1262, which is not there",
    ]
