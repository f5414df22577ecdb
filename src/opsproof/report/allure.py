"""allure-results: the run for Allure (2 and 3), one test result a check, its questions as steps."""

import json
from datetime import datetime
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from opsproof.evidence.observation import Observation
from opsproof.judge.outcome import Cause, Outcome, Status
from opsproof.report.baseline import standing_text, which
from opsproof.report.benchmarks.parts import benchmark_files, run_parts
from opsproof.report.canaries.parts import VERDICT_FILE, canary_parts, picture_name
from opsproof.report.markdown import prose
from opsproof.report.text import one_line, printable
from opsproof.report.view import View, confirmed_text
from opsproof.report.words import release_text, words

if TYPE_CHECKING:
    from allure_commons.model2 import StatusDetails, TestResult, TestStepResult

_STATUS = {
    Status.PASSED: "passed",
    Status.FAILED: "failed",
    Status.UNKNOWN: "broken",
    Status.SKIPPED: "skipped",
    Status.WAIVED: "skipped",
}
_SEVERITY = {"SEV-1": "blocker", "SEV-2": "critical", "SEV-3": "normal"}
_CATEGORIES = {
    Cause.TARGET_WRONG: "Target wrong",
    Cause.UNREACHABLE: "Target unreachable",
    Cause.TIMED_OUT: "Timed out",
    Cause.BAD_ANSWER: "Bad answer",
    Cause.PRECONDITION_MISSING: "Precondition missing",
    Cause.NO_DATA: "No data",
    Cause.NOT_ATTESTED: "Not attested",
    Cause.CHECK_BROKEN: "Check broken",
    Cause.INTERRUPTED: "Interrupted",
}


_CANARY, _LOAD = "canary_criteria", "load"
"""Mark the checks that watch a canary, and those of a benchmark."""
_TYPES = {".svg": "image/svg+xml", ".json": "application/json", ".html": "text/html"}


