"""allure-results, as Allure reads them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from markdown_it import MarkdownIt
from nasty_text import nasty_text
from report_builders import (
    INGEST,
    STARTED,
    a_bad_night,
    a_failure,
    a_profile,
    a_refused_connection,
    a_view,
    a_waiver,
    an_observation,
    an_outcome,
    an_unknown,
)

from opsproof.judge.outcome import Cause, Outcome, Status
from opsproof.report.allure import _description, _environment, categories, write_allure
from opsproof.report.run import ReleaseFact
from opsproof.report.view import View

SKIPPED = an_outcome(status=Status.SKIPPED, cause=Cause.DOES_NOT_APPLY, message="no target metrics")
WAIVED = a_failure(status=Status.WAIVED, waiver=a_waiver())


def results(view: View, folder: Path, runbook_url: str = "") -> dict[str, Any]:
    """The results by check."""
    write_allure(view, folder, runbook_url)
    read = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*-result.json")]
    return {result["fullName"]: result for result in read}


@pytest.mark.parametrize(
    ("outcome", "status", "category"),
    [
        pytest.param(an_outcome(), "passed", None, id="passed"),
        pytest.param(a_failure(), "failed", "Target wrong", id="failed"),
        pytest.param(an_unknown(), "broken", "Target unreachable", id="unreachable"),
        pytest.param(an_unknown(cause=Cause.TIMED_OUT), "broken", "Timed out", id="timed-out"),
        pytest.param(an_unknown(cause=Cause.NO_DATA), "broken", "No data", id="no-data"),
        pytest.param(an_unknown(cause=Cause.CHECK_BROKEN), "broken", "Check broken", id="check-broken"),
        pytest.param(an_unknown(cause=Cause.PRECONDITION_MISSING), "broken", "Precondition missing", id="missing"),
        pytest.param(SKIPPED, "skipped", None, id="skipped"),
        pytest.param(WAIVED, "skipped", "Waived", id="waived"),
    ],
)
def test_each_status_and_cause_is_found_in_its_category(
    outcome: Outcome, status: str, category: str | None, tmp_path: Path
) -> None:
    """Whether the target or the look at it failed decides whom to call."""
    result = results(a_view(outcome), tmp_path)[outcome.check]

    message = result.get("statusDetails", {}).get("message", "")
    matching = [
        rule["name"]
        for rule in categories()
        if status in rule["matchedStatuses"] and re.fullmatch(rule["messageRegex"], message)
    ]
    assert result["status"] == status
    assert matching == ([category] if category else [])


def test_every_cause_of_a_bad_outcome_has_a_category() -> None:
    """A new cause must not fall out of the report."""
    told = " ".join(rule["messageRegex"] for rule in categories())

    assert [cause for cause in Cause if cause not in told] == [Cause.DOES_NOT_APPLY, Cause.NOT_ALLOWED]


def test_a_result_is_filed_under_profile_and_subject_with_its_severity(tmp_path: Path) -> None:
    """The tree of the report is that of the fleet."""
    outcome = a_failure(severity="SEV-1")

    result = results(a_view(outcome), tmp_path, "https://wiki.example/{system}#{row}")[outcome.check]

    labels = {(label["name"], label["value"]) for label in result["labels"]}
    assert labels >= {
        ("parentSuite", INGEST),
        ("suite", "database"),
        ("severity", "blocker"),
        ("tag", "smoke"),
        ("tag", "recovery"),
        ("runbook", "ING-031"),
    }
    assert result["links"] == [{"type": "link", "name": "ING-031", "url": "https://wiki.example/ingest#ING-031"}]
    assert result["start"] == STARTED.timestamp() * 1000
    assert result["stop"] - result["start"] == 52


def test_history_follows_the_check_and_its_profile(tmp_path: Path) -> None:
    """Trends need the same id in every run, and another one for another environment."""
    profiles = [a_profile(), a_profile("evaluation/staging")]
    outcomes = [an_outcome(), an_outcome(profile="evaluation/staging")]

    first = results(a_view(*outcomes, profiles=profiles, id="aaaa"), tmp_path / "1")
    second = results(a_view(*outcomes, profiles=profiles, id="bbbb"), tmp_path / "2")

    assert {check: result["historyId"] for check, result in first.items()} == {
        check: result["historyId"] for check, result in second.items()
    }
    assert len({result["historyId"] for result in first.values()}) == 2
    assert {result["uuid"] for result in first.values()}.isdisjoint(result["uuid"] for result in second.values())


def test_questions_are_steps_with_the_answer_and_the_way_to_repeat_them(tmp_path: Path) -> None:
    """The evidence of a check is read where its result is read."""
    outcome = an_unknown(observations=("41-1", "41-2"))
    view = a_view(outcome, observations=[an_observation(), a_refused_connection()])

    steps = results(view, tmp_path)[outcome.check]["steps"]

    assert [(step["name"], step["status"]) for step in steps] == [
        ("api: GET /health", "passed"),
        ("cache: INFO memory", "broken"),
    ]
    commands = [parameter for step in steps for parameter in step["parameters"]]
    assert commands == [
        {"name": "by hand", "value": "curl -sS http://10.0.0.5:8080/health"},
        {"name": "by hand", "value": "redis-cli -u redis://10.0.0.7:6379/0 INFO memory"},
    ]
    sources = [attachment["source"] for step in steps for attachment in step["attachments"]]
    answers = [json.loads((tmp_path / source).read_text(encoding="utf-8")) for source in sources]
    assert answers[0]["status"] == 200
    assert answers[1]["no answer"] == "no connection"


def test_no_attachment_is_opened_as_a_page(tmp_path: Path) -> None:
    """HTML from a target must never run in the reader's browser."""
    run, observations = a_bad_night()

    found = results(View.of(run, observations), tmp_path)

    types = {
        attachment["type"]
        for result in found.values()
        for item in (result, *result.get("steps", []))
        for attachment in item.get("attachments", [])
    }
    assert types == {"text/plain", "application/json"}


def test_the_environment_names_addresses_and_the_version_seen() -> None:
    """Which environment was it, and which release, is the first page of the report."""
    release = ReleaseFact(expected="1.4.2", seen={"1.4.1": 1})

    lines = _environment(a_view(an_outcome(), profiles=[a_profile(release=release)])).splitlines()

    assert "verdict = PASS" in lines
    assert "version = 1.4.1\\ (1),\\ expected\\ 1.4.2" in lines
    assert "cache = redis\\://10.0.0.7\\:6379/0" in lines


@given(nasty_text)
def test_the_description_shows_text_from_targets_as_text(nasty: str) -> None:
    """Allure renders the description as Markdown."""
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(
        _description(a_failure(where=nasty, next_step=nasty))
    )

    kinds = {child.type for token in tokens for child in token.children or []}
    assert {token.type for token in tokens} == {"paragraph_open", "inline", "paragraph_close"}
    assert kinds <= {"text", "strong_open", "strong_close"}
