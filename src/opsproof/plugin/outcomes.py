"""From what pytest saw to an outcome."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsproof import errors
from opsproof.evidence.observation import Observation
from opsproof.evidence.redaction import Redactor
from opsproof.judge.limits import State
from opsproof.judge.outcome import Cause, Outcome, Status
from opsproof.judge.waivers import waive
from opsproof.plugin.applying import NotAllowed
from opsproof.plugin.attester import attested_fact
from opsproof.plugin.check import Check
from opsproof.plugin.conduct import Conducted
from opsproof.plugin.symptoms import statuses, unwell
from opsproof.profile.indicators import SEVERITY_OF, Priority
from opsproof.profile.models import Profile
from opsproof.report.text import printable

_CAUSES: dict[type[BaseException], Cause] = {
    errors.Unreachable: Cause.UNREACHABLE,
    errors.TimedOut: Cause.TIMED_OUT,
    errors.BadAnswer: Cause.BAD_ANSWER,
    errors.PreconditionMissing: Cause.PRECONDITION_MISSING,
    errors.NoData: Cause.NO_DATA,
    errors.NotAttested: Cause.NOT_ATTESTED,
}
_VERIFIED = {
    "content": frozenset[Cause](),
    "answer": frozenset({Cause.TIMED_OUT, Cause.BAD_ANSWER, Cause.NO_DATA}),
    "reach": frozenset({Cause.TIMED_OUT, Cause.BAD_ANSWER, Cause.NO_DATA, Cause.UNREACHABLE}),
    "attestation": frozenset[Cause](),
}
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
BROKEN_NEXT = "The check itself is broken; read the traceback in the report and mend the check."


def outcome_of(
    check: Check,
    excinfo: pytest.ExceptionInfo[BaseException] | None,
    conducted: Conducted | None,
    *,
    details: str,
    redactor: Redactor,
    profile: Profile,
) -> Outcome:
    """
    What became of a check.

    Args:
        check: The check.
        excinfo: How it ended, if not well.
        conducted: What it saw; None if it never began.
        details: Assertion and traceback, as pytest tells them.
        redactor: Masks what is kept.
        profile: The one that it ran against.
    """
    status, cause = _judge(check, excinfo)
    message, where, next_step, target = _words(check, excinfo, cause)
    seen: tuple[Observation, ...] = tuple(conducted.recorder.observations) if conducted else ()
    judgement = conducted.judgement if conducted else None
    priority = judgement.priority if judgement else _priority(check, status, profile)
    now = datetime.now(UTC)
    outcome = Outcome(
        check=check.id,
        name=check.name,
        profile=check.profile,
        title=check.title,
        severity=judgement.severity if judgement and status is Status.FAILED else check.card.severity,
        priority=priority,
        channels=profile.policy.channels.get(priority, ()) if priority else (),
        value=judgement.value if judgement else None,
        unit=judgement.unit if judgement else "",
        over=judgement.over if judgement else None,
        between=judgement is not None and judgement.state is State.BETWEEN,
        normal=judgement.normal if judgement else None,
        runbook=check.card.rows,
        markers=check.markers,
        status=status,
        cause=cause,
        message=readable(message, redactor),
        where=readable(where or _question(conducted.recorder.telling if conducted else None), redactor),
        next_step=readable(next_step, redactor),
        target=target,
        observations=tuple(observation.id for observation in seen),
        telling=conducted.recorder.telling.id if conducted and conducted.recorder.telling else "",
        answered=tuple(dict.fromkeys(o.target for o in seen if o.failure is None)),
        statuses=statuses(seen, profile),
        unwell=unwell(seen, profile),
        started=conducted.started if conducted else now,
        duration=round(conducted.duration, 6) if conducted else 0.0,
        output=readable(conducted.recorder.output.getvalue(), redactor) if conducted else "",
        details="" if status is Status.PASSED else readable(details, redactor),
        attested=attested_fact(seen) if check.attested and status in (Status.PASSED, Status.FAILED) else None,
    )
    return waive(outcome, profile.policy.waivers, now)


def excinfo_of(error: BaseException | None) -> pytest.ExceptionInfo[BaseException] | None:
    """How a check ended that pytest did not see end; also of an error that nobody has raised (a missed deadline)."""
    if error is None:
        return None
    try:
        raise error
    except BaseException as raised:  # noqa: BLE001 - an interrupt, too, is only told of here
        return pytest.ExceptionInfo.from_exception(raised)


def readable(text: str, redactor: Redactor) -> str:
    """Without pytest's colours, which would hide a secret from the redactor, and with nothing else that acts."""
    return printable(redactor.text(_COLOUR.sub("", text)))


def _priority(check: Check, status: Status, profile: Profile) -> Priority | None:
    """How soon somebody must act on a check that failed, where the profile's runbook acts by priorities."""
    if status is not Status.FAILED or not profile.policy.channels or check.indicator:
        return None
    return next((priority for priority, severity in SEVERITY_OF.items() if severity == check.card.severity), None)


def _judge(check: Check, excinfo: pytest.ExceptionInfo[BaseException] | None) -> tuple[Status, Cause | None]:
    if excinfo is None:
        return Status.PASSED, None
    error = excinfo.value
    if isinstance(error, NotAllowed):
        return Status.SKIPPED, Cause.NOT_ALLOWED
    if isinstance(error, pytest.skip.Exception):
        return Status.SKIPPED, Cause.DOES_NOT_APPLY
    if isinstance(error, (AssertionError, pytest.fail.Exception)):
        return Status.FAILED, Cause.TARGET_WRONG
    if isinstance(error, (KeyboardInterrupt, pytest.exit.Exception)):
        return Status.UNKNOWN, Cause.INTERRUPTED
    cause = _CAUSES.get(type(error), Cause.CHECK_BROKEN)
    return (Status.FAILED if cause in _VERIFIED[check.card.verifies] else Status.UNKNOWN), cause


def _words(
    check: Check, excinfo: pytest.ExceptionInfo[BaseException] | None, cause: Cause | None
) -> tuple[str, str, str, str]:
    """Message, where, next step and target; an error that knows its own next step wins over the check's."""
    if excinfo is None:
        return "", "", "", ""
    error = excinfo.value
    if isinstance(error, errors.OpsproofError):
        return error.what, error.where, error.next_step, getattr(error, "target", "")
    if isinstance(error, pytest.skip.Exception):
        return str(error.msg), "", getattr(error, "next_step", ""), ""
    if cause is Cause.CHECK_BROKEN:
        crash = excinfo.traceback[-1]
        return excinfo.exconly(), f"{Path(crash.path).name}:{crash.lineno + 1}", BROKEN_NEXT, ""
    if cause is Cause.INTERRUPTED:
        return "interrupted before it had an answer", "", "Run it again.", ""
    return _said(str(error)) or excinfo.exconly(), "", check.card.next_step, ""


def _said(text: str) -> str:
    """What a failed assertion says: the check's own words if it has some, else pytest's explanation."""
    words, explained, _ = text.partition("\nassert ")
    return words if explained else text


def _question(telling: Observation | None) -> str:
    return f"{telling.question} of {telling.target}" if telling else ""
