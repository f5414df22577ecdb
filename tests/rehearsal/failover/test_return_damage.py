"""What goes wrong on the way back is seen before the next disaster."""

import asyncio

import pytest

from opsproof.rehearsal.damage.failover.returns import AREA

WORDS = {
    "rewind-impossible": "wal_log_hints",
    "rewind-before-the-checkpoint": "its control file says 1",
    "rewind-lacks-wal": "could not find previous WAL record",
    "return-without-rewind": "4 of 4 rows of public.orders",
    "return-uncounted": "were not counted",
    "return-with-foreign-configuration": "work_mem of home is '7168'",
    "return-follows-itself": "dr does not send to home",
    "return-slot-missing": "receives no WAL",
    "return-as-primary": "not in recovery",
    "rewind-unfenced": "-home runs",
    "return-does-not-start-again": "shared_buffers setting could not be applied",
    "return-page-rotten-unread": "quiet on home cannot be read",
    "lost-rows-changed": "its sha256 differs",
    "lost-rows-gone": "is not there",
    "lost-two-phase-commit-forgotten": "1 commits of the old timeline",
    "lost-transaction-undecided": "payment-17 is prepared",
    "lost-truncate": "TRUNCATE of public.kept_cold",
    "lost-drop": "files of tables or indexes were removed",
    "lost-ddl": "view noted",
    "lost-message": "1 logical messages",
    "lost-deletes-changed": "DELETE of 1 rows of public.orders that dr has changed",
    "lost-large-object-gone": "pg_largeobject.csv is not there",
    "lost-wal-gone": "WAL segment 00000001",
    "lost-commits-unreadable": "cannot be read",
}
"""What the sentence says that only this damage brings about."""


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
        assert WORDS[damage.name] in "; ".join(told for name in damage.caught_by for told in found[name])
