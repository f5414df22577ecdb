"""The probe of a Prometheus server."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import unquote_plus, urlencode

from typing_extensions import override

from opsproof.errors import BadAnswer, NoData, NotObserved
from opsproof.evidence.observer import Observer
from opsproof.probes.http.probe import HttpProbe
from opsproof.probes.metrics import api, forms
from opsproof.probes.metrics.promql import PART, UNSEEN, compiled, narrowed, selectors, unseen
from opsproof.probes.metrics.sample import Sample, noted
from opsproof.profile.numbers import MetricForm, Quantile, Rate, Ratio
from opsproof.profile.scalars import duration_text
from opsproof.profile.selectors import labels_that_must_be, parsed_selector
from opsproof.profile.targets import PrometheusTarget

if TYPE_CHECKING:
    from opsproof.probes.http.clients import Clients

T = TypeVar("T")

_BY_HAND = "Ask it by hand in Prometheus' own page (/graph)."


class PrometheusProbe(HttpProbe):
    """Asks a Prometheus server, or what speaks its HTTP API."""

    def __init__(self, name: str, target: PrometheusTarget, observer: Observer) -> None:
        super().__init__(name, target, observer)
        self._prometheus = target
        self._labels: Mapping[str, str] = target.labels
        self._time: Mapping[str, str] = {}

    def at(self, time: datetime) -> PrometheusProbe:
        """The same server, asked for what its numbers were at a time; it shares connections, budget and evidence."""
        return _Earlier(self, self._prometheus, time)

    async def number(self, question: MetricForm | str, *, max_age: float, empty: float | None = None) -> Sample:
        """
        The one number that a question has for an answer.

        Args:
            question: A structured form, or PromQL.
            max_age: Seconds; where the newest sample of what is asked about is older, there is no answer.
            empty: What it means that no series matches; None if it means nothing. It counts only while the server
                watches something, and in a form only while the metric is there.

        Raises:
            NoData: There is no series (and says which part of the question matches none), no traffic, a number that is
                none (NaN, infinite), several series, or only samples that are too old.
            BadAnswer: The query failed, something else than Prometheus answered, or a part is larger than the whole.
            NotObserved: There is no answer; says why.
        """
        if isinstance(question, str):
            return await self._of_promql(question, max_age, empty)
        return await self._of_form(question, max_age, empty)

    async def query_range(self, promql: str, *, start: datetime, end: datetime, step: float) -> list[api.Series]:
        """
        What a PromQL expression was over a stretch.

        Args:
            promql: The expression.
            start: Begin of the stretch.
            end: End of the stretch.
            step: Seconds between two points.

        Raises:
            NotObserved: There is no answer; says why.
        """
        query = {"query": promql, "start": start.timestamp(), "end": end.timestamp(), "step": step}
        data, _ = await self._data(f"/api/v1/query_range?{urlencode(query)}")
        return self._read(api.series, data, promql)

    async def samples(self, selector: str, *, start: datetime, end: datetime) -> list[api.Series]:
        """
        Every sample as it was scraped: not on a grid, and nothing interpolated.

        Args:
            selector: A plain selector of series; narrowed by the target's labels.
            start: Of the stretch.
            end: Of the stretch, to the millisecond.

        Raises:
            NotObserved: There is no answer; says why.
        """
        asked = f"{narrowed(selector, self._labels)}[{round((end - start).total_seconds() * 1000)}ms]"
        data, _ = await self._data(f"/api/v1/query?{urlencode({'query': asked, 'time': f'{end.timestamp():.3f}'})}")
        return self._read(api.series, data, asked)

    async def instant(self, promql: str) -> list[api.Point]:
        """Every series that an expression gives now, whatever its value. Raises NotObserved."""
        return (await self._instant(promql))[0]

    async def present(self, selector: str) -> str:
        """What is missing of a selector now: metric, label or series; "" if some match. Raises NotObserved."""
        return (await self._presence(narrowed(selector, self._labels))).words

    async def targets(self) -> list[api.ScrapedTarget]:
        """What it scrapes, and how that goes. Raises NotObserved as `number`."""
        data, _ = await self._data("/api/v1/targets?state=active")
        return self._read(api.scraped_targets, data, "/api/v1/targets")

    async def rules(self) -> list[api.AlertRule]:
        """The alert rules that it has loaded. Raises NotObserved as `number`."""
        data, _ = await self._data("/api/v1/rules?type=alert")
        return self._read(api.alert_rules, data, "/api/v1/rules")

    @override
    def _shown(self, path: str) -> str:
        return unquote_plus(path)

    async def _of_promql(self, promql: str, max_age: float, empty: float | None) -> Sample:
        await self._must_be_fresh(selectors(promql), max_age)
        found, note = await self._instant(promql)
        if not found:
            return await self._nothing(selectors(promql), promql, empty)
        try:
            return Sample(_one(found), note)
        except forms.Nothing as nothing:
            raise self._no_data(str(nothing), promql) from None

    async def _of_form(self, form: MetricForm, max_age: float, empty: float | None) -> Sample:
        promql, always_there = compiled(form, self._labels), _there_with_traffic(form, self._labels)
        await self._must_be_fresh([always_there], max_age)
        window = duration_text(form.window)
        answer, note = await self._instant(f"{promql} or {unseen(always_there, window)}")
        found = [point for point in answer if point.labels.get(PART) != UNSEEN]
        parts = {point.labels.get(PART, ""): point.value for point in found}
        nothing = not found or (isinstance(form, Ratio) and "over" not in parts)
        if nothing and not (there := await self._presence(always_there)).is_known:
            return await self._nothing([always_there], promql, empty if there.metric else None)
        if len(found) < len(answer):
            what = f"the window of {window} holds one sample of {always_there} at most; the scrape interval is longer"
            next_step = "Let `window` be at least four of Prometheus' scrape intervals (Status > Targets)."
            raise self._failed(NoData, what, always_there, next_step)
        try:
            sample = _computed(form, found, parts)
        except forms.Nothing as exc:
            raise self._no_data(str(exc), promql) from None
        except forms.Contradiction as exc:
            next_step = "Let `over` select the same series as `of`, and those that `of` leaves out."
            raise self._failed(BadAnswer, str(exc), promql, next_step) from None
        if isinstance(form, Ratio) and "of" not in parts:
            of = await self._presence(narrowed(form.of, self._labels))
            if not of.is_known and (empty is None or not of.metric):
                raise self._no_data(of.words, form.of)
        return Sample(sample.value, noted(sample.note, note), sample.at_least)

    async def _nothing(self, asked: Sequence[str], promql: str, empty: float | None) -> Sample:
        """No series: what the indicator says that it means, as long as Prometheus watches anything at all."""
        watched, _ = await self._instant("count(up)")
        if not watched:
            what = "Prometheus holds no sample of any target: its store is empty, or it scrapes nothing"
            raise self._no_data(what, promql)
        words = [(await self._presence(selector)).words for selector in asked if not selector.startswith("{")]
        what = next(filter(None, words), "the query gives no series, although its metrics are there")
        if empty is None:
            raise self._no_data(what, promql)
        return Sample(empty, f"{what}: counted as this number by the indicator")

    async def _must_be_fresh(self, asked: Sequence[str], max_age: float) -> None:
        """A number computed from samples of long ago says nothing of now, however fresh the answer is."""
        ages = await asyncio.gather(*map(self._age, asked))
        for selector, age in zip(asked, ages, strict=True):
            if age is not None and age > max_age:
                what = f"the newest sample of {selector} is {age:.0f} s old, and older than {max_age:g} s is no answer"
                raise self._no_data(what, selector)

    async def _age(self, selector: str) -> float | None:
        """Seconds since the newest sample that a selector matches; None if it has matched none in the last hour."""
        found, _ = await self._instant(f"time() - max(timestamp({selector}))")
        if not found:
            found, _ = await self._instant(f"time() - max(max_over_time(timestamp({selector})[1h:15s]))")
        return found[0].value if found else None

    async def _presence(self, selector: str) -> _Presence:
        """What is there of a selector: its series, or the metric and its labels, or not even these."""
        parsed = parsed_selector(selector)
        data, _ = await self._data(f"/api/v1/labels?{urlencode({'match[]': narrowed(parsed.name, {})})}")
        known = set(data) if isinstance(data, list) else set()
        if not known:
            return _Presence(f"there is no metric {parsed.name}", is_known=False, metric=False)
        all_series, _ = await self._instant(f"count({narrowed(parsed.name, self._labels)})")
        if not all_series:
            words = f"the metric {parsed.name} was there once, and has no series now"
            return _Presence(words, is_known=False, metric=False)
        labels = [name for name in labels_that_must_be(parsed) if name not in known]
        if labels:
            there = ", ".join(sorted(known - {"__name__"}))
            words = f"the metric {parsed.name} has no label {', '.join(labels)}; it has: {there}"
            return _Presence(words, is_known=False, metric=True)
        found, _ = await self._instant(f"count({selector})")
        words = "" if found else f"the metric {parsed.name} is there, but no series matches {selector}"
        return _Presence(words, is_known=True, metric=True)

    async def _instant(self, promql: str) -> tuple[list[api.Point], str]:
        data, note = await self._data(f"/api/v1/query?{urlencode({'query': promql, **self._time})}")
        return self._read(api.points, data, promql), note

    async def _data(self, path: str) -> tuple[Any, str]:
        answer = await self.get(path)
        try:
            return api.data_of(answer)
        except api.NoApi as exc:
            raise self._failed(BadAnswer, str(exc), path, _BY_HAND) from None

    def _read(self, reader: Callable[[Any], T], data: Any, question: str) -> T:
        try:
            return reader(data)
        except api.NoApi as exc:
            raise self._failed(BadAnswer, str(exc), question, _BY_HAND) from None

    def _no_data(self, what: str, question: str) -> NotObserved:
        next_step = "See Status > Targets of Prometheus, and compare the names with the service's /metrics."
        return self._failed(NoData, what, question, next_step)

    def _failed(self, kind: type[NotObserved], what: str, question: str, next_step: str) -> NotObserved:
        where = self.observer.where(question)
        return kind(self.observer.redactor.text(what), where=where, next_step=next_step, target=self.name)


class _Earlier(PrometheusProbe):
    """Evaluates every question at an earlier time, over the connections of another probe."""

    def __init__(self, now: PrometheusProbe, target: PrometheusTarget, time: datetime) -> None:
        super().__init__(now.name, target, now.observer)
        self._now = now
        self._time = {"time": f"{int(time.timestamp())}"}

    @override
    def _open(self, question: str) -> Clients:
        return self._now._open(question)


class _Presence(NamedTuple):
    """
    What is there of a selector.

    Attributes:
        words: What is missing, or "".
        is_known: True if the metric has series now, and every label that the selector names.
        metric: True if the metric has series now.
    """

    words: str
    is_known: bool
    metric: bool


def _computed(form: MetricForm, found: Sequence[api.Point], parts: Mapping[str, float]) -> Sample:
    """The number of a form; no series of a metric that is there have increased by nothing."""
    if isinstance(form, Ratio):
        return forms.share(parts.get("of", 0.0), parts.get("over", 0.0))
    if isinstance(form, Quantile):
        return forms.quantile(form, {float(point.labels.get("le", "nan")): point.value for point in found})
    increase = found[0].value if found else 0.0
    return forms.rate(form, increase) if isinstance(form, Rate) else Sample(increase)


def _one(found: Sequence[api.Point]) -> float:
    """The one finite number of an instant query."""
    if len(found) > 1:
        keys = {key for point in found for key in point.labels}
        differ = sorted(key for key in keys if len({point.labels.get(key) for point in found}) > 1)
        raise forms.Nothing(
            f"{len(found)} series where one number was expected; they differ in {', '.join(differ)}:"
            " sum them, or narrow the query"
        )
    value = found[0].value
    if math.isnan(value):
        raise forms.Nothing("NaN: nothing was divided by nothing, most likely for lack of traffic")
    if math.isinf(value):
        raise forms.Nothing(f"{'+' if value > 0 else '-'}Inf: something was divided by nothing")
    return value


def _there_with_traffic(form: MetricForm, labels: Mapping[str, str]) -> str:
    """The series of a form that are there whenever there is traffic; these must be fresh."""
    if isinstance(form, Ratio):
        return narrowed(form.over, labels)
    return narrowed(form.of, labels, "_count" if isinstance(form, Quantile) else "")
