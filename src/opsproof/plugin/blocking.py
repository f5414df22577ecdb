"""Probes for checks that are plain functions: every question waits for its answer."""

import asyncio
import inspect
import math
from collections.abc import Awaitable, Callable
from typing import Any

from opsproof.evidence.recorder import Recorder
from opsproof.plugin.deadline import Deadline
from opsproof.plugin.engine import Engine


class Asker:
    """
    Asks on the engine's loop on behalf of a check that is a plain function.

    Args:
        engine: Runs the question.
        recorder: The check's.
        deadline: The check's; no question goes beyond it.
        patience: Seconds after which the engine is held up by another check.
    """

    def __init__(self, engine: Engine, recorder: Recorder, deadline: Deadline, patience: float) -> None:
        self._engine = engine
        self._recorder = recorder
        self._deadline: Deadline | None = deadline
        self._patience = patience

    def without_deadline(self) -> None:
        """From now on a question only has its own limit: what was written is taken back after the deadline, too."""
        self._deadline = None

    def ask(self, question: Callable[[], Awaitable[Any]]) -> Any:
        """
        Ask, and wait for the answer.

        Raises:
            TimedOut: The check's time is over.
            OpsproofError: Another check holds up the engine.
        """
        __tracebackhide__ = True
        return self._engine.wait(self._engine.submit(self._in_time(question)), patience=self._patience, until=math.inf)

    async def _in_time(self, question: Callable[[], Awaitable[Any]]) -> Any:
        deadline = self._deadline
        if deadline is None:
            return await question()
        if not deadline.left:
            raise deadline.missed(self._recorder)
        try:
            async with asyncio.timeout(deadline.left) as timer:
                return await question()
        except TimeoutError:
            if timer.expired():
                raise deadline.missed(self._recorder) from None
            raise


class Blocking:
    """A probe whose coroutine methods are ordinary methods; for `def` checks, which run when pytest reaches them."""

    def __init__(self, thing: object, asker: Asker) -> None:
        self._thing = thing
        self._asker = asker

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._thing, name)
        return self._waiting(value) if inspect.iscoroutinefunction(value) else value

    def __repr__(self) -> str:
        return repr(self._thing)

    def _waiting(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            return self._asker.ask(lambda: method(*args, **kwargs))

        return call
