"""Start all parts, each as soon as what it needs answers, in parallel; ready when every part answers for real."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait

from opsproof.errors import StackError
from opsproof.stack.control import first_start
from opsproof.stack.logs import log_tail
from opsproof.stack.parts import Part, Plan
from opsproof.stack.process import Process, exit_status

SECONDS_TO_READY = 60.0
_PAUSE = 0.02

Progress = Callable[[str], None]


class PortTaken(StackError):
    """Another program took the port between our choice and the part's start; other ports will do."""


def start_parts(plan: Plan, parts: Mapping[str, Part], progress: Progress) -> dict[str, float]:
    """
    Start parts and wait until each answers.

    Args:
        progress: Called with a line for each part that is ready.
    Returns:
        Seconds from now until each part was ready.
    Raises:
        PortTaken: A part could not listen where it was told to.
        StackError: A part ended, or is not ready after 60 seconds.
    """
    begun = time.monotonic()
    cancelled = threading.Event()
    prepared = {name: threading.Event() for name in parts}
    ready: dict[str, Future[float]] = {}
    # Every future must be in `ready` before a part looks up those that it needs.
    all_known = threading.Event()

    def start(part: Part) -> float:
        try:
            all_known.wait()
            for name in part.needs:
                ready[name].result()
            for name in part.lets_go_first:
                prepared[name].wait()
            part.prepare(plan)
        finally:
            prepared[part.name].set()
        _start_one(part, plan, begun + SECONDS_TO_READY, cancelled)
        seconds = time.monotonic() - begun
        progress(f"{part.name} is {'done' if part.once else 'ready'} after {seconds:.2f} s")
        return seconds

    with ThreadPoolExecutor(max_workers=len(parts), thread_name_prefix="opsproof-stack") as pool:
        try:
            ready.update({name: pool.submit(start, part) for name, part in parts.items()})
            all_known.set()
            finished, _ = wait(ready.values(), return_when=FIRST_EXCEPTION)
        finally:
            all_known.set()
            if not ready or not all(future.done() and not future.exception() for future in ready.values()):
                cancelled.set()
    failures = [exc for future in finished if (exc := future.exception())]
    if failures:
        raise next((exc for exc in failures if not isinstance(exc, _Cancelled)), failures[0])
    return {name: future.result() for name, future in ready.items()}


def wait_until_ready(plan: Plan, parts: Mapping[str, Part], seconds: float) -> dict[str, str]:
    """
    Wait until every part answers.

    Returns:
        What is missing after `seconds`, by part; empty when all are ready.
    """
    end = time.monotonic() + seconds
    waiting = {name: part for name, part in parts.items() if not part.once}
    while True:
        missing = {name: what for name, part in waiting.items() if (what := part.missing(plan))}
        if not missing or time.monotonic() >= end:
            return missing
        waiting = {name: waiting[name] for name in missing}
        time.sleep(_PAUSE)


class _Cancelled(StackError):
    """Another part failed; this one was given up."""


def _start_one(part: Part, plan: Plan, deadline: float, cancelled: threading.Event) -> None:
    if cancelled.is_set():
        raise _gave_up(part, plan)
    process = first_start(part, plan)
    while missing := _missing(part, plan, process):
        if cancelled.is_set():
            raise _gave_up(part, plan)
        if time.monotonic() > deadline:
            raise StackError(
                f"{part.name} is not ready after {SECONDS_TO_READY:.0f} s: {missing}",
                where=f"{part.log(plan)}{log_tail(part.log(plan), plan.secrets)}",
                next_step="read the log above; is the machine overloaded?",
            )
        time.sleep(_PAUSE)
    part.provision(plan)


def _missing(part: Part, plan: Plan, process: Process) -> str:
    """What keeps a part from being ready; raises when it has ended."""
    status = exit_status(process)
    if status is None:
        return "it has not ended" if part.once else part.missing(plan)
    if part.once and status == 0:
        return ""
    tail = log_tail(part.log(plan), plan.secrets)
    kind = PortTaken if "address already in use" in tail.lower() else StackError
    raise kind(
        f"{part.name} did not start: it ended with status {status}",
        where=f"{part.log(plan)}{tail}",
        next_step="read the lines above; they are the last of its log",
    )


def _gave_up(part: Part, plan: Plan) -> StackError:
    return _Cancelled(f"{part.name} was given up", where=str(plan.directory), next_step="see the other part's error")
