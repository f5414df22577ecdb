"""
junit.xml, for a CI that reads nothing else (docs/ci.md tells how each status is written).

The form is the one that GitLab, Jenkins and the test reporters of GitHub Actions read, and that pytest writes:
testsuites, one testsuite a profile, testcase with properties, failure, error or skipped, system-out. A last testsuite
`opsproof` holds one testcase, `verdict`, so that such a CI is green exactly when the verdict is PASS.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from opsproof.judge.outcome import Outcome, Status
from opsproof.judge.verdict import Word
from opsproof.report.baseline import standing_text, which
from opsproof.report.text import one_line, printable, shortened
from opsproof.report.view import View, confirmed_text, seconds_text
from opsproof.report.words import words as words_of

_SAID = words_of("en")
_FAULT_ELEMENT = {Status.FAILED: "failure", Status.UNKNOWN: "error"}


def junit(view: View) -> bytes:
    """
    The run as JUnit XML, in UTF-8.

    Args:
        view: The run, redacted, and its evidence.
    """
    root = ET.Element("testsuites", name="opsproof")
    for name, profile in view.run.profiles.items():
        outcomes = view.of_profile(name)
        suite = ET.SubElement(root, "testsuite", name=one_line(name))
        release = profile.release
        _add_properties(
            suite,
            {
                "environment": profile.environment,
                "system": profile.system,
                "fail_on": profile.fail_on,
                "version.expected": (release.expected or "") if release else "",
                "version.seen": ", ".join(release.seen) if release else "",
            },
        )
        for outcome in outcomes:
            _add_case(suite, outcome, view)
        _count(suite, sum(outcome.duration for outcome in outcomes))
        suite.set("timestamp", _utc(min((outcome.started for outcome in outcomes), default=view.run.started)))
    _add_verdict(root, view)
    for number in ("tests", "failures", "errors"):
        root.set(number, str(sum(int(suite.get(number, "0")) for suite in root)))
    root.set("time", f"{(view.run.finished - view.run.started).total_seconds():.3f}")
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def _add_case(suite: ET.Element, outcome: Outcome, view: View) -> None:
    subject, _, rest = outcome.check.partition(".")
    case = ET.SubElement(
        suite,
        "testcase",
        classname=one_line(f"{outcome.profile}.{subject}"),
        name=one_line(rest or subject),
        time=f"{outcome.duration:.3f}",
    )
    _add_properties(
        case,
        {
            "runbook": ", ".join(outcome.runbook),
            "severity": outcome.severity,
            "cause": outcome.cause or "",
            "status": outcome.status,
            "baseline": _standing(outcome, view),
            "title": outcome.title,
            "markers": ", ".join(outcome.markers),
            "attested": confirmed_text(outcome.attested) if outcome.attested else "",
            "taken_over": outcome.taken_over,
        },
    )
    words = one_line(outcome.message)
    if view.counts(outcome):
        fault = ET.SubElement(case, _FAULT_ELEMENT[outcome.status], type=outcome.cause or "", message=_cut(words))
        fault.text = _text(
            (
                outcome.message,
                f"baseline: {_standing(outcome, view)}" if _standing(outcome, view) else "",
                f"where: {outcome.where}" if outcome.where else "",
                f"next: {outcome.next_step}" if outcome.next_step else "",
                f"runbook: {', '.join(outcome.runbook)}" if outcome.runbook else "",
                outcome.details,
            )
        )
    elif outcome.status is not Status.PASSED:
        ET.SubElement(case, "skipped", type=outcome.cause or "", message=_cut(_why_not(outcome, words)))
    if told := _text((*_questions(outcome, view), outcome.output)):
        ET.SubElement(case, "system-out").text = told


def _why_not(outcome: Outcome, words: str) -> str:
    """Why an outcome that is no pass does not fail the pipeline."""
    if outcome.status is Status.WAIVED and outcome.waiver:
        waiver = outcome.waiver
        return f"waived by {waiver.owner} until {waiver.until:%Y-%m-%d %H:%M %Z}: {waiver.reason} ({words})"
    if outcome.status in _FAULT_ELEMENT:
        return f"warning, {outcome.severity} is below fail_on: {outcome.status}, {words}; next: {outcome.next_step}"
    return words


def _standing(outcome: Outcome, view: View) -> str:
    """Whether it is new: `new`, `there before`, `not known if new`; "" without a baseline."""
    return standing_text(view.run, [outcome], _SAID).lower()


def _questions(outcome: Outcome, view: View) -> Iterable[str]:
    for observation in view.asked(outcome):
        failure = observation.failure
        answer = f"no answer: {failure.what}" if failure else json.dumps(observation.answer, ensure_ascii=False)
        asked = f"{observation.target}, {observation.question} ({seconds_text(observation.duration)})"
        yield f"asked: {asked}\n  seen: {shortened(one_line(answer), 500)}\n  by hand: {observation.by_hand}"


def _add_verdict(root: ET.Element, view: View) -> None:
    run = view.run
    suite = ET.SubElement(root, "testsuite", name="opsproof")
    baseline = which(run.baseline, _SAID) if run.baseline else ""
    facts = {"run": run.id, "opsproof": run.opsproof, "selection": run.selection, "baseline": baseline}
    _add_properties(suite, facts)
    case = ET.SubElement(suite, "testcase", classname="opsproof", name="verdict", time="0.000")
    if run.verdict.word is not Word.PASS:
        element = "failure" if run.verdict.word is Word.FAIL else "error"
        message = _cut(f"{run.verdict.word}: {'; '.join(run.verdict.reasons)}")
        fault = ET.SubElement(case, element, type=run.verdict.word, message=one_line(message))
        fault.text = _text(run.verdict.reasons)
    elif run.verdict.reasons:
        ET.SubElement(case, "system-out").text = _text(run.verdict.reasons)
    _count(suite, 0.0)
    suite.set("timestamp", _utc(run.started))


def _count(suite: ET.Element, seconds: float) -> None:
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for attribute, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(case.find(element) is not None for case in cases)))
    suite.set("time", f"{seconds:.3f}")


def _add_properties(parent: ET.Element, properties: Mapping[str, str]) -> None:
    if known := {name: value for name, value in properties.items() if value}:
        element = ET.SubElement(parent, "properties")
        for name, value in known.items():
            ET.SubElement(element, "property", name=name, value=one_line(value))


def _utc(time: datetime) -> str:
    """Readers take a time without zone."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _cut(text: str) -> str:
    return shortened(one_line(text), 1000)


def _text(parts: Iterable[str]) -> str:
    """Parts that are not empty, a line each. `[[ATTACHMENT|...]]` would make Jenkins and GitLab fetch a file."""
    return "\n".join(printable(part) for part in parts if part).replace("[[ATTACHMENT|", "[[ATTACHMENT |")
