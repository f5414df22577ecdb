"""`--trace` for checks that are coroutines."""

import functools
import inspect
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from _pytest.debugging import pytestPDB


def trace_coroutine(item: pytest.Function) -> None:
    """
    Let `--trace` step through an `async def` check.

    pytest itself hides every check behind a plain function, which would make a coroutine and run nothing of it.
    """
    if not item.config.option.trace:
        return
    function = getattr(item.obj, "__wrapped__", None)
    if inspect.iscoroutinefunction(function):
        item.obj = _traced(function)


def _traced(function: Callable[..., Coroutine[Any, Any, object]]) -> Callable[..., Coroutine[Any, Any, object]]:
    @functools.wraps(function)
    async def traced(**arguments: Any) -> object:
        debugger = pytestPDB._init_pdb("runcall")  # type: ignore[no-untyped-call]
        debugger.reset()
        sys.settrace(debugger.trace_dispatch)
        try:
            return await function(**arguments)
        finally:
            sys.settrace(None)

    return traced
