"""Points in time: markers that are committed on a source, and the targets between them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from opsproof.errors import PreconditionMissing
from opsproof.rehearsal.node import Node
from opsproof.rehearsal.restored.restored import RecoveryTarget

MARKERS = "public.opsproof_marker"
_TABLE = "CREATE TABLE IF NOT EXISTS public.opsproof_marker (name text PRIMARY KEY, at timestamptz NOT NULL)"
_PLANT = """
    INSERT INTO public.opsproof_marker VALUES (%(name)s, clock_timestamp())
    ON CONFLICT (name) DO UPDATE SET at = excluded.at
    RETURNING name, at, pg_current_xact_id()::text AS xid, pg_current_wal_lsn()::text AS lsn"""


@dataclass(frozen=True)
class Marker:
    """
    A row whose commit is a point in time.

    Attributes:
        name: Of the row.
        at: A moment before its commit, by the server's clock.
        committed: A moment after its commit, by the server's clock.
        xid: Its transaction.
    """

    name: str
    at: datetime
    committed: datetime
    xid: str

    def to_json(self) -> dict[str, str]:
        """As a journal keeps it."""
        return {**asdict(self), "at": self.at.isoformat(), "committed": self.committed.isoformat()}

    @classmethod
    def from_json(cls, kept: Mapping[str, str]) -> "Marker":
        """The marker that `to_json` has kept."""
        times = {name: datetime.fromisoformat(kept[name]) for name in ("at", "committed")}
        return cls(kept["name"], xid=kept["xid"], **times)


async def plant(node: Node, name: str) -> Marker:
    """
    Commit a marker row (table `public.opsproof_marker`) on the source; one of that name is moved to this moment.

    Raises:
        NotObserved: It is not committed: nothing can be said of the point in time then.
    """
    await node.rows(_TABLE)
    (row,) = await node.rows(_PLANT, name=name)
    committed = await node.value("SELECT clock_timestamp()")
    return Marker(name, datetime.fromisoformat(row["at"]), datetime.fromisoformat(committed), row["xid"])


async def is_there(node: Node, marker: str) -> bool:
    """Whether the copy has the marker row; False where it has not even the table."""
    if not await node.value("SELECT to_regclass('public.opsproof_marker') IS NOT NULL"):
        return False
    sql = "SELECT EXISTS (SELECT FROM public.opsproof_marker WHERE name = %(name)s)"
    return bool(await node.value(sql, name=marker))


def time_between(before: Marker, after: Marker) -> RecoveryTarget:
    """
    A target in whole seconds between two markers if there is one, else in the middle; with an offset.

    Raises:
        PreconditionMissing: The second was not committed after the first.
    """
    if after.at <= before.committed:
        raise PreconditionMissing(
            f"marker {after.name} ({after.at.isoformat()}) does not come after {before.name} "
            f"({before.committed.isoformat()})",
            where="the source's clock",
            next_step="Plant the second marker after the first is committed; see whether the clock was set back.",
        )
    whole = before.committed.replace(microsecond=0) + timedelta(seconds=1)
    middle = before.committed + (after.at - before.committed) / 2
    return RecoveryTarget("time", (whole if whole < after.at else middle).isoformat())


def transaction_of(marker: Marker, *, inclusive: bool = True) -> RecoveryTarget:
    """The marker's transaction as a target: replayed still, or not any more."""
    return RecoveryTarget("xid", marker.xid, inclusive=inclusive)
