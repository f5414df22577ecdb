"""Conduct one check: its deadline, its recorder, its clean-up."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from opsproof.errors import TimedOut
from opsproof.evidence.recorder import Recorder, recording
from opsproof.plugin.cleaning import CleanUp, cleaning
from opsproof.plugin.engine import Engine

CLEAN_UP_LIMIT = 15.0


class LeftBehind(AssertionError):
    """A check wrote something that is still there."""


@dataclass
class Conducted:
    """A check that was conducted: what it saw, when, and how it ended."""

    recorder: Recorder
    started: datetime
    duration: float
    error: BaseException | None


async def conduct(recorder: Recorder, body: Callable[[], Awaitable[object]], deadline: float) -> Conducted:
    """
    Run the body of a check to its end.

    Args:
        recorder: Collects what it does.
        body: The check.
        deadline: Seconds, cleaning up not included.

    Raises:
        asyncio.CancelledError: The run was interrupted; what the check wrote was cleaned up first.
    """
    recording.set(recorder)
    clean_up = CleanUp()
    cleaning.set(clean_up)
    started, clock = datetime.now(UTC), time.perf_counter()
    error = _with_left_behind(await _run(recorder, body, deadline), await _clean(clean_up))
    if isinstance(error, asyncio.CancelledError):
        raise error
    return Conducted(recorder, started, time.perf_counter() - clock, error)


async def _run(recorder: Recorder, body: Callable[[], Awaitable[object]], deadline: float) -> BaseException | None:
    __tracebackhide__ = True
    timer = asyncio.timeout(max(deadline, 0))
    try:
        async with timer:
            await body()
    except TimeoutError as exc:
        if not timer.expired():
            return exc
        last = recorder.observations[-1] if recorder.observations else None
        return TimedOut(
            f"the check did not end within its deadline of {deadline:.3g} s",
            where=f"{last.question} was its last answered question" if last else "no question was answered",
            next_step="See what it waits for; policy.check_deadline and policy.run_deadline are in the profile.",
            target=last.target if last else "",
        )
    except BaseException as exc:  # noqa: BLE001 - skips, failures and interrupts alike are handed to pytest
        return exc
    return None


def _with_left_behind(error: BaseException | None, left: list[str]) -> BaseException | None:
    if not left:
        return error
    before = f"{error}; " if error is not None else ""
    return LeftBehind(f"{before}left behind: {'; '.join(left)}")


async def _clean(clean_up: CleanUp) -> list[str]:
    """Shielded, so that an interrupt does not leave behind what the check wrote."""
    task = asyncio.ensure_future(asyncio.wait_for(clean_up.run(), CLEAN_UP_LIMIT))
    try:
        return await asyncio.shield(task)
    except TimeoutError:
        return [f"cleaning up did not end within {CLEAN_UP_LIMIT:g} s"]
    except asyncio.CancelledError:
        return await task


def conduct_plain(recorder: Recorder, body: Callable[[], object], engine: Engine) -> Conducted:
    """Run the body of a plain `def` check here, in pytest's thread; its probes wait for every answer."""
    __tracebackhide__ = True
    clean_up = CleanUp()
    marks = recording.set(recorder), cleaning.set(clean_up)
    started, clock = datetime.now(UTC), time.perf_counter()
    error: BaseException | None = None
    try:
        body()
    except BaseException as exc:  # noqa: BLE001 - skips, failures and interrupts alike are handed to pytest
        error = exc
    finally:
        left = engine.run(_clean(clean_up))
        recording.reset(marks[0])
        cleaning.reset(marks[1])
    return Conducted(recorder, started, time.perf_counter() - clock, _with_left_behind(error, left))
