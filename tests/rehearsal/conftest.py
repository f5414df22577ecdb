"""
Grounds for real clusters; and which of the nearly 400 faults a run of the tests puts in.

Each takes a second or more of a server's time. So `make test` puts in so many that every check is red once, and
`make faults` all of them (`OPSPROOF_ALL_FAULTS=1` does so here).
"""

import os
from collections.abc import Iterable

import pytest

from opsproof.rehearsal.damage.damage import Damage
from opsproof.stack.clusters import Grounds


@pytest.fixture(scope="module")
def grounds():
    """A folder, ports and processes of its own; gone after the module."""
    with Grounds() as made:
        yield made


def pytest_collection_modifyitems(config, items):
    """Leave out faults whose checks others turn red already; one that is named on the command line stays."""
    if os.environ.get("OPSPROOF_ALL_FAULTS") or config.option.keyword or any("::" in arg for arg in config.args):
        return
    faults = {}
    for item in items:
        if damage := damage_of(item):
            faults.setdefault((item.path, item.originalname, area_of(item)), {})[item.nodeid] = damage
    left_out = {name for of_test in faults.values() for name in set(of_test) - covering(of_test)}
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid in left_out])
    items[:] = [item for item in items if item.nodeid not in left_out]


def damage_of(item) -> Damage | None:
    """The fault that a test puts in; None for another test."""
    values = getattr(item, "callspec", None) and item.callspec.params.values()
    named = getattr(item.module, "DAMAGES", {})
    found = [named.get(one, one) if isinstance(one, str) and isinstance(named, dict) else one for one in values or ()]
    return next((one for one in found if isinstance(one, Damage)), None)


def area_of(item) -> str:
    """The area of the fault, where one test goes through several."""
    return str(getattr(item.callspec.params.get("area"), "name", ""))


def covering(faults: dict[str, Damage]) -> set[str]:
    """So many of these faults that each check which any of them turns red is turned red; the widest first."""
    chosen: set[str] = set()
    open_ = checks(faults.values())
    while open_:
        name = max(faults, key=lambda one: len(open_ & set(faults[one].caught_by)))
        chosen.add(name)
        open_ -= set(faults[name].caught_by)
    return chosen


def checks(faults: Iterable[Damage]) -> set[str]:
    """Every check that one of them must turn red."""
    return {name for damage in faults for name in damage.caught_by}
