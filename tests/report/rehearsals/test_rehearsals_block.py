"""What the terminal and summary.md tell of a rehearsal."""

import re

import pytest
from rehearsal_builders import (
    a_failed_rehearsal,
    a_ledger,
    a_rehearsal,
    a_rehearsed_view,
    an_aborted_rehearsal,
)
from wcwidth import wcswidth

from opsproof.judge.limits import Lang
from opsproof.rehearsal.facts import Proof
from opsproof.report.console import WIDTH, Line, verdict_block
from opsproof.report.rehearsals.block import rows
from opsproof.report.summary import summary


def block(lang: Lang = "en") -> list[Line]:
    return verdict_block(a_rehearsed_view(), None, lang)


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_the_block_is_readable_in_100_columns(lang: Lang) -> None:
    """Korean letters are two columns wide."""
    assert max(wcswidth(line.text) for line in block(lang)) <= WIDTH


def test_the_block_says_in_words_what_colours_say() -> None:
    """Without colour, in a log, it must be the same."""
    text = re.sub(r"\s+", " ", " ".join(line.text for line in block()))

    assert "REHEARSAL proven: region-loss" in text
    assert "REHEARSAL FAILED: damaged-database" in text
    assert "REHEARSAL FAILED: polluted-data" in text
    assert "RPO FAILED, 15 min 52.5 s .. 16 min 25.2 s, limit 15 min, resolution 500 ms" in text
    assert "4700 sent, 4672 there, 25 lost" in text
    assert "RTO not proven, limit 1 h: given up; there is no T4" in text
    assert "not gone through, so not proven: database, service, data checks, business checks" in text
    assert "not executed activate: not reached" in text
    assert "1 caught by no check: dump.cut-at-a-line" in text


def test_what_is_not_proven_is_never_green_and_has_no_number() -> None:
    """A skipped step has no time: 0 s would be the best of all times."""
    for fact in (an_aborted_rehearsal(), a_failed_rehearsal()):
        for row in rows(fact, "en"):
            if "not proven" in row.text or "FAILED" in row.text:
                assert row.means is not Proof.PROVEN
    assert not re.search(r"\b0 (?:ms|s|min)\b", " ".join(row.text for row in rows(an_aborted_rehearsal(), "en")))


def test_lost_writes_are_never_green() -> None:
    """Also where the RPO holds."""
    fact = a_rehearsal(ledger=a_ledger(ok=498, lost=3))

    assert next(row.means for row in rows(fact, "en") if row.label == "writes") is Proof.NOT_PROVEN


def test_the_summary_has_a_list_for_each_scenario() -> None:
    """It is what a CI shows."""
    text = summary(a_rehearsed_view())

    assert re.findall(r"^## Rehearsal: (\w+(?: \w+)?):", text, flags=re.MULTILINE) == ["proven", "FAILED", "FAILED"]
    assert "- RPO: FAILED, 15 min 52.5 s" in text