def write_allure(view: View, folder: Path, runbook_url: str) -> None:
    """
    Write the results of a run.

    Args:
        view: The run, redacted, and its evidence.
        folder: Where to; made if it is not there.
        runbook_url: Where a row of a runbook is read; `{system}` and `{row}` are filled in. Empty: no links.

    Raises:
        OSError: A file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for observation in view.observations.values():
        (folder / _attachment(observation)).write_text(_answer(observation), encoding="utf-8")
    for name, text in {**canary_parts(view.run), **run_parts(view.run)}.items():
        (folder / _document(name, view)).write_text(text, encoding="utf-8")
    for outcome in view.run.outcomes:
        result = _result(outcome, view, runbook_url)
        if outcome.output:
            (folder / _output(result)).write_text(printable(outcome.output), encoding="utf-8")
        (folder / f"{result.uuid}-result.json").write_text(_to_json(result), encoding="utf-8")
    (folder / "environment.properties").write_text(_environment(view), encoding="utf-8")
    (folder / "categories.json").write_text(json.dumps(categories(), indent=2), encoding="utf-8")


def categories() -> list[dict[str, Any]]:
    """
    Allure's categories: one for each cause, and one for what is waived.

    Returns:
        The content of `categories.json`; Allure 3 reads the same rules from its configuration file.
    """
    by_cause = [
        {"name": name, "messageRegex": rf"^{cause.value}: [\s\S]*", "matchedStatuses": ["failed", "broken"]}
        for cause, name in _CATEGORIES.items()
    ]
    waived = {"name": "Waived", "messageRegex": r"^waived by [\s\S]*", "matchedStatuses": ["skipped"]}
    return [*by_cause, waived]


def _result(outcome: Outcome, view: View, runbook_url: str) -> "TestResult":
    from allure_commons.model2 import Attachment, Link, Parameter, TestResult

    start = _milliseconds(outcome.started)
    check_id = md5(outcome.check.encode(), usedforsecurity=False).hexdigest()
    result = TestResult(
        uuid=str(uuid5(NAMESPACE_URL, f"{view.run.id}/{outcome.check}")),
        historyId=check_id,
        testCaseId=check_id,
        fullName=one_line(outcome.check),
        name=one_line(outcome.check),
        description=_description(outcome),
        status=_STATUS[outcome.status],
        statusDetails=_status_details(outcome, view),
        stage="finished",
        start=start,
        stop=start + round(outcome.duration * 1000),
        labels=_labels(outcome, view),
        links=[Link(type="link", name=row, url=url) for row, url in _links(outcome, view, runbook_url)],
        parameters=[Parameter(name="profile", value=one_line(outcome.profile))],
        steps=[_step(observation) for observation in view.asked(outcome)],
    )
    if outcome.output:
        result.attachments.append(Attachment(name="output", source=_output(result), type="text/plain"))
    result.attachments += [
        Attachment(name=name, source=_document(name, view), type=_TYPES[Path(name).suffix])
        for name in (*_of_canary(outcome, view), *_of_benchmark(outcome, view))
    ]
    return result


def _of_canary(outcome: Outcome, view: View) -> list[str]:
    """The verdict and the picture, for the check that watched the canary."""
    if _CANARY not in outcome.markers:
        return []
    pictures = [picture_name(n) for n, fact in enumerate(view.run.canaries) if fact.profile == outcome.profile]
    return [*pictures, VERDICT_FILE] if pictures else []


def _of_benchmark(outcome: Outcome, view: View) -> list[str]:
    """The page and the numbers, for the checks of the benchmark."""
    if _LOAD not in outcome.markers:
        return []
    own = [number for number, fact in enumerate(view.run.benchmarks) if fact.profile == outcome.profile]
    return [name for number in own for name in benchmark_files(number)]


def _document(name: str, view: View) -> str:
    return f"{uuid5(NAMESPACE_URL, f'{view.run.id}/{name}')}-attachment{Path(name).suffix}"


def _output(result: "TestResult") -> str:
    return f"{result.uuid}-attachment.txt"


def _to_json(result: "TestResult") -> str:
    """As AllureFileLogger writes it, which takes twice the time: empty fields are left out."""
    from attr import asdict

    return json.dumps(asdict(result, filter=lambda _, value: bool(value) or value is False), ensure_ascii=False)


def _links(outcome: Outcome, view: View, runbook_url: str) -> list[tuple[str, str]]:
    system = view.run.profiles[outcome.profile].system
    return [(row, runbook_url.format(system=system, row=row)) for row in outcome.runbook if runbook_url]


def _labels(outcome: Outcome, view: View) -> list[Any]:
    from allure_commons.model2 import Label

    pairs = [
        ("parentSuite", outcome.profile),
        ("suite", outcome.name.partition(".")[0]),
        ("severity", _SEVERITY[outcome.severity]),
        ("framework", "opsproof"),
        *(("runbook", row) for row in outcome.runbook),
        *(("tag", marker) for marker in outcome.markers),
        *(("tag", word) for word in _standing(outcome, view)),
    ]
    return [Label(name=name, value=one_line(value)) for name, value in pairs]


def _standing(outcome: Outcome, view: View) -> tuple[str, ...]:
    """Whether it is new, against a baseline."""
    word = standing_text(view.run, [outcome], words("en"))
    return (word.lower(),) if word else ()


def _description(outcome: Outcome) -> str:
    """Markdown, which Allure renders: text from targets is escaped."""
    facts = (
        ("Promise", outcome.title),
        ("Where", outcome.where),
        ("Next step", outcome.next_step),
        ("Runbook", ", ".join(outcome.runbook)),
        ("Severity", outcome.severity),
        ("Confirmed by", confirmed_text(outcome.attested) if outcome.attested else ""),
        ("Taken over from run", outcome.taken_over),
    )
    return "\n\n".join(f"**{name}:** {prose(text, 2000)}" for name, text in facts if text)


def _status_details(outcome: Outcome, view: View) -> "StatusDetails":
    from allure_commons.model2 import StatusDetails

    message = printable(outcome.message)
    waiver = outcome.waiver
    if outcome.cause is not None:
        message = f"{outcome.cause}: {message}"
    if outcome.status is Status.WAIVED and waiver:
        message = f"waived by {one_line(waiver.owner)} until {waiver.until:%Y-%m-%d}: {waiver.reason}\n{message}"
    message += "".join(f"\nbaseline: {word}" for word in _standing(outcome, view))
    if outcome.next_step and outcome.status is not Status.PASSED:
        message += f"\nnext: {printable(outcome.next_step)}"
    return StatusDetails(
        message=message or None,
        trace=printable(outcome.details) or None,
        known=outcome.status is Status.WAIVED,
    )


def _step(observation: Observation) -> "TestStepResult":
    from allure_commons.model2 import Attachment, Parameter, StatusDetails, TestStepResult

    start = _milliseconds(observation.started)
    failure = observation.failure
    return TestStepResult(
        name=one_line(f"{observation.target}: {observation.question}"),
        status="broken" if failure else "passed",
        statusDetails=StatusDetails(message=printable(failure.what)) if failure else None,
        stage="finished",
        start=start,
        stop=start + round(observation.duration * 1000),
        parameters=[Parameter(name="by hand", value=one_line(observation.by_hand))],
        attachments=[Attachment(name="answer", source=_attachment(observation), type="application/json")],
    )


def _answer(observation: Observation) -> str:
    answer = observation.answer
    if observation.failure is not None:
        failure = observation.failure
        answer = {"no answer": failure.what, "where": failure.where, "next step": failure.next_step}
    return json.dumps(answer, ensure_ascii=False, indent=2)


def _attachment(observation: Observation) -> str:
    return f"{uuid5(NAMESPACE_URL, observation.id)}-attachment.json"


def _environment(view: View) -> str:
    run = view.run
    facts = {"verdict": run.verdict.word.value, "profile": ", ".join(run.profiles)}
    for name, profile in run.profiles.items():
        of_profile = f" {name}" if len(run.profiles) > 1 else ""
        if profile.release:
            facts[f"version{of_profile}"] = release_text(profile.release, words("en"))
        facts |= {f"{target}{of_profile}": fact.address for target, fact in profile.targets.items()}
    if run.baseline:
        facts["baseline"] = which(run.baseline, words("en"))
    facts |= {"opsproof": run.opsproof, "run": run.id}
    return "".join(f"{_property(key)} = {_property(value)}\n" for key, value in facts.items())


def _property(text: str) -> str:
    """Escaped as a Java properties file wants it."""
    escaped = one_line(text).replace("\\", "\\\\")
    for mark in (" ", ":", "=", "#", "!"):
        escaped = escaped.replace(mark, f"\\{mark}")
    return escaped


def _milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)
