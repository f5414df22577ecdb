"""What a check's parameters stand for, found without pytest's set-up."""

from collections.abc import Mapping
from typing import Any

import pytest

from opsproof.plugin.environment import Environment

_FIXTURES = "opsproof.plugin.fixtures"


def arguments_ahead(item: pytest.Function, environment: Environment, run_id: str) -> Mapping[str, Any] | None:
    """
    The arguments of a check that runs ahead.

    Args:
        item: The check.
        environment: The one that it runs against.
        run_id: Id of the run.

    Returns:
        Values by name; None if a fixture takes part, asked for by name or autouse, that only pytest can make.
    """
    if not needs_only_ours(item):
        return None
    known = {
        **item.callspec.params,
        "profile": environment.profile,
        "run_id": run_id,
        "reader": environment.reader,
        "attester": environment.attester,
    }
    found: dict[str, Any] = {}
    for name in item._fixtureinfo.argnames:
        if name in known:
            found[name] = known[name]
        elif not environment.profile.lacks(name):
            found[name] = environment.probe(name)
        elif name == "release" and environment.release is not None:
            found[name] = environment.release
        else:
            return None
    return found


def needs_only_ours(item: pytest.Function) -> bool:
    """True if no fixture takes part, asked for by name or autouse, that only pytest can make."""
    return all(_is_ours(item, name) for name in item.fixturenames)


def _is_ours(item: pytest.Function, name: str) -> bool:
    """True for opsproof's own fixtures, and for a parametrised value that goes through no fixture."""
    makers = item._fixtureinfo.name2fixturedefs.get(name)
    if makers is None:
        return name == "request"
    module = makers[-1].func.__module__
    return module == _FIXTURES or (name in item.callspec.params and module.startswith("_pytest."))
