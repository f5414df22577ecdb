"""What makes a standby useless is seen before the disaster."""

import asyncio

import pytest

from opsproof.rehearsal.damage.failover.standby import AREA


def test_a_sound_standby_is_found_sound(grounds):
    """A check that cries wolf is switched off."""
    with AREA.lab(grounds) as lab:
        found = asyncio.run(AREA.detect(lab))
        assert found
        assert {name: told for name, told in found.items() if told} == {}


def test_a_sound_leaf_of_a_cascade_is_found_sound(grounds):
    """A leaf streams from another server than the primary; it is looked at end to end."""
    with AREA.lab(grounds) as lab:
        lab.servers.start_leaf()
        lab.looked_at, lab.upstream = lab.servers.leaf, lab.servers.dr
        found = asyncio.run(AREA.detect(lab))
        assert {name: told for name, told in found.items() if told} == {}


@pytest.mark.parametrize("damage", AREA.damages, ids=lambda damage: damage.name)
def test_the_damage_is_caught(grounds, damage):
    """Each is behind signals that stay green; the checks that it names are red."""
    with AREA.lab(grounds) as lab:
        damage.inject(lab)
        assert damage.usual(lab)
        found = asyncio.run(AREA.detect(lab))
        for name in damage.caught_by:
            assert found[name], f"{name} is green; {found}"
