"""docs/dr-faults.md tells of every fault that is registered, and of nothing else."""

import re
from pathlib import Path

import pytest

from opsproof.rehearsal.damage.areas import BLIND_SPOTS, NOT_HERE, areas
from opsproof.rehearsal.damage.fault_table import fault_table, steady
from opsproof.rehearsal.damage.proving import Shown

DOCUMENT = Path(__file__).parents[2] / "docs" / "dr-faults.md"
LISTED = {
    "A": (1, 2, 3, 4, 6, 7, 8, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23),
    "B": (1, 2, 5, 6, 7, 8, 9, 11, 12, 13, 14),
    "C": (1, 2, 3, 5, 6, 8),
    "D": (1, 2, 3, 5, 6, 7, 8, 10, 11, 13, 14, 15, 16),
    "E": (1, 2, 3, 5, 8, 9, 10, 11),
    "F": (1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 14, 15),
}
"""Numbers of the faults that a verification must detect, by group."""


def test_the_document_lists_exactly_the_registered_faults():
    """A table that leaves out what is not caught, or boasts of what is not there, misleads an auditor."""
    rows = re.findall(r"^\| (\w*) \| `([^`]+)`:", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)

    registered = [(damage.source, damage.name) for area in areas() for damage in area.damages]
    assert rows == registered


def test_the_document_was_made_of_faults_that_were_caught():
    """The table is the proof; a fault that stayed green when it was made belongs mended, not documented."""
    text = DOCUMENT.read_text(encoding="utf-8")

    assert "**nothing**" not in text
    assert "could not be shown" not in text


def test_the_document_tells_what_is_not_looked_at():
    """Whoever reads that all faults were caught must read in the same place what nobody tried."""
    text = DOCUMENT.read_text(encoding="utf-8")
    _, _, end = text.partition("## Known blind spots")

    assert [f"| {what} | {why} |" for what, why in BLIND_SPOTS.items()] == end.strip().splitlines()[2:]
    assert "not that every damage is found" in text


def test_every_listed_fault_is_put_in_or_its_absence_explained():
    """Acceptance goes through the list fault by fault."""
    sources = {damage.source for area in areas() for damage in area.damages}
    listed = {f"{group}{number}" for group, numbers in LISTED.items() for number in numbers}

    assert listed - sources - set(NOT_HERE) == set()
    assert not sources & set(NOT_HERE)


def test_there_are_enough_faults():
    """The least that was promised, and each says what must catch it."""
    damages = [damage for area in areas() for damage in area.damages]

    assert len(damages) >= 60
    assert all(damage.caught_by for damage in damages)
    for area in areas():
        names = [damage.name for damage in area.damages]
        assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("ls -l: 20261121T190336Z.dump.gz, 16540 bytes, 0 h old", "ls -l: TIME.dump.gz, N bytes, N h old"),
        ("read on from 0/1A00028: bad", "read on from LSN: bad"),
        ("000000020000000000000004 is missing", "SEGMENT is missing"),
        ("SHA-256 0f3a9c1d22aa..., noted", "SHA-256 HASH, noted"),
        ("at 2026-11-21T19:03:24.123+00:00 it", "at TIME it"),
        ("no file /tmp/opsproof-0/run-10bcb1ed/store/x here", "no file .../x here"),
        ("127.0.0.1:43211 refuses", "127.0.0.1:PORT refuses"),
        ("exit 1, 11 entries, 600 rows", "exit 1, 11 entries, 600 rows"),
    ],
)
def test_what_changes_from_run_to_run_is_left_out(text, plain):
    """A document that changes on every line whenever it is made anew is never read again."""
    assert steady(text) == plain


def test_a_fault_that_nothing_caught_stands_out():
    """It is the one row that somebody must see."""
    text = fault_table([Shown("archive", "quiet", "B1", "Something | odd", "ls: well")], "18", {}, {})

    assert "1 faults, 0 caught" in text
    assert "| B1 | `quiet`: Something \\| odd | ls: well | **nothing** |" in text
    assert "Not caught: quiet" in text
