"""Lanes: a stack proves fault after fault, and several stacks do so side by side: proving is mostly waiting."""

import itertools
from collections.abc import Iterable
from concurrent.futures import Future
from pathlib import Path
from threading import Event, Thread
from time import sleep

from proof_gate import CITED, Proof, blind_objections, must_be_green_again, objections, run_gate, without_long_ones

from opsproof.judge.outcome import Status
from opsproof.stack import Stack
from opsproof.stack.faults import FAULTS, injected
from opsproof.stack.parts import ALL

Systems = tuple[str, ...]
_BAD = (Status.FAILED, Status.UNKNOWN)
_LOOKS = 6
_SECONDS_TO_FORGET = 5
"""A number over a window of 10 s remembers a fault for that long after it is gone."""

_LANES: tuple[tuple[Systems, ...], ...] = (
    (ALL,),
    (("storebridge",), ("evaluation",), ("ingest",), ("factory-ai",), ("ops-assistant",)),
)
"""What runs beside each other: a fault of one system is proven on a stack of that system alone."""


class Lanes:
    """
    Proves faults in threads of its own.

    Args:
        faults: Names of the faults to prove.
        folder: Where the reports go.
    """

    def __init__(self, faults: Iterable[str], folder: Path) -> None:
        self._folder = folder
        self._proofs: dict[str, Future[Proof]] = {name: Future() for name in faults}
        self._numbers = itertools.count()
        self._stopping = Event()
        self._threads = [Thread(target=self._run, args=(lane,)) for lane in _LANES]
        for thread in self._threads:
            thread.start()

    def proof(self, fault: str) -> Proof:
        """The proof of a fault, as soon as it is there; raises what went wrong."""
        return self._proofs[fault].result()

    def close(self) -> None:
        """Prove nothing more, and wait for what is under way."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _run(self, lane: tuple[Systems, ...]) -> None:
        for systems in lane:
            mine = [name for name in self._proofs if _stack_of(name) == systems]
            if mine and not self._stopping.is_set():
                self._prove_all(mine, systems)

    def _prove_all(self, names: list[str], systems: Systems) -> None:
        stack: Stack | None = None
        for name in names:
            for is_last in (False, True):  # on a busy machine a fault may need a second try
                if self._stopping.is_set():
                    break
                try:
                    stack = _sound(stack, systems)
                    proof = self._prove(name, stack, systems)
                except BaseException as exc:  # noqa: BLE001 - whatever it was, the test of this fault tells it
                    if is_last:
                        self._proofs[name].set_exception(exc)
                    continue
                judge = objections if name in CITED else blind_objections
                if is_last or not judge(name, proof):
                    self._proofs[name].set_result(proof)
                    break
        if stack is not None:
            stack.stop()

    def _prove(self, name: str, stack: Stack, systems: Systems) -> Proof:
        with injected(FAULTS[name], stack):
            assert FAULTS[name].undo_by_hand(stack)
            broken, _ = run_gate(stack.name, systems, self._reports(), *without_long_ones(name))
        bad = [o for o in broken.outcomes if o.status in _BAD and must_be_green_again(name, o)]
        selection = " or ".join(sorted({outcome.name.partition(".")[2] for outcome in bad})) or "ready"
        for _ in range(_LOOKS):
            healed, _ = run_gate(stack.name, systems, self._reports(), "-k", selection)
            if not any(o.status in _BAD and must_be_green_again(name, o) for o in healed.outcomes):
                break
            sleep(_SECONDS_TO_FORGET)
        return Proof(broken, healed)

    def _reports(self) -> Path:
        return self._folder / str(next(self._numbers))


def _sound(stack: Stack | None, systems: Systems) -> Stack:
    """The stack, or a new one after a fault that could not be healed."""
    if stack is not None and not stack.missing() and not stack.state.faults:
        return stack
    if stack is not None:
        stack.stop()
    return Stack.start(systems)


def _stack_of(fault: str) -> Systems:
    systems = FAULTS[fault].systems
    return tuple(systems) if len(systems) == 1 else ALL
