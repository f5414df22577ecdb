"""junit.xml, as GitLab, Jenkins and the reporters of GitHub Actions read it."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from nasty_text import nasty_text
from report_builders import (
    a_bad_night,
    a_failure,
    a_profile,
    a_run,
    a_view,
    a_waiver,
    an_observation,
    an_outcome,
    an_unknown,
)

from opsproof.judge.outcome import Cause, Outcome, Status
from opsproof.judge.verdict import Word
from opsproof.report.junit import junit
from opsproof.report.view import View

SKIPPED = an_outcome(status=Status.SKIPPED, cause=Cause.DOES_NOT_APPLY, message="no target metrics")


def parsed(view: View) -> ET.Element:
    return ET.fromstring(junit(view))


def case(view: View, name: str) -> ET.Element:
    return next(case for case in parsed(view).iter("testcase") if name in case.get("name", ""))


@pytest.mark.parametrize(
    ("outcome", "element", "type_", "words"),
    [
        pytest.param(a_failure(), "failure", "target wrong", "revision 0006", id="failed"),
        pytest.param(an_unknown(), "error", "unreachable", "no connection", id="unknown"),
        pytest.param(SKIPPED, "skipped", "does not apply", "no target metrics", id="skipped"),
        pytest.param(
            a_failure(status=Status.WAIVED, waiver=a_waiver()),
            "skipped",
            "target wrong",
            "waived by kim until 2026-05-26 18:30 UTC: OPS-77 (revision 0006",
            id="waived",
        ),
        pytest.param(
            a_failure(severity="SEV-3"),
            "skipped",
            "target wrong",
            "warning, SEV-3 is below fail_on: failed, revision 0006",
            id="failed-below-fail_on",
        ),
        pytest.param(an_unknown(severity="SEV-3"), "skipped", "unreachable", "warning, SEV-3", id="unknown-below"),
        pytest.param(
            a_failure(severity="SEV-3", waiver=a_waiver(expired=True)),
            "failure",
            "target wrong",
            "revision",
            id="waiver-expired",
        ),
    ],
)
def test_each_status_has_its_element(outcome: Outcome, element: str, type_: str, words: str) -> None:
    """The CI colours the check by the element."""
    found = case(a_view(an_outcome("other.check"), outcome), outcome.name.partition(".")[2])

    marks = [child for child in found if child.tag in ("failure", "error", "skipped")]
    assert [mark.tag for mark in marks] == [element]
    assert marks[0].get("type") == type_
    assert words in marks[0].get("message", "")


@pytest.mark.parametrize(
    ("outcomes", "word"),
    [
        pytest.param([an_outcome()], Word.PASS, id="passed"),
        pytest.param([an_outcome(), SKIPPED.model_copy(update={"check": "b"})], Word.PASS, id="passed-and-skipped"),
        pytest.param([an_outcome(), a_failure(severity="SEV-3")], Word.PASS, id="warning"),
        pytest.param([an_outcome(), a_failure(status=Status.WAIVED, waiver=a_waiver())], Word.PASS, id="waived"),
        pytest.param([an_outcome(), a_failure()], Word.FAIL, id="failed"),
        pytest.param([an_outcome(), an_unknown()], Word.INCONCLUSIVE, id="unknown"),
        pytest.param([], Word.INCONCLUSIVE, id="nothing-ran"),
        pytest.param([SKIPPED], Word.INCONCLUSIVE, id="all-skipped"),
    ],
)
def test_a_ci_that_reads_only_junit_agrees_with_the_verdict(outcomes: list[Outcome], word: Word) -> None:
    """A green page over an INCONCLUSIVE gate would let the release through."""
    view = a_view(*outcomes)

    root = parsed(view)

    assert view.run.verdict.word is word
    bad = int(root.get("failures", "")) + int(root.get("errors", ""))
    assert (bad == 0) is (word is Word.PASS)
    mark = case(view, "verdict").find("failure" if word is Word.FAIL else "error")
    assert (mark is None) is (word is Word.PASS)


def test_the_numbers_of_a_testsuite_are_those_of_its_testcases() -> None:
    """Readers show the attributes, not what they count."""
    root = parsed(View.of(*a_bad_night()))

    assert [suite.get("name") for suite in root] == ["ingest/staging", "evaluation/staging", "opsproof"]
    for suite in root:
        for attribute, path in (("tests", "*"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            counted = suite.findall("testcase") if path == "*" else suite.findall(f"testcase/{path}")
            assert int(suite.get(attribute, "")) == len(counted)
    for attribute in ("tests", "failures", "errors"):
        assert int(root.get(attribute, "")) == sum(int(suite.get(attribute, "")) for suite in root)


def test_a_testcase_carries_what_an_operator_needs() -> None:
    """In GitLab and Jenkins this is all that can be opened."""
    view = a_view(a_failure(observations=("41-1",), output="printed"), observations=[an_observation()])

    found = case(view, "migrations_are_at_head")

    properties = {element.get("name"): element.get("value") for element in found.iter("property")}
    assert properties["runbook"] == "ING-031"
    assert properties["severity"] == "SEV-2"
    assert properties["cause"] == "target wrong"
    assert found.get("classname") == "ingest/staging.database"
    told = found.findtext("failure", "")
    assert "next: Run `alembic upgrade head`" in told
    assert "assert '0006' == '0007'" in told
    out = found.findtext("system-out", "")
    assert "asked: api, GET /health (50 ms)" in out
    assert "by hand: curl -sS http://10.0.0.5:8080/health" in out
    assert out.endswith("printed")


def test_names_stay_the_same_from_run_to_run() -> None:
    """Trends and flaky marks hang on class and name."""
    first, second = (
        [
            (c.get("classname"), c.get("name"))
            for c in parsed(a_view(an_outcome(), a_failure(), id=id_)).iter("testcase")
        ]
        for id_ in ("aaaa", "bbbb")
    )

    assert first == second
    assert len(set(first)) == len(first)


# What the readers know: Jenkins' xUnit schema, GitLab's and GitHub's reporters; a testcase's properties as by pytest.
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"properties", "testcase"},
    "testcase": {"properties", "failure", "error", "skipped", "system-out"},
    "properties": {"property"},
}
ATTRIBUTES = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {"name", "time", "tests", "failures", "errors", "skipped", "timestamp"},
    "testcase": {"name", "classname", "time"},
    "property": {"name", "value"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"type", "message"},
}


@given(nasty_text)
def test_the_file_is_well_formed_whatever_a_target_answers(nasty: str) -> None:
    """One control character makes a CI drop the whole report, red checks and all."""
    outcomes = [
        an_outcome(output=nasty, title=nasty),
        a_failure(message=nasty, next_step=nasty, where=nasty, details=nasty, observations=("41-1",)),
        an_unknown("api.a", target="", cause=Cause.NO_DATA, message=nasty),
    ]
    run = a_run(outcomes, [a_profile()], notes=(nasty,))

    root = parsed(View.of(run, [an_observation(question=nasty, by_hand=nasty, answer={"body": nasty})]))

    for element in root.iter():
        assert {child.tag for child in element} <= CHILDREN.get(element.tag, set())
        assert set(element.attrib) <= ATTRIBUTES.get(element.tag, set())
    assert "[[ATTACHMENT|" not in "".join(root.itertext())
