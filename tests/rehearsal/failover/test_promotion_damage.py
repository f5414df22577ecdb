"""What goes wrong at a promotion is seen right after it."""

import asyncio

import pytest

from opsproof.rehearsal.damage.failover.promotions import AREA


def test_a_sound_promotion_is_found_sound(grounds):
    """The jump of a sequence is in it, and is no fault; the old primary is lost, and refuses at each address."""
    with AREA.lab(grounds) as lab:
        found = asyncio.run(AREA.detect(lab))
        assert found
        assert {name: told for name, told in found.items() if told} == {}


@pytest.mark.parametrize("damage", AREA.damages, ids=lambda damage: damage.name)
def test_the_damage_is_caught(grounds, damage):
    """Each leaves a server that answers and is not in recovery, or nearly so; the checks that it names are red."""
    with AREA.lab(grounds) as lab:
        damage.inject(lab)
        assert damage.usual(lab)
        found = asyncio.run(AREA.detect(lab))
        for name in damage.caught_by:
            assert found[name], f"{name} is green; {found}"
