"""Every fault of a base backup turns the checks red that say they catch it; a sound one turns none red."""

import asyncio

import pytest

from opsproof.probes.backup import Objects
from opsproof.profile.backups import Wal
from opsproof.rehearsal.damage.stored.bases import AREA
from opsproof.rehearsal.damage.stored.lab import BASE_CHECKS


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


class Elsewhere(Objects):
    """A store that is not on this machine: what is in it must be fetched, and has neither links nor empty folders."""

    def path(self, name):
        return None


def test_base_backups_of_a_store_elsewhere_are_green_too(grounds):
    """A bucket keeps no empty folders and no modes, and a backup in it is as good."""
    with AREA.lab(grounds) as lab:
        verification = lab.verification()
        verification.objects = Elsewhere(verification.objects.target)
        found = {name: asyncio.run(getattr(verification, name)()) for name in BASE_CHECKS}

    assert {name: words for name, words in found.items() if words} == {}


def test_wal_of_the_archive_makes_a_base_backup_whole(grounds):
    """Where backups are taken without their WAL, the archive has it; without the archive they are not whole."""
    with AREA.lab(grounds) as lab:
        archive = lab.store / "postgres" / "wal"
        archive.mkdir()
        for base in lab.backups:
            for segment in (path for path in (base / "pg_wal").iterdir() if len(path.name) == 24):
                segment.replace(archive / segment.name)
        without = lab.verification()
        alone = asyncio.run(without.every_base_backup_is_whole())
        wal = Wal(prefix="postgres/wal/", freshness=60)
        verification = lab.verification()
        verification.backups = without.backups.model_copy(update={"wal": wal})
        together = asyncio.run(verification.every_base_backup_is_whole())

    assert any("WAL" in words for words in alone), alone
    assert together == []
