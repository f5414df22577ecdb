"""Read the number of an indicator from the probe of its target."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from opsproof.errors import BadAnswer, NoData, NotObserved, PreconditionMissing
from opsproof.probes.alertmanager import AlertmanagerProbe
from opsproof.probes.host import HostProbe
from opsproof.probes.http import HttpProbe
from opsproof.probes.loki import LokiProbe
from opsproof.probes.metrics import PrometheusProbe, ScrapeProbe
from opsproof.probes.postgres import PostgresProbe
from opsproof.probes.probe import Probe
from opsproof.probes.redis import RedisProbe
from opsproof.probes.store import MOST_OBJECTS, StoreProbe
from opsproof.profile.indicators import Indicator
from opsproof.profile.numbers import HttpNumber, MetricForm, ObjectsNumber, RedisNumber, dated

_MOST_KEYS = 10_000
_LENGTHS = ("llen", "scard", "zcard", "hlen", "xlen")


@dataclass(frozen=True)
class Number:
    """
    What an indicator shows.

    Attributes:
        value: Finite; a share for `%`, seconds for a time.
        note: What else the answer said: warnings, the counts behind a share.
        at_least: True if the value is a lower bound.
    """

    value: float
    note: str = ""
    at_least: bool = False


async def read_number(indicator: Indicator, probe: Probe, timezone: str, *, window: float | None = None) -> Number:
    """
    Read the number of an indicator.

    Args:
        indicator: What is asked.
        probe: The probe of the target that it asks.
        timezone: Where `{today}` in the name of a key is meant.
        window: For a number over a stretch: its length in seconds, up to now, in place of the indicator's own.

    Raises:
        NoData: There is nothing, and the indicator does not say what that means; or what there is, is no number to
            judge (NULL, NaN, infinite, stale, several series, no traffic). Every case has its own words.
        PreconditionMissing: The target is of a kind that cannot be asked this.
        NotObserved: There is no answer; says why.
    """
    if isinstance(probe, (PrometheusProbe, ScrapeProbe)):
        question: MetricForm | str | None = indicator.promql
        if form := indicator.form:
            question = form.model_copy(update={"window": window}) if window else form
        if question is not None:
            sample = await probe.number(question, max_age=indicator.max_age, empty=indicator.empty)
            return Number(sample.value, sample.note, sample.at_least)
    try:
        value = await _value(indicator, probe, timezone, window)
    except NoData:
        if indicator.empty is None:
            raise
        return Number(indicator.empty, "there was nothing, which the indicator counts as this number")
    return value if isinstance(value, Number) else Number(_number(value, indicator, probe))


async def _value(indicator: Indicator, probe: Probe, timezone: str, window: float | None) -> Any:
    match indicator.source, probe:
        case "sql", PostgresProbe():
            look_back: dict[str, Any] = {"window": window or indicator.over} if indicator.over else {}
            return await probe.value(indicator.sql or "", **look_back)
        case "redis", RedisProbe() if indicator.redis:
            return await _in_cache(indicator.redis, probe, timezone)
        case "http", HttpProbe() if indicator.http:
            return await _in_answer(indicator.http, probe)
        case "logs", LokiProbe() if indicator.logs:
            return await probe.count(indicator.logs.query, window=window or indicator.logs.window)
        case "alerts", AlertmanagerProbe() if indicator.alerts:
            return len(await probe.alerts(match=indicator.alerts.match, silenced=indicator.alerts.silenced))
        case "host", HostProbe() if indicator.host:
            return await probe.number(indicator.host)
        case "objects", StoreProbe() if indicator.objects:
            return await _in_store(indicator.objects, probe, timezone)
    raise _error(
        PreconditionMissing,
        f"a target of this kind cannot be asked by {indicator.source}",
        f"Name a target of the right kind in the indicator's `target`, or give {indicator.asks} another kind.",
        probe,
        indicator.source,
    )


async def _in_cache(number: RedisNumber, probe: RedisProbe, timezone: str) -> Any:
    for word in _LENGTHS:
        if key := getattr(number, word):
            key = _dated(key, timezone)
            length = await probe.read(word.upper(), key)
            if length == 0:
                missing = "no entry in" if word == "xlen" else "no key"
                return Number(0, f"there is {missing} {key}, which is length 0")
            return length
    if number.get is not None:
        key = _dated(number.get, timezone)
        value = await probe.read("GET", key)
        if value is None:
            next_step = "See whether what writes the key runs, and whether its name is spelled like that."
            raise _error(NoData, f"there is no key {key}", next_step, probe, f"GET {key}")
        return value
    if number.scan is not None:
        return len(await probe.scan(_dated(number.scan, timezone), _MOST_KEYS))
    section, _, name = (number.info or "").partition(".")
    found = await probe.info(section)
    if name not in found:
        there = ", ".join(sorted(found)) or "nothing"
        next_step = f"Correct `info` in the indicator; the section has: {there}"
        raise _error(NoData, f"INFO {section} has no {name}", next_step, probe, f"INFO {section}")
    return found[name]


async def _in_answer(number: HttpNumber, probe: HttpProbe) -> Any:
    answer = await probe.get(number.path, identity=number.identity)
    if not answer.ok:
        next_step = "See what the service logs for this path; ask again by hand."
        raise _error(BadAnswer, f"{answer.status_line} where a number was expected", next_step, probe, number.path)
    value = answer.field(number.field)
    if value is None:
        next_step = "See why the service does not know it."
        raise _error(NoData, f"{number.field} is null", next_step, probe, number.path)
    return value


async def _in_store(number: ObjectsNumber, probe: StoreProbe, timezone: str) -> Number:
    prefix = _dated(number.prefix, timezone)
    listing = await probe.listing(prefix)
    more = "" if listing.whole else f"there are more than the {MOST_OBJECTS:,} objects that were looked at"
    if number.of == "count":
        return Number(listing.count, more, at_least=not listing.whole)
    if more and number.of in ("newest-age", "newest-bytes"):
        next_step = "Narrow the prefix of the indicator to a folder with fewer objects: {today} in it, for one."
        raise _error(NoData, f"{more}; the newest is not known", next_step, probe, probe.question(prefix))
    if listing.newest is None or listing.oldest is None:
        what = more or f"the store answers, and there is no object {prefix}*"
        next_step = "See whether what writes the objects runs, and whether the prefix is spelled like that."
        raise _error(NoData, what, next_step, probe, probe.question(prefix))
    if number.of == "bytes":
        return Number(listing.size, more or f"{listing.count:,} objects", at_least=not listing.whole)
    one = listing.oldest if number.of == "oldest-age" else listing.newest
    value = one.size if number.of == "newest-bytes" else one.age
    words = f"{one.name}, {one.size:,} bytes, written {one.written}"
    return Number(value, f"{words}; {more}" if more else words, at_least=not listing.whole)


def _dated(key: str, timezone: str) -> str:
    return dated(key, datetime.now(ZoneInfo(timezone)).date())


def _number(value: Any, indicator: Indicator, probe: Probe) -> float:
    question = indicator.source
    try:
        number = float(value) if not isinstance(value, bool) else float(int(value))
    except (TypeError, ValueError):
        next_step = "Let the question give a number."
        raise _error(BadAnswer, f"{value!r} where a number was expected", next_step, probe, question) from None
    if not math.isfinite(number):
        next_step = "See where it comes from: a division by zero, most likely."
        raise _error(NoData, f"{number} is no number to judge", next_step, probe, question)
    return number


def _error(kind: type[NotObserved], what: str, next_step: str, probe: Probe, question: str) -> NotObserved:
    return kind(what, where=probe.observer.where(question), next_step=next_step, target=probe.name)
