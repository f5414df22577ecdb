"""What goes wrong at a promotion is seen right after it."""

import asyncio
import os
import signal

import pytest

from opsproof.rehearsal.damage.failover.pair import until
from opsproof.rehearsal.damage.failover.promotions import AREA

WORDS = {
    "promotion-role-cannot-log-in": "may not log in",
    "promotion-role-has-run-out": "has run out",
    "promotion-database-closed": "connections 0",
    "promotion-index-not-valid": "is not valid",
    "promotion-archives-a-part": "has 1000 bytes in the archive",
    "promotion-archives-other-bytes": "is not what dr wrote",
    "promotion-archives-zeros": "is not what dr wrote",
    "promotion-archives-packed": "is not in the archive after",
    "promotion-triggers-asleep": "session_replication_role",
    "promotion-stuck": "returned false",
    "promotion-split-brain": "(timeline 1)",
    "promotion-commits-hang": "no answer within 4 s",
    "promotion-any-two": "wait for 2",
    "promotion-archives-nothing": "is not in the archive",
    "promotion-archive-believed": "is not in the archive",
    "promotion-archives-to-the-old-site": "is not in the archive",
    "promotion-archive-full": "is not in the archive",
    "promotion-archive-off": "archive_mode of dr is off",
    "promotion-slot-missing": "slot leaf is not on dr",
    "promotion-logical-slot-lost": "logical slot changes is not on dr",
    "promotion-subscription-off": "from_elsewhere of dr is disabled",
    "promotion-sequence-behind": "orders_id_seq is at 1",
    "promotion-old-primary-came-back": "it is not fenced",
    "promotion-old-primary-silent": "not proven to be fenced",
    "promotion-timeline-skipped": "writes timeline 3",
    "promotion-read-only": "transactions of the server are read-only",
    "promotion-service-read-only": "role service",
    "promotion-no-autovacuum": "autovacuum of dr is off",
    "promotion-limits-lower": "max_connections of dr is 20",
    "promotion-acknowledges-early": "synchronous_commit of dr is 'off'",
    "promotion-prepared-left-over": "payment-17",
    "promotion-tablespace-gone": "tablespace cold",
    "promotion-archives-no-more-after-a-restart": "'off' from the next start on",
    "promotion-read-only-after-a-reload": "'yes' from the next reload on",
    "promotion-does-not-start-again": "shared_buffers setting could not be applied",
    "promotion-access-file-broken": "pg_hba.conf of dr",
    "promotion-reserves-connections": "superuser_reserved_connections of dr is '35'",
    "promotion-page-rotten-unread": "quiet on dr cannot be read",
    "promotion-standby-again": "standby.signal",
}
"""What the sentence says that only this damage brings about."""


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
        assert WORDS[damage.name] in "; ".join(told for name in damage.caught_by for told in found[name])


def test_a_promotion_that_returned_false_comes_true_later(grounds):
    """Nobody asks again, and still it becomes a second primary: false is no end of the request."""
    with AREA.lab(grounds) as lab:
        stuck = next(damage for damage in AREA.damages if damage.name == "promotion-stuck")
        stuck.inject(lab)
        assert lab.promotion is not None
        assert not lab.promotion.returned
        assert not lab.promotion.finished
        os.kill(lab.servers.frozen[0], signal.SIGCONT)
        until(lambda: not lab.servers.dr.sql("SELECT pg_is_in_recovery()")[0][0], "it did not promote itself")
        assert lab.servers.home.sql("SELECT pg_is_in_recovery()") == [(False,)]
