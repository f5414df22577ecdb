"""What the terminal, summary.md and Allure tell of a canary."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from canary_builders import (
    a_canary,
    a_canary_run,
    a_canary_view,
    a_canary_with_little_traffic,
    a_canary_without_traffic,
    a_healthy_canary,
    a_refused_canary,
    a_sick_canary,
    an_interrupted_canary,
    counted,
)
from report_builders import an_outcome
from wcwidth import wcswidth

from opsproof.canary.facts import CanaryFact
from opsproof.evidence.redaction import Redactor
from opsproof.judge.limits import Lang
from opsproof.report.canaries.block import headline, rows
from opsproof.report.console import WIDTH, verdict_block
from opsproof.report.folder import write_run
from opsproof.report.summary import summary

ALL = (
    a_healthy_canary,
    a_sick_canary,
    a_canary_without_traffic,
    a_canary_with_little_traffic,
    a_refused_canary,
    an_interrupted_canary,
)


def terminal(fact: CanaryFact, lang: Lang = "en") -> str:
    return re.sub(r"\s+", " ", " ".join(line.text for line in verdict_block(a_canary_view(fact), None, lang)))


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
def test_the_block_is_readable_in_100_columns(make: Callable[[], CanaryFact], lang: Lang) -> None:
    """Korean letters are two columns wide."""
    assert max(wcswidth(line.text) for line in verdict_block(a_canary_view(make()), None, lang)) <= WIDTH


@pytest.mark.parametrize(
    ("make", "en", "ko"),
    [
        (
            a_healthy_canary,
            "CANARY PROMOTE: factory-ai/embedded, watched 60 s of 60 s, 12 looks",
            "카나리 승격: factory-ai/embedded, 60초 중 60초 관찰, 12회 확인",
        ),
        (
            a_sick_canary,
            "CANARY ROLL BACK: factory-ai/embedded, watched 10 s of 60 s, 2 of 12 looks, decided early",
            "카나리 롤백: factory-ai/embedded, 60초 중 10초 관찰, 12회 중 2회 확인, 예정보다 일찍 결정됨",
        ),
        (
            a_refused_canary,
            "CANARY INCONCLUSIVE: factory-ai/embedded, refused before the watch",
            "카나리 판단 불가: factory-ai/embedded, 관찰 전에 거부됨",
        ),
        (
            an_interrupted_canary,
            "watched 25 s of 60 s, 5 of 12 looks, interrupted",
            "60초 중 25초 관찰, 12회 중 5회 확인, 도중에 중단됨",
        ),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_the_answer_comes_first(make: Callable[[], CanaryFact], en: str, ko: str) -> None:
    """In words, and how much of the watch there was."""
    assert en in terminal(make())
    assert ko in terminal(make(), "ko")


def test_each_criterion_has_its_numbers_and_bounds() -> None:
    """Without the report at hand."""
    text = terminal(a_healthy_canary())

    assert "error-rate ✔ PROMOTE: surely below the limit: 2 of 1,200 (0.167 %), at most 0.524 %, limit 1 %" in text
    assert "[bounds 0.00424 % .. 0.524 %; baseline 0.194 %]" in text
    assert "p95 1.93 s" in text


def test_inconclusive_says_what_is_missing() -> None:
    """Requests, data, or the rest of the watch."""
    little = terminal(a_canary_with_little_traffic())
    assert "missing: 269 more requests without a failure" in little
    assert "568 more requests without a failure would do" in little
    assert little.count("568 more") == 1
    none = terminal(a_canary_without_traffic())
    assert "no data (empty): no request reached the canary in 60 s" in none
    assert "the watch was ended before its time" in terminal(an_interrupted_canary())


def test_refusals_are_told_with_their_fix() -> None:
    """Once, and without reasons that say nothing more."""
    text = terminal(a_refused_canary())

    assert text.count("give it an edge at 2.5") == 1
    assert 'add version="2.1.0" to its labels' in text
    assert "why error-rate" not in text


def test_what_is_not_critical_says_what_it_weighs() -> None:
    """Half a violation neither promotes nor rolls back."""
    fact = a_canary({"parse-failures": counted(100, 0.05)}, {})

    assert fact.answer == "inconclusive"
    assert "weight violated criteria weigh 0.5, roll back at 1" in terminal(fact)


def test_colours_never_stand_alone() -> None:
    """Each row says its answer."""
    for make in ALL:
        for lang, word in (("en", "PROMOTE"), ("ko", "승격")):
            head = headline(make(), lang)
            assert (head.means == "promote") is head.text.startswith(word)
            for row in rows(make(), lang):
                assert row.means != "promote" or row.text.startswith("✔")


def test_the_summary_has_a_table_and_the_picture() -> None:
    """It is what a CI shows."""
    text = summary(a_canary_view(a_canary_with_little_traffic()))

    assert "## Canary: ? INCONCLUSIVE: factory-ai/embedded" in text
    assert "| Error rate (`error-rate`) | 0 % | 0 % .. 9.5 % |" in text
    assert "| 0.194 % | 30 | **? INCONCLUSIVE** | 269 more requests without a failure |" in text
    assert "](canary.svg)" in text
    assert "- baseline: 2.0.4, track=" in text


def test_the_step_summary_links_no_file_that_is_not_there() -> None:
    """GitHub's page has the text only."""
    assert "![" not in summary(a_canary_view(), pictures=False)


def test_a_summary_of_a_refused_canary_has_its_fix() -> None:
    """And no numbers that nobody measured."""
    text = summary(a_canary_view(a_refused_canary()))

    assert "- **refused**: latency-p95: the limit 2.5 s is above the last finite bucket edge" in text
    assert "| – | – | \\< 1 %" in text


def test_allure_has_picture_and_verdict_at_the_check(tmp_path: Path) -> None:
    """Of the canary's own profile, and at no other check."""
    run = a_canary_run(a_healthy_canary(), a_sick_canary(profile="factory-ai/staging"))
    run = run.model_copy(update={"outcomes": (*run.outcomes, an_outcome(profile="factory-ai/staging"))})
    folder = write_run(run, [], tmp_path, Redactor()) / "allure-results"

    attached = {}
    for path in folder.glob("*-result.json"):
        result = json.loads(path.read_text("utf-8"))
        attached[result["name"]] = {one["name"]: one for one in result.get("attachments", [])}
    staging = attached["canary.holds_its_criteria[factory-ai/staging]"]
    assert set(attached["canary.holds_its_criteria[factory-ai/embedded]"]) == {"canary.svg", "verdict.json"}
    assert set(staging) == {"canary-2.svg", "verdict.json"}
    assert attached["health.service_is_up[factory-ai/staging]"] == {}
    assert staging["canary-2.svg"]["type"] == "image/svg+xml"
    assert "ROLL BACK" in (folder / staging["canary-2.svg"]["source"]).read_text("utf-8")
    assert json.loads((folder / staging["verdict.json"]["source"]).read_text("utf-8"))["answer"] == "rollback"
