"""The engine: checks overlap on one event loop in a background thread, pytest stays pytest (design, section 4)."""

import asyncio
import concurrent.futures
import sys
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from opsproof.errors import OpsproofError
from opsproof.plugin.output import in_debugger

T = TypeVar("T")

CHECKS_UNDER_WAY = 64
CLEAN_UP_GRACE = 20.0
CLOSING_GRACE = 5.0


class Engine:
    """One event loop in a background thread, and what it was given to run ahead."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="opsproof-engine", daemon=True)
        self._ahead: dict[str, concurrent.futures.Future[Any]] = {}
        self._slots = asyncio.Semaphore(CHECKS_UNDER_WAY)
        self._given: set[asyncio.Task[Any]] = set()
        self._held_up = ""
        self._thread.start()

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Start a coroutine on the loop."""
        return asyncio.run_coroutine_threadsafe(self._as_given(coroutine), self._loop)

    def ahead(self, key: str, body: Callable[[], Awaitable[T]]) -> concurrent.futures.Future[T]:
        """Run a body as soon as there is a slot, so that its result is there when it is asked for."""
        if key not in self._ahead:
            self._ahead[key] = self.submit(self._in_slot(body))
        return self._ahead[key]

    def take(self, key: str) -> concurrent.futures.Future[Any] | None:
        """What was run ahead under this key, once."""
        return self._ahead.pop(key, None)

    def wait(self, future: concurrent.futures.Future[T], *, patience: float, until: float) -> T:
        """
        The result of what was submitted.

        Args:
            future: What to wait for.
            patience: Seconds after which the loop is held up if it has done nothing else, either.
            until: Time (monotonic) after which nothing is waited for any more.

        Raises:
            OpsproofError: A check holds up the loop, or does not end although it was cancelled.
        """
        __tracebackhide__ = True
        while not future.done():
            beat = threading.Event()
            self._loop.call_soon_threadsafe(beat.set)
            left = until - time.monotonic()
            concurrent.futures.wait([future], 0.1 if self._held_up else max(0.1, min(patience, left)))
            if future.done() or in_debugger.is_set():
                continue
            if not beat.is_set():
                self._held_up = self._held_up or _running_in(self._thread)
                raise OpsproofError(
                    f"a check holds up all others: {self._held_up} has not let go for {patience:.3g} s",
                    where=self._held_up,
                    next_step="Await there (asyncio.sleep, a probe), or make that check a plain `def`.",
                )
            self._held_up = ""
            if left <= 0:
                raise OpsproofError(
                    "the check was cancelled at its deadline and does not end",
                    where="an `except` around one of its questions, most likely",
                    next_step="Mend the check: it must let asyncio.CancelledError through.",
                )
        return future.result()

    def stop(self, closing: Coroutine[Any, Any, None]) -> None:
        """
        Cancel what is still running, let it clean up, close what is open, and end the thread; once.

        A loop that is held up, or not waited for, is left behind with its thread, which ends with the process.

        Args:
            closing: Closes connections, after the last check has ended.

        Raises:
            KeyboardInterrupt: The operator does not want to wait.
        """
        if self._loop.is_closed() or self._held_up:
            closing.close()
            return
        self._held_up = "the end of the run"
        ending = asyncio.run_coroutine_threadsafe(self._end(closing), self._loop)
        if not concurrent.futures.wait([ending], CLEAN_UP_GRACE + 2 * CLOSING_GRACE).done:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSING_GRACE)
        self._loop.close()

    async def _as_given(self, coroutine: Coroutine[Any, Any, T]) -> T:
        task = asyncio.current_task()
        assert task is not None
        self._given.add(task)
        try:
            return await coroutine
        finally:
            self._given.discard(task)

    async def _in_slot(self, body: Callable[[], Awaitable[T]]) -> T:
        async with self._slots:
            return await body()

    async def _end(self, closing: Coroutine[Any, Any, None]) -> None:
        """What a check asks while it cleans up is not cancelled, only the checks themselves; then whatever is left."""
        await _cancelled(self._given, CLEAN_UP_GRACE)
        await asyncio.wait([asyncio.ensure_future(closing)], timeout=CLOSING_GRACE)
        await _cancelled(asyncio.all_tasks() - {asyncio.current_task()}, CLOSING_GRACE)


async def _cancelled(tasks: Any, grace: float) -> None:
    waiting = list(tasks)
    for task in waiting:
        task.cancel()
    if waiting:
        await asyncio.wait(waiting, timeout=grace)


def _running_in(thread: threading.Thread) -> str:
    """The innermost line that a thread is at."""
    frame = sys._current_frames().get(thread.ident or 0)
    if frame is None:
        return "a thread that has ended"
    at = traceback.extract_stack(frame)[-1]
    return f"{at.filename}:{at.lineno} ({at.name})"
