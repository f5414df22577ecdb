"""What is wrong with the stream of WAL from one server to another; judged from what both said."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
_NUMBERED = re.compile(r"^\s*(?:(?:FIRST|ANY)\s+)?(\d+)\s*\((.*)\)\s*$", re.IGNORECASE | re.DOTALL)


def receiver_faults(name: str, receiver: Row | None, silence: float) -> list[str]:
    """
    What is wrong with a standby's WAL receiver.

    Args:
        name: Of the standby.
        receiver: Its row of pg_stat_wal_receiver; None if there is none.
        silence: Seconds that may pass between two messages of the sender.
    """
    if receiver is None:
        return [
            f"{name} receives no WAL: pg_stat_wal_receiver is empty (that what it received equals what it replayed "
            "says nothing)"
        ]
    found = []
    if receiver["status"] != "streaming":
        found.append(f"the WAL receiver of {name} is {receiver['status'] or 'not told to this role'}, not streaming")
    if receiver["silent"] is None:
        found.append(f"{name} never had a message from its sender")
    elif receiver["silent"] > silence:
        found.append(f"{name} had its last message {receiver['silent']:.1f} s ago; at most {silence:g} s")
    return found


def sender_faults(name: str, receiver: Row | None, senders: Sequence[Row], silence: float, upstream: str) -> list[str]:
    """
    What is wrong with how the upstream server sees a standby; arguments as for `receiver_faults`.

    Args:
        senders: Rows of the upstream's pg_stat_replication.
        upstream: Its name.
    """
    if receiver is None:
        return [f"{upstream} cannot see {name}, which receives nothing; it sends to {_names(senders)}"]
    known_as = _application_name(receiver["conninfo"] or "")
    own = [row for row in senders if row["application_name"] == known_as]
    if not own:
        return [f"{upstream} does not send to {name} (application_name {known_as}); it sends to {_names(senders)}"]
    found = []
    for row in own:
        if row["state"] != "streaming":
            found.append(f"{upstream} says of {known_as}: {row['state']}, not streaming")
        if row["silent"] is None:
            found.append(f"{upstream} never had a reply from {known_as}")
        elif row["silent"] > silence:
            found.append(
                f"{upstream} had the last reply of {known_as} {row['silent']:.1f} s ago; at most {silence:g} s"
            )
    return found


def synchronous_faults(name: str, setting: str, senders: Sequence[Row]) -> list[str]:
    """
    Why commits on a server wait, or would, for a standby that is not there.

    Args:
        name: Of the server that waits.
        setting: Its synchronous_standby_names; the empty one waits for nobody.
        senders: Rows of its pg_stat_replication.
    """
    if not setting.strip():
        return []
    numbered = _NUMBERED.match(setting)
    needed = int(numbered[1]) if numbered else 1
    listed = [one.strip().strip('"') for one in (numbered[2] if numbered else setting).split(",")]
    there = [row for row in senders if row["state"] == "streaming" and row["sync_state"] in ("sync", "quorum")]
    found = []
    if len(there) < needed:
        found.append(
            f"commits on {name} wait for {needed} of synchronous_standby_names = '{setting}', and {len(there)} "
            f"stream: no write is acknowledged"
        )
    connected = {row["application_name"].lower() for row in senders}
    missing = [one for one in listed if one != "*" and one.lower() not in connected]
    if missing:
        found.append(f"synchronous_standby_names of {name} names {', '.join(missing)}: not connected")
    return found


def slot_faults(upstream: str, standby: str, slots: Sequence[Row], used: str | None, kept_otherwise: bool) -> list[str]:
    """
    What is wrong with the replication slots that hold WAL back for the standbys.

    Args:
        upstream: Server that has the slots.
        standby: Server that is looked after.
        slots: As `asked.slots` gives them.
        used: The slot that the standby streams from; None without one.
        kept_otherwise: Whether an archive or wal_keep_size would bridge an interruption without a slot.
    """
    found = []
    if used is None and not kept_otherwise:
        found.append(
            f"{standby} streams without a slot, wal_keep_size of {upstream} is 0 and restore_command is empty: after "
            "an interruption it must be built anew"
        )
    if used is not None and used not in [slot["slot_name"] for slot in slots]:
        found.append(f"the slot {used} that {standby} uses is not on {upstream}")
    for slot in slots:
        name = slot["slot_name"]
        if slot.get("wal_status") in ("lost", "unreserved"):
            found.append(f"slot {name} of {upstream} is {slot['wal_status']}: WAL that it needs is gone, or may go")
        if slot.get("invalidation_reason"):
            found.append(f"slot {name} of {upstream} is invalid: {slot['invalidation_reason']}")
        if not slot["active"] and not slot.get("synced"):
            found.append(f"slot {name} of {upstream} is not active: who should stream from it does not")
    return found


def logical_slot_faults(primary: Sequence[Row], standby: Sequence[Row], name: str) -> list[str]:
    """Logical slots of the primary that a promotion of the standby (`name`) would lose."""
    there = {slot["slot_name"]: slot for slot in standby if slot.get("synced")}
    found = []
    for slot in primary:
        if slot["slot_type"] != "logical":
            continue
        copy = there.get(slot["slot_name"])
        if copy is None:
            why = "it is not synchronized" if slot.get("failover") else "it was made without failover"
            found.append(f"logical slot {slot['slot_name']} is lost by a promotion of {name}: {why}")
        elif copy.get("invalidation_reason"):
            found.append(f"logical slot {slot['slot_name']} on {name} is invalid: {copy['invalidation_reason']}")
    return found


def _application_name(conninfo: str) -> str:
    import psycopg.conninfo

    told = psycopg.conninfo.conninfo_to_dict(conninfo)
    return str(told.get("application_name") or told.get("fallback_application_name") or "walreceiver")


def _names(senders: Sequence[Row]) -> str:
    return ", ".join(str(row["application_name"]) for row in senders) or "nobody"
