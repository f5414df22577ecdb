"""What both sides say of a link, judged."""

from opsproof.rehearsal.failover.link import receiver_faults, sender_faults, slot_faults, synchronous_faults

_RECEIVER = {"status": "streaming", "silent": 1.0, "conninfo": "host=x fallback_application_name=dr"}
_SENDER = {"application_name": "dr", "state": "streaming", "silent": 1.0, "sync_state": "sync"}


def test_a_link_that_fell_silent_is_said_with_its_seconds():
    """Both sides go on saying streaming for as long as no timeout ends it."""
    assert receiver_faults("dr", _RECEIVER, 5) == []
    assert receiver_faults("dr", {**_RECEIVER, "silent": 61.0}, 60) == [
        "dr had its last message 61.0 s ago; at most 60 s"
    ]
    assert sender_faults("dr", _RECEIVER, [_SENDER], 60, "home") == []
    assert "last reply of dr 61.0 s" in sender_faults("dr", _RECEIVER, [{**_SENDER, "silent": 61.0}], 60, "home")[0]


def test_what_was_never_said_is_not_well():
    """NULL is no small number."""
    assert receiver_faults("dr", None, 60)
    assert receiver_faults("dr", {**_RECEIVER, "silent": None}, 60)
    assert receiver_faults("dr", {**_RECEIVER, "status": None}, 60)
    assert sender_faults("dr", _RECEIVER, [{**_SENDER, "silent": None}], 60, "home")
    assert sender_faults("dr", _RECEIVER, [], 60, "home")
    assert sender_faults("dr", _RECEIVER, [{**_SENDER, "state": "catchup"}], 60, "home")


def test_every_form_of_synchronous_standby_names_is_understood():
    """FIRST, ANY, a bare list and a star wait for different numbers of servers."""
    quorum = {**_SENDER, "sync_state": "quorum"}
    assert synchronous_faults("home", "", []) == []
    assert synchronous_faults("home", "*", [_SENDER]) == []
    assert synchronous_faults("home", "dr", [_SENDER]) == []
    assert synchronous_faults("home", 'ANY 1 ("dr")', [quorum]) == []
    assert len(synchronous_faults("home", "*", [])) == 1
    assert len(synchronous_faults("home", "FIRST 1 (dr, ghost)", [_SENDER])) == 1
    assert len(synchronous_faults("home", "2 (dr, ghost)", [_SENDER])) == 2
    assert len(synchronous_faults("home", "dr", [{**_SENDER, "state": "catchup"}])) == 1


def test_every_slot_that_holds_no_more_is_named():
    """A slot that is there, and has lost its WAL, is worse than none: it looks well."""
    sound = {"slot_name": "dr", "slot_type": "physical", "active": True, "wal_status": "reserved"}
    assert slot_faults("home", "dr", [sound], "dr", False) == []
    assert slot_faults("home", "dr", [], None, True) == []
    assert "not on home" in slot_faults("home", "dr", [], "dr", True)[0]
    assert "lost" in slot_faults("home", "dr", [{**sound, "wal_status": "lost"}], "dr", True)[0]
    assert (
        "not active" in slot_faults("home", "dr", [sound, {**sound, "slot_name": "x", "active": False}], "dr", True)[0]
    )
    assert slot_faults("home", "dr", [{**sound, "active": False, "synced": True}], "dr", True) == []
