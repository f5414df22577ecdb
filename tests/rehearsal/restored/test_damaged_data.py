"""Every fault of a restored database turns its checks red; a sound copy leaves all green."""

import asyncio

import pytest

from opsproof.rehearsal.damage.restored import RESTORED_DATA

DAMAGES = {damage.name: damage for damage in RESTORED_DATA.damages}


def test_a_sound_copy_is_green(grounds):
    """A check that objects to a sound copy teaches people to look away."""
    with RESTORED_DATA.lab(grounds) as lab:
        found = asyncio.run(RESTORED_DATA.detect(lab))

    assert {check: said for check, said in found.items() if said} == {}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_fault_turns_its_checks_red(grounds, name):
    """Each check that is said to catch it does, and by what it saw: an unknown is no catch."""
    damage = DAMAGES[name]
    with RESTORED_DATA.lab(grounds) as lab:
        damage.inject(lab)
        usual = damage.usual(lab)
        found = asyncio.run(RESTORED_DATA.detect(lab))

    assert "pg_isready: exit 0" in usual
    for check in damage.caught_by:
        assert found[check], f"{check} is green: {found}"
        assert not found[check][0].startswith("unknown"), found[check]


def test_every_fault_is_described_once(grounds):
    """The table in docs/ is made of these."""
    names = [damage.name for damage in RESTORED_DATA.damages]

    assert len(names) == len(set(names))
    assert all(damage.title.keys() == {"en", "ko"} and damage.caught_by for damage in RESTORED_DATA.damages)
