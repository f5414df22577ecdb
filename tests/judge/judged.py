"""Builders: an outcome that is only what a test says of it."""

from datetime import UTC, datetime

from opsproof.judge.outcome import Cause, Outcome, Status
from opsproof.profile.models import Policy, Waiver

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PROFILE = "demo/local"


def an_outcome(name: str = "health.alive", **changes: object) -> Outcome:
    """A pass that got an answer from `api`; every attribute can be said otherwise."""
    profile = str(changes.get("profile", PROFILE))
    status = changes.get("status", Status.PASSED)
    facts: dict[str, object] = {
        "check": f"{name}[{profile}]",
        "name": name,
        "profile": profile,
        "title": "It is alive.",
        "severity": "SEV-1",
        "runbook": ("DEMO-1",),
        "status": status,
        "cause": None if status is Status.PASSED else Cause.TARGET_WRONG,
        "answered": ("api",),
        "started": NOW,
        "duration": 0.1,
    }
    return Outcome.model_validate(facts | changes)


def failed(name: str = "health.alive", **changes: object) -> Outcome:
    """The target is wrong."""
    return an_outcome(name, **{"status": Status.FAILED, "message": "it is wrong"} | changes)


def unknown(name: str = "health.alive", **changes: object) -> Outcome:
    """It could not be measured."""
    facts = {"status": Status.UNKNOWN, "cause": Cause.UNREACHABLE, "answered": (), "target": "api"}
    return an_outcome(name, **facts | {"message": "connection refused"} | changes)


def skipped(name: str = "health.alive", **changes: object) -> Outcome:
    """It does not apply."""
    facts = {"status": Status.SKIPPED, "cause": Cause.DOES_NOT_APPLY, "answered": ()}
    return an_outcome(name, **facts | {"message": "no target"} | changes)


def a_policy(**changes: object) -> Policy:
    """The policy of a profile."""
    return Policy.model_validate(changes)


def a_waiver(**changes: object) -> Waiver:
    """A waiver for `health.alive` until the end of the year."""
    facts = {"check": "health.alive", "owner": "kim", "reason": "known", "until": "2026-12-31"}
    return Waiver.model_validate(facts | changes)
