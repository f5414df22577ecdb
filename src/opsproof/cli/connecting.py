"""`opsproof profile check --connect`: ask every indicator's question once, before somebody relies on it."""

import asyncio
import logging
from typing import Any, NamedTuple

from opsproof.errors import BadAnswer, NoData, NotObserved, Refused
from opsproof.evidence.observer import Observer
from opsproof.evidence.redaction import Redactor
from opsproof.probes import Probe, open_probe
from opsproof.probes.postgres import PostgresProbe
from opsproof.profile import secrets_of
from opsproof.profile.indicators import Indicator
from opsproof.profile.models import Profile
from opsproof.profile.thresholds import number_text

_TYPE = """
    SELECT format_type(oid, NULL) AS name, typcategory AS category FROM pg_type
    WHERE oid = pg_typeof(CASE WHEN false THEN ({sql}
    ) END)
"""
_NUMBERS = ("N", "B", "T")
"""Categories of PostgreSQL's types that give a number: numeric, boolean (0 or 1), timespan (seconds)."""


class Tried(NamedTuple):
    """
    What came of an indicator's question.

    Attributes:
        indicator: Its id.
        error: Why it cannot be asked, or None.
        answer: The number, or what else is worth knowing.
    """

    indicator: str
    error: NotObserved | Refused | None
    answer: str


def try_indicators(profile: Profile) -> list[Tried]:
    """
    Ask every indicator's question.

    SQL is planned (EXPLAIN) and not run; everything else is asked. That there is nothing to judge right now is told and
    is no mistake.

    Args:
        profile: With all its variables set.
    """
    return asyncio.run(_try_all(profile))


async def _try_all(profile: Profile) -> list[Tried]:
    # A statement that fails ends its pipeline too; psycopg would tell the second error beside the first.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    redactor = Redactor()
    redactor.add(secrets_of(profile))
    asked = {indicator.asks for indicator in profile.indicators.values() if not profile.lacks(indicator.asks)}
    probes = {name: _open(profile, name, redactor) for name in asked}
    try:
        return await asyncio.gather(*(_try(one, probes, profile) for one in profile.indicators.values()))
    finally:
        await asyncio.gather(*(probe.close() for probe in probes.values()))


def _open(profile: Profile, name: str, redactor: Redactor) -> Probe:
    target = profile.targets[name]
    observer = Observer(
        profile=profile.name,
        target=name,
        address=target.address,
        redactor=redactor,
        timeout=target.timeout,
        concurrency=target.concurrency,
    )
    return open_probe(name, target, observer)


async def _try(indicator: Indicator, probes: dict[str, Probe], profile: Profile) -> Tried:
    from opsproof.probes.reading import read_number

    if reason := profile.lacks(indicator.asks):
        return Tried(indicator.id, None, reason)
    probe = probes[indicator.asks]
    try:
        if indicator.sql is not None and isinstance(probe, PostgresProbe):
            return Tried(indicator.id, None, await _planned(indicator, probe))
        number = await read_number(indicator, probe, profile.timezone)
    except NoData as nothing:
        return Tried(indicator.id, None, f"nothing to judge now: {nothing.what}")
    except (NotObserved, Refused) as error:
        return Tried(indicator.id, error, "")
    return Tried(indicator.id, None, "; ".join(filter(None, (number_text(number.value, indicator.unit), number.note))))


async def _planned(indicator: Indicator, probe: PostgresProbe) -> str:
    """
    Let the database plan a statement, and say what it would give; the statement is not run.

    Raises:
        BadAnswer: The database cannot plan it, or it gives several columns or no number.
        Refused, NotObserved: As `PostgresProbe.rows`.
    """
    sql = indicator.sql or ""
    look_back: dict[str, Any] = {"window": indicator.over} if indicator.over else {}
    await probe.rows(f"EXPLAIN {sql}", **look_back)
    (found,) = await probe.rows(_TYPE.format(sql=sql.rstrip().rstrip(";")), **look_back)
    if found["category"] not in _NUMBERS:
        raise BadAnswer(
            f"the SQL gives {found['name']} where a number is expected",
            where=probe.observer.where(" ".join(sql.split())),
            next_step="Let it give a number: count(*), extract(epoch FROM ...), a cast such as ::numeric.",
            target=probe.name,
        )
    return f"the database can plan its SQL, which gives {found['name']}"
