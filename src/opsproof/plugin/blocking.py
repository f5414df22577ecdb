"""Probes for checks that are plain functions: every question waits for its answer."""

import inspect
from collections.abc import Callable
from typing import Any

from opsproof.plugin.engine import Engine


class Blocking:
    """A probe whose coroutine methods are ordinary methods; for `def` checks, which run when pytest reaches them."""

    def __init__(self, thing: object, engine: Engine) -> None:
        self._thing = thing
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._thing, name)
        return self._waiting(value) if inspect.iscoroutinefunction(value) else value

    def __repr__(self) -> str:
        return repr(self._thing)

    def _waiting(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            return self._engine.run(method(*args, **kwargs))

        return call
