"""Hold the window of a run, before pytest goes through the checks."""

import time
from collections.abc import Mapping

import pytest

from opsproof.plugin.check import Check
from opsproof.plugin.conduct import CLEAN_UP_LIMIT
from opsproof.plugin.gate import Gate
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

    progress = Progress(config, gate.redactor)
    window = gate.window = Window(plan, checks, gate.environments(), progress.say)
    patience = max(profile.policy.check_deadline for profile in gate.profiles.values())
    with progress.of(window):
        running = gate.engine.submit(window.run())
        gate.engine.wait(
            running, patience=patience, until=time.monotonic() + plan.deadline + 2 * patience + CLEAN_UP_LIMIT
        )
    gate.conductor.begin_anew()
