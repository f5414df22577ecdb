"""The engine: checks overlap on one event loop in a background thread, pytest stays pytest (design, section 4)."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

CHECKS_UNDER_WAY = 64
STOP_GRACE = 5.0


class Engine:
    """One event loop in a background thread, and what it was given to run ahead."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="opsproof-engine", daemon=True)
        self._ahead: dict[str, concurrent.futures.Future[Any]] = {}
        self._slots = asyncio.Semaphore(CHECKS_UNDER_WAY)
        self._thread.start()

    def runs_here(self) -> bool:
        """True in the engine's own thread."""
        return threading.current_thread() is self._thread

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Start a coroutine on the loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and wait for it."""
        return self.submit(coroutine).result()

    def ahead(self, key: str, body: Callable[[], Awaitable[T]]) -> None:
        """Run a body as soon as there is a slot, so that its result is there when it is asked for."""
        if key not in self._ahead:
            self._ahead[key] = self.submit(self._in_slot(body))

    def take(self, key: str) -> concurrent.futures.Future[Any] | None:
        """What was run ahead under this key, once."""
        return self._ahead.pop(key, None)

    def stop(self, closing: Coroutine[Any, Any, None]) -> None:
        """
        Cancel what is still running, let it clean up, close what is open, and end the thread; once.

        Args:
            closing: Closes connections, after the last check has ended.
        """
        if self._loop.is_closed():
            closing.close()
            return
        self.run(self._end(closing))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_GRACE)
        self._loop.close()

    async def _in_slot(self, body: Callable[[], Awaitable[T]]) -> T:
        async with self._slots:
            return await body()

    async def _end(self, closing: Coroutine[Any, Any, None]) -> None:
        running = asyncio.all_tasks() - {asyncio.current_task()}
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=STOP_GRACE)
        await asyncio.wait([asyncio.ensure_future(closing)], timeout=STOP_GRACE)
