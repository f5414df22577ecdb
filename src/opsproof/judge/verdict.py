"""The verdict of a run (design, section 5): green is earned."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from pydantic import Field

from opsproof.judge.outcome import Fact, Outcome, Status
from opsproof.profile.models import Policy
from opsproof.profile.scalars import SEVERITIES, Severity


class Word(StrEnum):
    """The verdict in one word."""

    PASS = "PASS"  # noqa: S105
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


EXIT_STATUS = {Word.PASS: 0, Word.FAIL: 1, Word.INCONCLUSIVE: 6}


class Verdict(Fact):
    """What the run says, and why."""

    word: Word
    exit_status: int
    reasons: tuple[str, ...] = Field(description="Why it is not a plain PASS; also warnings of a PASS.")


def blocks(severity: Severity, fail_on: Severity) -> bool:
    """True if a failure of this severity stops the gate."""
    return SEVERITIES.index(severity) <= SEVERITIES.index(fail_on)


def required_targets(policy: Policy, markers: Iterable[str] | None) -> tuple[str, ...]:
    """
    Targets that a run must really have checked.

    Args:
        policy: The profile's.
        markers: Markers that the run selected; None if it selected by no marker.
    """
    chosen = policy.require if markers is None else {"any", *markers}
    return tuple(dict.fromkeys(name for key in policy.require if key in chosen for name in policy.require[key]))


def judge(
    outcomes: Iterable[Outcome],
    policies: Mapping[str, Policy],
    *,
    markers: Iterable[str] | None = None,
    gaps: Iterable[str] = (),
    remarks: Iterable[str] = (),
    exit_status: int | None = None,
) -> Verdict:
    """
    Judge a run.

    Args:
        outcomes: All outcomes, waivers applied.
        policies: By profile; every profile that the run was asked to check.
        markers: Markers that the run selected; None if it selected by no marker.
        gaps: What else keeps the run from a PASS, in words: files that could not be read, checks that got lost.
        remarks: What must be known of a PASS, too: that it was waited for.
        exit_status: The exit status of a run that did not come to its end; None if the verdict decides it.
    """
    outcomes = tuple(outcomes)
    failed: list[str] = []
    missing: list[str] = []
    warnings: list[str] = []
    for outcome in outcomes:
        policy = policies[outcome.profile]
        needed = blocks(outcome.severity, policy.fail_on)
        line = f"{outcome.check} ({outcome.severity}) {outcome.status}: {outcome.cause}"
        if outcome.status is Status.FAILED:
            (failed if needed or _expired(outcome) else warnings).append(line)
        elif outcome.status is Status.UNKNOWN:
            (missing if needed else warnings).append(line)
        elif outcome.status is Status.WAIVED and outcome.waiver:
            warnings.append(f"{outcome.check} waived by {outcome.waiver.owner} until {outcome.waiver.until:%Y-%m-%d}")

    chosen = None if markers is None else tuple(markers)
    for profile, policy in policies.items():
        mine = [outcome for outcome in outcomes if outcome.profile == profile]
        if not any(outcome.status in (Status.PASSED, Status.FAILED, Status.WAIVED) for outcome in mine):
            missing.append(f"{profile}: nothing was checked")
            continue
        if not any(outcome.status is Status.PASSED for outcome in mine):
            missing.append(f"{profile}: no check passed")
        checked = {name for o in mine if o.status in (Status.PASSED, Status.FAILED) for name in o.answered}
        if not checked:
            missing.append(f"{profile}: no target answered a check")
        for target in required_targets(policy, chosen):
            if target not in checked:
                missing.append(f"{profile}: the profile requires {target}, and no check got an answer from it")
    missing += gaps
    if not policies:
        missing.append("nothing was checked")

    word = Word.FAIL if failed else Word.INCONCLUSIVE if missing else Word.PASS
    status = EXIT_STATUS[word] if exit_status is None else exit_status
    return Verdict(word=word, exit_status=status, reasons=(*failed, *missing, *remarks, *warnings))


def _expired(outcome: Outcome) -> bool:
    return outcome.waiver is not None and outcome.waiver.expired
