"""What is asked of every server, whichever its part: identity, timeline, settings, slots, replication."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from opsproof.errors import NoData
from opsproof.rehearsal.node import Node

T = TypeVar("T")

_PAUSE_SECONDS = 0.25
_RECEIVER = """
    SELECT status, received_tli, slot_name, conninfo, sender_host, sender_port,
           extract(epoch FROM clock_timestamp() - last_msg_receipt_time)::float8 AS silent
    FROM pg_stat_wal_receiver
"""
_SENDERS = """
    SELECT application_name, client_addr::text AS address, state, sync_state,
           extract(epoch FROM clock_timestamp() - reply_time)::float8 AS silent
    FROM pg_stat_replication ORDER BY application_name, pid
"""
_TABLESPACES = """
    SELECT spcname AS name,
           (SELECT count(*) FROM pg_ls_dir('pg_tblspc/' || oid, true, false) d WHERE d LIKE 'PG\\_%') AS folders
    FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global') ORDER BY 1
"""


async def until(look: Callable[[], Awaitable[T]], done: Callable[[T], bool], seconds: float) -> T:
    """
    Look again and again until it is so.

    The rounds are counted, not timed, so that a replay of the answers goes through the same ones.

    Returns:
        The last answer: the first that is `done`, or the one at the end of patience.
    """
    found = await look()
    for _ in range(math.ceil(seconds / _PAUSE_SECONDS)):
        if done(found):
            break
        await asyncio.sleep(_PAUSE_SECONDS)
        found = await look()
    return found


async def recovers(node: Node) -> bool:
    """Whether the server is in recovery: a standby, or a restored copy that is not there yet."""
    return bool(await node.value("SELECT pg_is_in_recovery()"))


async def system_identifier(node: Node) -> int:
    """The number that initdb gave the cluster; all its physical copies have it."""
    return int(await node.value("SELECT system_identifier FROM pg_control_system()"))


async def timeline(node: Node) -> int:
    """
    The timeline on which a server writes, or which a standby receives.

    By the name of the WAL file: pg_control_checkpoint() tells that of the last checkpoint, which may be the old one
    for minutes after a promotion.

    Raises:
        NoData: A standby that receives nothing; it cannot tell which timeline it follows.
    """
    if await recovers(node):
        receiver = await wal_receiver(node)
        if receiver is None or receiver["received_tli"] is None:
            raise NoData(
                f"{node.name} receives no WAL, so its timeline is not known",
                where=f"{node.name}: pg_stat_wal_receiver",
                next_step="See the standby's log and its primary_conninfo.",
            )
        return int(receiver["received_tli"])
    return int(str(await node.value("SELECT pg_walfile_name(pg_current_wal_lsn())"))[:8], 16)


async def wal_receiver(node: Node) -> dict[str, Any] | None:
    """The standby's WAL receiver as pg_stat_wal_receiver shows it, `silent` in seconds; None without one."""
    found = await node.rows(_RECEIVER)
    return found[0] if found else None


async def wal_senders(node: Node) -> list[dict[str, Any]]:
    """Who receives WAL from this server, as pg_stat_replication shows it; `silent` is the age of the last reply."""
    return await node.rows(_SENDERS)


async def settings(node: Node) -> dict[str, str]:
    """Every setting as it is in force for the asking role."""
    found = await node.rows("SELECT name, setting FROM pg_settings ORDER BY name")
    return {row["name"]: row["setting"] or "" for row in found}


async def slots(node: Node) -> list[dict[str, Any]]:
    """Replication slots with all that this version tells of them; temporary ones left out."""
    found = await node.rows("SELECT to_jsonb(s) AS slot FROM pg_replication_slots s ORDER BY slot_name")
    return [row["slot"] for row in found if not row["slot"]["temporary"]]


async def tablespace_faults(node: Node) -> list[str]:
    """Tablespaces that lead to no folder of PostgreSQL's on this machine."""
    return [
        f"tablespace {row['name']} leads to no folder on {node.name}: its tables cannot be read"
        for row in await node.rows(_TABLESPACES)
        if not row["folders"]
    ]
