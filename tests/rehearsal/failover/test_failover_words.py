"""What may differ between two servers, what their files say of the next start, and how much of them is read."""

import asyncio

import pytest

from opsproof.errors import NoData
from opsproof.rehearsal.damage.failover.pair import pair
from opsproof.rehearsal.failover.divergence import Record
from opsproof.rehearsal.failover.losses import losses
from opsproof.rehearsal.failover.next_start import next_start_faults
from opsproof.rehearsal.failover.pages import page_faults, row_faults
from opsproof.rehearsal.failover.parity import access_faults, setting_faults


def _rule(auth_method, address=None, netmask=None, roles="all"):
    return {
        "type": "host",
        "databases": "all",
        "roles": roles,
        "auth_method": auth_method,
        "address": address,
        "netmask": netmask,
    }


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ([_rule("scram-sha-256", "192.168.7.0", "255.255.255.0")], []),
        (
            [_rule("scram-sha-256", "10.0.0.0", "255.0.0.0")],
            ["for 10.0.0.0/8, the primary's is for 10.1.0.0/16 at most"],
        ),
        ([_rule("scram-sha-256", "all")], ["for all, the primary's is for 10.1.0.0/16 at most"]),
        (
            [_rule("trust", "10.1.0.0", "255.255.0.0")],
            ["lacks the primary's rule", "lets in whom the primary does not"],
        ),
        ([_rule("scram-sha-256", "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")], []),
        ([_rule("scram-sha-256", "db.example.com"), _rule("reject", "all", roles="service")], ["rejects whom"]),
    ],
)
def test_a_rule_may_have_other_addresses_and_no_more_of_them(own, words):
    """A DR site has a network of its own; what is open to the world is no network."""
    primary = [_rule("scram-sha-256", "10.1.0.0", "255.255.0.0")]
    found = access_faults("dr", own, primary)

    assert len(found) == len(words)
    assert all(word in one for word, one in zip(words, found, strict=True))


def test_settings_of_machine_part_and_log_may_differ_and_others_not():
    """A list of what must be alike forgets; a list of what may differ does not."""
    primary = {"work_mem": "4096", "log_statement": "all", "temp_file_limit": "-1", "port": "5432", "jit": "on"}
    own = {"work_mem": "8192", "log_statement": "none", "temp_file_limit": "100", "port": "6432", "pg_trgm.x": "1"}

    assert setting_faults("dr", own, primary) == ["temp_file_limit of dr is '100', that of the primary '-1'"]


@pytest.mark.parametrize(
    ("rest", "removed"),
    [
        (
            "2026-11-21 21:56:57 UTC; rels: base/5/16405 base/5/16410; inval msgs: relcache 1",
            {"base/5/16405", "base/5/16410"},
        ),
        ("2026-11-21 21:56:57 UTC; rels: base/5/t3_16405", set()),
    ],
)
def test_a_temporary_table_is_no_loss(rest, removed):
    """It ends with its session."""
    assert losses([Record("Transaction", 7, "0/1", "COMMIT", rest)], {7}).removed == removed


@pytest.mark.parametrize(
    ("delete", "deleted"),
    [
        ("xmax: 7, off: 2, infobits: [KEYS_UPDATED], flags: 0x00, blkref #0: rel 1663/5/9 blk 3 FPW", {(3, 2)}),
        ("off 2 flags 0x00 KEYS_UPDATED , blkref #0: rel 1663/5/9 blk 3", {(3, 2)}),
        ("off: 2, flags: 0x08, blkref #0: rel 1663/5/9 blk 3", set()),
        ("off: 4, flags: 0x00, blkref #0: rel 1663/5/9 blk 3", {(0, 1)}),
        ("off: 5, flags: 0x00, blkref #0: rel 1663/5/9 blk 3", set()),
    ],
    ids=["18", "15", "taken back", "was updated before", "was inserted before"],
)
def test_a_deleted_row_is_told_by_the_place_that_it_had_at_the_fork(delete, deleted):
    """There the new primary has it."""
    update = "old_off: 1, new_off: 4, blkref #0: rel 1663/5/9 blk 3, blkref #1: rel 1663/5/9 blk 0"
    insert = "+INIT off: 5, flags: 0x00, blkref #0: rel 1663/5/9 blk 3"
    found = [
        Record("Heap", 6, "0/1", "UPDATE", update),
        Record("Heap", 6, "0/2", "INSERT", insert),
        Record("Heap", 7, "0/3", "DELETE", delete),
        Record("Heap", 8, "0/4", "DELETE", "off: 9, flags: 0x00, blkref #0: rel 1663/5/9 blk 3"),
    ]

    assert losses(found, {6, 7}).files["1663/5/9"].deleted == deleted


def test_a_database_that_is_too_large_is_not_proven(grounds):
    """To read terabytes is nobody's surprise; to say that they were read would be a lie."""
    with pair(grounds) as servers:
        home, dr = servers.node(servers.home), servers.node(servers.dr)
        assert asyncio.run(page_faults(dr, 10**12)) == []
        with pytest.raises(NoData, match=r"at most 1,000 are read"):
            asyncio.run(page_faults(dr, 1000))
        with pytest.raises(NoData, match=r"not every page of home was read"):
            asyncio.run(row_faults(home, dr, 1000, 1.0))


def test_the_same_value_in_other_words_is_no_change(grounds):
    """4096 kB are 4 MB, and yes is on: only what would be another value is told."""
    with pair(grounds) as servers:
        home, node = servers.home, servers.node(servers.home)
        home.configure(work_mem="4MB", checkpoint_timeout="300s", fsync="no", autovacuum="yes", max_connections="7")
        assert asyncio.run(next_start_faults(node)) == []
        home.configure(checkpoint_timeout="10min")
        [told] = asyncio.run(next_start_faults(node))
        assert "checkpoint_timeout is '300', and '10min' from the next reload on" in told
