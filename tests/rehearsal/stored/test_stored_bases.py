"""Every fault of a base backup turns the checks red that say they catch it; a sound one turns none red."""

import asyncio

import pytest

from opsproof.rehearsal.damage.stored.bases import AREA


def test_sound_base_backups_are_green(grounds):
    """A check that objects to good backups is switched off within a month."""
    with AREA.lab(grounds) as lab:
        found = asyncio.run(AREA.detect(lab))

    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize("fault", AREA.damages, ids=lambda fault: fault.name)
def test_a_fault_is_caught(fault, grounds):
    """What stays green here is found on the day of the disaster."""
    with AREA.lab(grounds) as lab:
        fault.inject(lab)
        said = fault.usual(lab)
        found = asyncio.run(AREA.detect(lab))

    assert said
    green = [name for name in fault.caught_by if not found[name]]
    assert not green, {name: words for name, words in found.items() if words}
    assert not [words for name in fault.caught_by for words in found[name] if words.startswith("unknown")]
