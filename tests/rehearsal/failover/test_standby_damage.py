"""What makes a standby useless is seen before the disaster."""

import asyncio

import pytest

from opsproof.rehearsal.damage.failover.standby import AREA

WORDS = {
    "standby-replay-paused": "replay on dr is paused",
    "standby-cut-off": "receives no WAL",
    "standby-link-frozen": "bytes short of",
    "standby-other-timeline": "it followed another timeline",
    "standby-cascade-broken": "leaf receives no WAL",
    "standby-delayed": "recovery_min_apply_delay of dr is 30 s",
    "standby-limits-lower": "max_connections of dr is 40, that of the primary 60",
    "standby-slot-dropped": "without a slot",
    "standby-slot-invalid": "slot dr of home is lost",
    "standby-of-another-cluster": "of another cluster",
    "standby-follows-itself": "home does not send to dr",
    "standby-password-wrong": "receives no WAL",
    "standby-lets-nobody-in": "unknown",
    "standby-commits-wait-for-a-ghost": "ghost: not connected",
    "standby-would-wait-after-promotion": "of dr names old_site",
    "standby-tablespace-gone": "tablespace cold",
    "standby-configuration-broken": "syntax error",
    "standby-access-file-broken": "10.0.0.0/99",
    "standby-library-gone": "$libdir/gone",
    "standby-extension-older": "plpgsql 99.0",
    "standby-sorts-otherwise": "153.14",
    "standby-no-rewind": "neither data_checksums nor wal_log_hints",
    "standby-logical-slot-lost": "lost by a promotion",
    "standby-archives-nothing": "/bin/true",
    "standby-read-only-by-default": "default_transaction_read_only of dr is 'on'",
    "standby-wal-level-lower": "wal_level of dr is 'replica'",
    "standby-half-pages": "full_page_writes of dr is",
    "standby-fewer-slots": "max_replication_slots of dr is 3",
    "standby-rejects-the-service": "rejects whom",
    "standby-knows-no-clients": "lacks the primary's rule",
    "standby-trusts-everybody": "lets in whom the primary does not: `host all all trust`",
    "standby-open-to-all-addresses": "for 0.0.0.0/0, the primary's is for 127.0.0.1/32",
    "standby-reserves-connections": "superuser_reserved_connections of dr is '38'",
    "standby-small-temporary-files": "temp_file_limit of dr is '1024'",
    "standby-archives-no-more-after-a-restart": "archive_mode is 'on', and 'off' from the next start on",
    "standby-page-rotten-unread": "quiet on dr cannot be read",
    "standby-other-rows": "quiet has other rows on dr (500)",
    "standby-heartbeat-from-the-future": "in the future",
    "standby-unlogged-table": "public.carts",
    "standby-replay-frozen": "bytes short of",
    "standby-replay-blocked": "bytes short of",
    "standby-keeps-its-timeline": "follows no promotion",
    "standby-recovery-target-left": "recovery_target_name",
    "standby-page-broken": "failed their checksum",
}
"""What the sentence says that only this damage brings about."""


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
        assert WORDS[damage.name] in "; ".join(told for name in damage.caught_by for told in found[name])
