"""What goes wrong on the way back is seen before the next disaster."""

import asyncio

import pytest

from opsproof.rehearsal.damage.failover.returns import AREA


def test_a_sound_return_is_found_sound(grounds):
    """Lost commits are counted and kept, the server streams, and nothing else has changed."""
    with AREA.lab(grounds) as lab:
        found = asyncio.run(AREA.detect(lab))
        assert found
        assert {name: told for name, told in found.items() if told} == {}


@pytest.mark.parametrize("damage", AREA.damages, ids=lambda damage: damage.name)
def test_the_damage_is_caught(grounds, damage):
    """Each leaves a server that answers and is in recovery, or nearly so; the checks that it names are red."""
    with AREA.lab(grounds) as lab:
        damage.inject(lab)
        assert damage.usual(lab)
        found = asyncio.run(AREA.detect(lab))
        for name in damage.caught_by:
            assert found[name], f"{name} is green; {found}"
