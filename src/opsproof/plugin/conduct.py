"""Conduct one check: its deadline, its recorder, its clean-up."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from opsproof.errors import NotObserved, OpsproofError
from opsproof.evidence.recorder import Recorder, recording
from opsproof.judge.limits import Judgement
from opsproof.plugin.blocking import Asker
from opsproof.plugin.cleaning import CleanUp, cleaning, told
from opsproof.plugin.deadline import Deadline

CLEAN_UP_LIMIT = 15.0

_INTERRUPTS = (asyncio.CancelledError, KeyboardInterrupt, pytest.exit.Exception)


class LeftBehind(AssertionError):
    """A check wrote something that is still there."""


@dataclass
class Conducted:
    """A check that was conducted: what it saw, when, how it ended, and what the limits said if it is an indicator's."""

    recorder: Recorder
    started: datetime
    duration: float
    error: BaseException | None
    judgement: Judgement | None = None


async def conduct(
    recorder: Recorder, clean_up: CleanUp, body: Callable[[], Awaitable[object]], deadline: Deadline
) -> Conducted:
    """
    Run the body of a check to its end.

    Args:
        recorder: Collects what it does.
        clean_up: What it must take back.
        body: The check.
        deadline: Its time, cleaning up not included.

    Raises:
        asyncio.CancelledError: The run was interrupted; what the check wrote was cleaned up first.
    """
    recording.set(recorder)
    cleaning.set(clean_up)
    started, clock = datetime.now(UTC), time.perf_counter()
    error = await _run(recorder, body, deadline)
    _know_what_tells(recorder)
    await _clean(clean_up)
    if isinstance(error, asyncio.CancelledError):
        raise error
    return Conducted(recorder, started, time.perf_counter() - clock, _with_left_behind(error, clean_up))


def conduct_plain(recorder: Recorder, clean_up: CleanUp, body: Callable[[], object], asker: Asker) -> Conducted:
    """Run the body of a plain `def` check here, in pytest's thread; its probes wait for every answer."""
    __tracebackhide__ = True
    marks = recording.set(recorder), cleaning.set(clean_up)
    started, clock = datetime.now(UTC), time.perf_counter()
    error: BaseException | None = None
    try:
        _earned(recorder, body())
    except BaseException as exc:  # noqa: BLE001 - skips, failures and interrupts alike are handed to pytest
        error = exc
    _know_what_tells(recorder)
    asker.without_deadline()
    try:
        asyncio.run(clean_up.run())
    finally:
        clean_up.give_up("cleaning up was interrupted")
        recording.reset(marks[0])
        cleaning.reset(marks[1])
    return Conducted(recorder, started, time.perf_counter() - clock, _with_left_behind(error, clean_up))


async def _run(recorder: Recorder, body: Callable[[], Awaitable[object]], deadline: Deadline) -> BaseException | None:
    __tracebackhide__ = True
    if not deadline.left:
        return deadline.missed(recorder)
    timer = asyncio.timeout(deadline.left)
    try:
        async with timer:
            _earned(recorder, await body())
    except TimeoutError as exc:
        return deadline.missed(recorder) if timer.expired() else exc
    except BaseException as exc:  # noqa: BLE001 - skips, failures and interrupts alike are handed to pytest
        return exc
    return None


def _know_what_tells(recorder: Recorder) -> None:
    """What a check asked last shows why it failed, unless it says otherwise; what its clean-up asks does not."""
    if recorder.telling is None and recorder.observations:
        recorder.telling = recorder.observations[-1]


def _earned(recorder: Recorder, returned: object) -> None:
    """
    A pass is earned by an answer.

    Raises:
        OpsproofError: The check asked nothing, or returns its judgement where nobody reads it.
    """
    if returned is not None:
        raise OpsproofError(
            f"the check returns a {type(returned).__name__}, which nobody judges",
            where=recorder.check,
            next_step="Mend the check: it judges with `assert`, and awaits what it calls.",
        )
    if not recorder.observations:
        raise OpsproofError(
            "the check ended well without an answer from any target",
            where=recorder.check,
            next_step="Mend the check: it must ask, await the answer, and not pass where there is nothing to ask.",
        )


def _with_left_behind(error: BaseException | None, clean_up: CleanUp) -> BaseException | None:
    """
    What is left behind is a failure; an interrupt stays one, and so does the blindness that also hid what is left.

    A target that answers neither the check nor its clean-up is not known to hold anything.
    """
    if not clean_up.left or isinstance(error, _INTERRUPTS):
        return error
    left = "; ".join(clean_up.left)
    if isinstance(error, NotObserved) and not clean_up.seen:
        words = f"{error.what}; whether it is cleaned up cannot be seen: {left}"
        return type(error)(words, where=error.where, next_step=error.next_step, target=error.target)
    before = f"{told(error)}; " if error is not None else ""
    return LeftBehind(f"{before}left behind: {left}")


async def _clean(clean_up: CleanUp) -> None:
    """Shielded, so that an interrupt does not leave behind what the check wrote."""
    task = asyncio.ensure_future(_in_time(clean_up))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task


async def _in_time(clean_up: CleanUp) -> None:
    try:
        await asyncio.wait_for(clean_up.run(), CLEAN_UP_LIMIT)
    except TimeoutError:
        clean_up.give_up(f"cleaning up did not end within {CLEAN_UP_LIMIT:g} s")
