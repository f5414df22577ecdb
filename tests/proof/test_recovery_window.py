"""A recovery is declared after an unbroken stretch, and its times are the true ones."""

import threading
import time
from datetime import UTC, datetime

from proof_gate import run_gate

from opsproof.judge.windows import Ending, State
from opsproof.stack import Stack
from opsproof.stack.faults import FAULTS, heal, inject, injected

INTERVAL = 1.0
TOLERANCE = 1.5
"""Seconds that a round of samples may be late on a busy machine, beside the interval."""


def test_healed_broken_again_and_healed_is_recovered_after_the_second_time(tmp_path):
    """An operator who trusts the first green minute is paged again."""
    fault = FAULTS["core-endpoint-500"]
    times: dict[str, datetime] = {}
    with Stack.start(("ingest",)) as stack:
        inject(fault, stack)

        def heal_break_and_heal() -> None:
            time.sleep(20)
            heal(fault, stack)
            times["healed"] = datetime.now(UTC)
            time.sleep(6)
            inject(fault, stack)
            time.sleep(2)
            heal(fault, stack)
            times["healed again"] = datetime.now(UTC)

        script = threading.Thread(target=heal_break_and_heal)
        script.start()
        try:
            run, text = run_gate(
                stack.name,
                ("ingest",),
                tmp_path,
                *("-m", "recovery", "--stable-for=15s", f"--interval={INTERVAL:g}s", "--deadline=90s"),
            )
        finally:
            script.join()

    window = run.window
    assert window is not None
    assert (run.verdict.word, window.ending) == ("PASS", Ending.STABLE), text
    assert window.flaps == 1
    assert window.first_healthy is not None
    assert window.stable_since is not None
    healed, again = ((times[name] - window.started).total_seconds() for name in ("healed", "healed again"))
    assert abs(window.first_healthy - healed) <= INTERVAL + TOLERANCE
    assert abs(window.stable_since - again) <= INTERVAL + TOLERANCE
    assert (window.ended - window.started).total_seconds() >= window.stable_since + 15
    (line,) = (line for line in window.timelines if line.check == "api.core_endpoint_answers[ingest/embedded-items]")
    assert [span.state for span in line.spans if span.state is not State.GAP] == [
        State.FAILED,
        State.HEALTHY,
        State.FAILED,
        State.HEALTHY,
    ]


def test_without_healing_it_fails_and_without_a_sight_of_it_it_is_inconclusive(tmp_path):
    """Not recovered, and not known to have recovered, are two answers."""
    window = ("-m", "recovery", "--stable-for=4s", "--interval=1s", "--deadline=10s")
    with Stack.start(("ingest",)) as stack:
        with injected(FAULTS["core-endpoint-500"], stack):
            broken, _ = run_gate(stack.name, ("ingest",), tmp_path / "broken", *window)
        with injected(FAULTS["prometheus-stopped"], stack):
            blind, _ = run_gate(stack.name, ("ingest",), tmp_path / "blind", *window)

    assert (broken.verdict.word, broken.verdict.exit_status) == ("FAIL", 1)
    assert (blind.verdict.word, blind.verdict.exit_status) == ("INCONCLUSIVE", 6)
    assert [run.window.ending for run in (broken, blind) if run.window] == [Ending.DEADLINE] * 2
