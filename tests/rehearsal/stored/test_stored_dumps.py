"""Every fault of a dump turns the checks red that say they catch it; a sound one turns none red."""

import asyncio

import pytest

from opsproof.rehearsal.damage.stored import dumps, plain

AREAS = [pytest.param(area, id=area.name) for area in (dumps.AREA, plain.AREA)]
FAULTS = [
    pytest.param(area, fault, id=f"{area.name}:{fault.name}")
    for area in (dumps.AREA, plain.AREA)
    for fault in area.damages
]


@pytest.mark.parametrize("area", AREAS)
def test_sound_dumps_are_green(area, grounds):
    """A check that objects to good backups is switched off within a month."""
    with area.lab(grounds) as lab:
        found = asyncio.run(area.detect(lab))

    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize(("area", "fault"), FAULTS)
def test_a_fault_is_caught(area, fault, grounds):
    """What stays green here is found on the day of the disaster."""
    with area.lab(grounds) as lab:
        fault.inject(lab)
        said = fault.usual(lab)
        found = asyncio.run(area.detect(lab))

    assert said
    green = [name for name in fault.caught_by if not found[name]]
    assert not green, {name: words for name, words in found.items() if words}
    assert not [words for name in fault.caught_by for words in found[name] if words.startswith("unknown")]
