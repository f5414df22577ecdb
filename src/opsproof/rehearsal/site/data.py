"""
Whether the recovered data is whole (runbook 001, 5.2 phase 5).

Every stretch of time ends before the failure: the runbook's "last day" would hold the outage itself, and its "last
hour" would be empty soon after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from opsproof.errors import NoData, PreconditionMissing
from opsproof.probes.backup.objects import Objects
from opsproof.profile.recovered import Completed, Count, Data, Reconciled, Versions
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.node import Node
from opsproof.rehearsal.site.cache import CacheKeeper

_SHOWN = 5


@dataclass(frozen=True)
class Reference:
    """
    What the home site held before the failure.

    Attributes:
        since: Begin of the stretch.
        until: Its end; what is younger was still under way when it was noted, and may be lost.
        counts: By name of the profile's count.
        totals: By name of the profile's total; as text.
    """

    since: datetime
    until: datetime
    counts: Mapping[str, int]
    totals: Mapping[str, str]


class DataChecks:
    """
    Judges the recovered database.

    Args:
        data: What the profile expects.
        database: The new primary.
        t0: The failure.
    """

    def __init__(self, data: Data, database: Node, t0: datetime) -> None:
        self._data = data
        self._database = database
        self.until = t0 - timedelta(seconds=data.settled)
        self.since = self.until - timedelta(seconds=data.window)

    async def counts(self, reference: Reference | None) -> list[str]:
        """Numbers of rows against the usual level, and against what the home site held in the same stretch."""
        self._needs(self._data.counts, "counts")
        found: list[str] = []
        for name, count in self._data.counts.items():
            rows = _number(await self._value(count.sql, self.since, self.until), name)
            found += off(name, rows, count, f"{self.since:%m-%d %H:%M} to {self.until:%m-%d %H:%M} UTC")
            if reference is not None:
                before = reference.counts[name]
                now = _number(await self._value(count.sql, reference.since, reference.until), name)
                if now != before:
                    found.append(f"{name}: {now} rows where the home site held {before}, in the same stretch of time")
        return found

    async def totals(self, reference: Reference | None) -> list[str]:
        """Business totals that are not what they were in the same stretch before the failure."""
        self._needs(self._data.totals, "totals")
        if reference is None:
            raise PreconditionMissing(
                "nothing was noted at the home site before the failure",
                where=", ".join(self._data.totals),
                next_step="Note the reference before the failure of the next rehearsal.",
            )
        found = []
        for name, sql in self._data.totals.items():
            value = str(await self._value(sql, reference.since, reference.until))
            if value != reference.totals[name]:
                found.append(f"{name} is {value}, and was {reference.totals[name]} before the failure")
        return found

    async def completed(self) -> list[str]:
        """Whether enough of the work came to its end; too few rows say nothing, and are not well."""
        rule = self._needs(self._data.completed, "completed")
        rows = await self._database.rows(rule.sql, since=self.since, until=self.until)
        return unfinished({str(row["status"]): int(row["count"]) for row in rows}, rule)

    async def versions(self, *, polluted: bool) -> list[str]:
        """
        Whether one version decided, and the right one.

        Args:
            polluted: Whether the newest rules are the damage; the last good version is expected then.
        """
        rule = self._needs(self._data.versions, "versions")
        rows = await self._database.rows(rule.sql, since=self.since, until=self.until)
        return mixed([str(row["version"]) for row in rows], rule, polluted=polluted)

    async def _value(self, sql: str, since: datetime, until: datetime) -> Any:
        return await self._database.value(sql, since=since, until=until)

    def _needs(self, there: Any, key: str) -> Any:
        if not there:
            raise PreconditionMissing(
                f"the profile names no `{key}`",
                where="rehearsals.recovered.data",
                next_step=f"Give `{key}`; without it nothing says whether the data is whole.",
            )
        return there


async def reference_of(data: Data, home: Node, now: datetime) -> Reference:
    """
    Note what the home site holds; before the failure.

    Args:
        now: The clock of the rehearsal.
    """
    until = now - timedelta(seconds=data.settled)
    since = until - timedelta(seconds=data.window)
    counts = {
        name: _number(await home.value(one.sql, since=since, until=until), name) for name, one in data.counts.items()
    }
    totals = {name: str(await home.value(sql, since=since, until=until)) for name, sql in data.totals.items()}
    return Reference(since, until, counts, totals)


async def torn_apart(
    name: str, rule: Reconciled, database: Node, cache: CacheKeeper | None, asking: Asking
) -> list[str]:
    """Ids that only one of two stores knows, both ways."""
    ours = {str(row["id"]) for row in await database.rows(rule.sql)}
    theirs = set(await _others(rule, cache, asking))
    if not ours and not theirs:
        raise NoData(
            f"{name}: neither the database nor the other store has a single id",
            where=rule.sql,
            next_step="Reconcile what both have, or correct the SQL and the pattern.",
        )
    found = []
    for only, limit, where in (
        (ours - theirs, rule.only_database, "only in the database"),
        (theirs - ours, rule.only_other, "missing in the database, and known to the other store"),
    ):
        if len(only) > limit:
            some = ", ".join(sorted(only)[:_SHOWN])
            found.append(f"{name}: {len(only)} ids are {where} ({limit} are agreed): {some}")
    return found


async def _others(rule: Reconciled, cache: CacheKeeper | None, asking: Asking) -> Sequence[str]:
    if rule.store is not None:
        objects, prefix, suffix = Objects(rule.store), rule.prefix or "", rule.suffix

        def call() -> list[str]:
            names = [one.name for one in objects.names(prefix)]
            return [name[len(prefix) :].removesuffix(suffix) for name in names if name.endswith(suffix)]

        return await asking.ask(f"objects {prefix}*{suffix}", f"list {prefix}", call)
    if cache is None:
        raise PreconditionMissing(
            "the profile names no cache to reconcile with",
            where="rehearsals.recovered.cache",
            next_step="Give `cache`.",
        )
    return await (cache.ids(rule.keys) if rule.keys is not None else cache.queued(rule.queue or ""))


def off(name: str, rows: int, count: Count, stretch: str) -> list[str]:
    """Whether a number of rows is too far from the usual level."""
    low, high = count.expected * (1 - count.tolerance), count.expected * (1 + count.tolerance)
    if low <= rows <= high:
        return []
    return [f"{name}: {rows} rows from {stretch}; usual are {count.expected}, agreed are {low:.0f} to {high:.0f}"]


def unfinished(rows: Mapping[str, int], rule: Completed) -> list[str]:
    """Whether too little of the work came to its end."""
    whole = sum(rows.values())
    told = ", ".join(f"{status} {count}" for status, count in sorted(rows.items())) or "no row"
    if whole < rule.least:
        return [f"{whole} rows, and the share of {rule.status} says something from {rule.least} on ({told})"]
    share = rows.get(rule.status, 0) / whole
    if share > rule.above:
        return []
    return [f"{share:.1%} are {rule.status}, and must be above {rule.above:.0%} ({told})"]


def mixed(versions: Sequence[str], rule: Versions, *, polluted: bool) -> list[str]:
    """Whether it was not one version alone that decided, and the right one."""
    wanted = rule.last_good if polluted else rule.expected
    if list(versions) == [wanted]:
        return []
    told = ", ".join(sorted(versions)) or "nobody: there is no row"
    return [f"decided by {told}; it must be {wanted} alone"]


def _number(value: Any, name: str) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise NoData(
            f"{name}: {value!r} is no number of rows", where=name, next_step="Correct the SQL in the profile."
        ) from None
