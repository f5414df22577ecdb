"""Every fault of a recovery turns its checks red; a sound one leaves all green."""

import asyncio

import pytest

from opsproof.rehearsal.damage.restored import RECOVERED_SERVERS

DAMAGES = {damage.name: damage for damage in RECOVERED_SERVERS.damages}
SEEN_BY_ALL = {"died-after-start", "target-past-the-end", "backup-label-missing"}


def test_a_sound_recovery_is_green(grounds):
    """A check that objects to a sound recovery teaches people to look away."""
    with RECOVERED_SERVERS.lab(grounds) as lab:
        found = asyncio.run(RECOVERED_SERVERS.detect(lab))

    assert {check: said for check, said in found.items() if said} == {}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_fault_turns_its_checks_red(grounds, name):
    """Each check that is said to catch it does, and by what it saw: an unknown is no catch."""
    damage = DAMAGES[name]
    with RECOVERED_SERVERS.lab(grounds) as lab:
        damage.inject(lab)
        usual = damage.usual(lab)
        found = asyncio.run(RECOVERED_SERVERS.detect(lab))

    assert ("pg_ctl status: exit 0; pg_isready: exit 0" in usual) is (name not in SEEN_BY_ALL)
    for check in damage.caught_by:
        assert found[check], f"{check} is green: {found}"
        assert not found[check][0].startswith("unknown"), found[check]
