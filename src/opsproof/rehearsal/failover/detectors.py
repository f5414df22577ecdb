"""The questions of a verification, by their names."""

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import get_type_hints

from opsproof.errors import NotObserved

UNKNOWN = "unknown: "
"""How a sentence begins of a check that could not look."""

Detector = Callable[[], Awaitable[list[str]]]


def detectors_of(verification: object) -> Mapping[str, Detector]:
    """Public methods that take nothing and tell, as sentences, what is wrong; by name, in the order of the source."""
    return dict(_detectors(verification))


def _detectors(verification: object) -> Iterator[tuple[str, Detector]]:
    for name in dict.fromkeys(name for kind in type(verification).__mro__ for name in vars(kind)):
        function = getattr(type(verification), name)
        if name.startswith("_") or not inspect.iscoroutinefunction(function):
            continue
        if get_type_hints(function).get("return") == list[str]:
            yield name, getattr(verification, name)


async def everything(verification: object, folder: str) -> dict[str, list[str]]:
    """
    Ask all of them.

    Returns:
        By name of the check (`folder.method`) what is wrong. Who could not look says `unknown: ...`: that is not well.
    """
    found = {}
    for name, ask in detectors_of(verification).items():
        try:
            found[f"{folder}.{name}"] = await ask()
        except NotObserved as exc:
            found[f"{folder}.{name}"] = [f"{UNKNOWN}{exc.what}"]
    return found
