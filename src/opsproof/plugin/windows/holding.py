"""Hold the window of a run, before pytest goes through the checks."""

import time
from collections.abc import Mapping

import pytest

from opsproof.judge.outcome import Outcome
from opsproof.plugin.check import Check
from opsproof.plugin.conduct import CLEAN_UP_LIMIT, Conducted
from opsproof.plugin.gate import Gate
from opsproof.plugin.outcomes import outcome_of
from opsproof.plugin.windows.progress import Progress
from opsproof.plugin.windows.window import TakeSample, Window


def hold(config: pytest.Config, gate: Gate, checks: Mapping[str, tuple[Check, TakeSample]]) -> None:
    """
    Sample the checks until the window of the run has ended.

    Args:
        config: pytest's.
        gate: Open, and asked for a window.
        checks: What is sampled, by id, with what conducts one sample.

    Raises:
        OpsproofError: A check holds up all others.
        KeyboardInterrupt: The operator ends it.
    """
    plan = gate.options.window
    assert plan is not None

    def outcome(check: Check, conducted: Conducted) -> Outcome:
        excinfo = pytest.ExceptionInfo.from_exception(conducted.error) if conducted.error is not None else None
        environment = gate.environment(check.profile)
        return outcome_of(
            check,
            excinfo,
            conducted,
            details="",
            redactor=gate.redactor,
            profile=environment.profile,
            judgement=environment.reader.judgement(check.id),
        )

    progress = Progress(config, gate.redactor)
    window = gate.window = Window(plan, checks, gate.environments(), outcome, progress.say)
    patience = max(profile.policy.check_deadline for profile in gate.profiles.values())
    with progress.of(window):
        running = gate.engine.submit(window.run())
        gate.engine.wait(
            running, patience=patience, until=time.monotonic() + plan.deadline + 2 * patience + CLEAN_UP_LIMIT
        )
    gate.conductor.begin_anew()
