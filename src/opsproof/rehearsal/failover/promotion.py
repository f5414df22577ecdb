"""A standby is made the primary, and the first write on it."""

import secrets
import time
from dataclasses import dataclass

from opsproof.errors import NotObserved
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.failover import asked
from opsproof.rehearsal.node import Commit, Node

TOKENS = "opsproof_write_token"

_TABLE = f"""
    CREATE TABLE IF NOT EXISTS {TOKENS}
        (token text PRIMARY KEY, node text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp())
"""
_INSERT = f"INSERT INTO {TOKENS} (token, node) VALUES (%(token)s, %(node)s)"  # noqa: S608 a constant
_READ = f"SELECT count(*) FROM {TOKENS} WHERE token = %(token)s AND node = %(node)s"  # noqa: S608 a constant
_THERE = f"SELECT to_regclass('{TOKENS}') IS NOT NULL"


@dataclass(frozen=True)
class Promotion:
    """
    What came of a promotion.

    Attributes:
        returned: What pg_promote returned. False is no end of it: the request stays, and the server may promote itself
            at any later time, beside another one.
        finished: Whether it was seen to leave recovery, then or later within the patience.
        seconds: From the request until it had left recovery, or until the end of patience.
    """

    returned: bool
    finished: bool
    seconds: float


@dataclass(frozen=True)
class FirstWrite:
    """
    What came of a token that was written.

    Attributes:
        commit: As the client saw it.
        read_back: Whether a second connection saw it, and saw it there as this node's.
    """

    commit: Commit
    read_back: bool


async def promote(node: Node, *, wait: int = 60, patience: float = 60.0) -> Promotion:
    """
    Promote a standby by pg_promote, and heed what it returns.

    Args:
        node: The standby.
        wait: Seconds that pg_promote itself waits.
        patience: Seconds to go on looking after it returned false.

    Raises:
        NotObserved: It could not be asked, or is in no recovery.
    """
    begun = time.monotonic()
    returned = bool(await node.value("SELECT pg_promote(true, %(wait)s)", seconds=wait + 15, wait=wait))
    recovering = await asked.until(lambda: asked.recovers(node), lambda recovers: not recovers, patience)
    return Promotion(returned, not recovering, round(time.monotonic() - begun, 3))


async def new_token(asking: Asking, purpose: str) -> str:
    """A token that was never written before; kept with the answers, so that a replay asks for the same one."""
    text = f"a token: {purpose}"
    return f"{purpose}-{await asking.ask(text, 'openssl rand -hex 8', lambda: secrets.token_hex(8))}"


async def first_write(node: Node, token: str, *, seconds: float = 5.0) -> FirstWrite:
    """
    Write a token, and read it back on a second connection.

    Args:
        node: Where to.
        token: Unique; it is written once.
        seconds: Limit on this side for each of both; no setting of the server ends a wait for a standby.
    """
    table_is_there = False
    try:
        table_is_there = bool(await node.value(_THERE, seconds=seconds))
    except NotObserved as exc:
        return FirstWrite(Commit(False, 0.0, exc.what), False)
    if not table_is_there:
        made = await node.commit(_TABLE, seconds=seconds)
        if not made.acknowledged:
            return FirstWrite(made, False)
    commit = await node.commit(_INSERT, seconds=seconds, token=token, node=node.name)
    return FirstWrite(commit, await has_token(node, token, of=node) if commit.acknowledged else False)


async def has_token(node: Node, token: str, *, of: Node) -> bool:
    """Whether a token that was written on one node (`of`) can be read on this one."""
    try:
        return bool(await node.value(_READ, token=token, node=of.name))
    except NotObserved:
        return False


async def forget_tokens(node: Node) -> None:
    """Drop the table of the tokens; its standbys follow. Raises NotObserved where it cannot."""
    await node.rows(f"DROP TABLE IF EXISTS {TOKENS}")
