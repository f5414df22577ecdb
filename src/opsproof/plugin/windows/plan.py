"""What kind of window the operator asks for."""

from dataclasses import dataclass
from typing import Any

import pytest

from opsproof.profile.scalars import duration_text, seconds

LEAST_INTERVAL = 0.2
_USUAL_INTERVAL = 10.0
_USUAL_INTERVAL_WAITING = 2.0
_DEADLINE_IN_STRETCHES = 6
_SAMPLES_IN_A_STRETCH = 10
_LOOKS_WHILE_WAITING = 5

HELP = {
    "stable-for": "recovery: sample the read-only checks until all were green, unbroken, for so long (5m)",
    "interval": "from one sample to the next (default: 10s, or a tenth of --stable-for; with --wait-ready 2s)",
    "deadline": "with --stable-for: give up after so long (default: six times --stable-for)",
    "wait-ready": "after a deploy: sample the read-only checks until all are green at once, for at most so long (120s)",
}


@dataclass(frozen=True)
class WindowPlan:
    """
    How long to look, and how often. All in seconds.

    Attributes:
        stable_for: How long all checks must be healthy, unbroken; 0 if it is enough that they are, once.
        interval: From one sample of a check to the next.
        deadline: When to give up.
    """

    stable_for: float
    interval: float
    deadline: float

    @property
    def waits(self) -> bool:
        """True if the run only waits until the system is ready."""
        return self.stable_for == 0

    @property
    def longest_pause(self) -> float:
        """Between two samples of a check; more is a gap, since at least one sample was missed."""
        return 2 * self.interval + 0.5


def add_window_options(group: pytest.OptionGroup) -> None:
    """Add the options of windows."""
    for name, metavar in (("stable-for", "TIME"), ("interval", "TIME"), ("deadline", "TIME"), ("wait-ready", "TIME")):
        group.addoption(f"--{name}", metavar=metavar, help=HELP[name])


def read_plan(option: Any) -> WindowPlan | None:
    """
    The window that the options ask for; None if they ask for none.

    Args:
        option: pytest's `config.option`.

    Raises:
        pytest.UsageError: The options contradict each other, or what must be sampled cannot be.
    """
    stable_for, wait = _given(option, "stable_for"), _given(option, "wait_ready")
    interval, deadline = _given(option, "interval"), _given(option, "deadline")
    if stable_for is None and wait is None:
        for name, value in (("--interval", interval), ("--deadline", deadline)):
            if value is not None:
                raise pytest.UsageError(f"{name} says nothing alone\n  next: add --stable-for 5m, or --wait-ready 120s")
        return None
    if stable_for is not None and wait is not None:
        raise pytest.UsageError(
            "--stable-for and --wait-ready are two windows\n  next: give one; --wait-ready ends with the first green"
        )
    if wait is not None and deadline is not None:
        raise pytest.UsageError("--wait-ready is a deadline already\n  next: leave --deadline out")
    _must_be_alone(option, "--wait-ready" if stable_for is None else "--stable-for")
    if stable_for is None:
        patience = wait or 0.0
        usual = max(LEAST_INTERVAL, min(_USUAL_INTERVAL_WAITING, patience / _LOOKS_WHILE_WAITING))
        plan = WindowPlan(0.0, interval or usual, patience)
    else:
        usual = max(LEAST_INTERVAL, min(_USUAL_INTERVAL, stable_for / _SAMPLES_IN_A_STRETCH))
        plan = WindowPlan(stable_for, interval or usual, deadline or _DEADLINE_IN_STRETCHES * stable_for)
    if plan.interval < LEAST_INTERVAL:
        raise pytest.UsageError(
            f"--interval {duration_text(plan.interval)} asks too often\n"
            f"  next: at least {duration_text(LEAST_INTERVAL)}; the gate must not be what takes a sick system down"
        )
    if plan.deadline < plan.stable_for + 2 * plan.interval:
        aim = f"stretch of {duration_text(plan.stable_for)}" if plan.stable_for else "second look"
        raise pytest.UsageError(
            f"no {aim} with samples {duration_text(plan.interval)} apart fits into {duration_text(plan.deadline)}\n"
            "  next: more time (--deadline, --wait-ready), a shorter stretch, or a shorter --interval"
        )
    if plan.stable_for and plan.interval > plan.stable_for / 2:
        raise pytest.UsageError(
            f"--interval {duration_text(plan.interval)} sees a stretch of {duration_text(plan.stable_for)} only at its "
            "ends\n  next: an interval of at most half of it, better a tenth"
        )
    return plan


def _given(option: Any, name: str) -> float | None:
    text: str | None = getattr(option, name)
    if text is None:
        return None
    flag = f"--{name.replace('_', '-')}"
    try:
        value = seconds(text)
    except ValueError as exc:
        raise pytest.UsageError(f"{flag} {text}: {exc}\n  next: write {flag} 5m") from None
    if value <= 0:
        raise pytest.UsageError(f"{flag} {text} is no time\n  next: write {flag} 5m")
    return value


def _must_be_alone(option: Any, flag: str) -> None:
    processes = bool(getattr(option, "tx", None) or getattr(option, "numprocesses", None))
    beside = (
        ("-n", processes, "one process must see the stretch as it passes"),
        ("--replay", option.replay is not None, "a replay asks nothing"),
        ("--resume", option.resume is not None, "what is taken over would not be seen during the stretch"),
        ("--pdb", option.usepdb or option.trace, "while somebody debugs, nothing is sampled"),
        ("--setup-plan", option.setuponly or option.setupplan, "no check would be told what was sampled"),
    )
    for other, given, why in beside:
        if given:
            raise pytest.UsageError(f"{flag} cannot go with {other}: {why}\n  next: leave {other} out")
