"""The probe of a service's own /metrics, where there is no Prometheus: read twice, a span apart."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from urllib.parse import urlsplit

from opsproof.errors import BadAnswer, NoData, NotObserved, PreconditionMissing
from opsproof.evidence.observer import Observer
from opsproof.evidence.recorder import Recorder, recording
from opsproof.probes.exposition import NotExposition
from opsproof.probes.http.answer import HttpAnswer
from opsproof.probes.http.probe import HttpProbe
from opsproof.probes.metrics import forms
from opsproof.probes.metrics.readings import Reading, increases
from opsproof.probes.metrics.sample import Sample, noted
from opsproof.profile.numbers import Increase, MetricForm, Quantile, Ratio
from opsproof.profile.selectors import labels_that_must_be, parsed_selector
from opsproof.profile.targets import ScrapeTarget, Url

_SECOND = {"X-Opsproof-Reading": "second"}


class ScrapeProbe(HttpProbe):
    """Reads a service's own metrics twice; all questions of a sweep share the two readings."""

    def __init__(self, name: str, target: ScrapeTarget, observer: Observer) -> None:
        parts = urlsplit(target.url.get_secret_value())
        origin = parts._replace(path="", query="").geturl()
        super().__init__(name, target.model_copy(update={"url": Url(origin)}), observer)
        self._path = (parts.path or "/metrics") + (f"?{parts.query}" if parts.query else "")
        self._span = target.span

    async def number(self, question: MetricForm | str, *, max_age: float, empty: float | None = None) -> Sample:
        """
        The one number that a form has for an answer; the span between the readings stands in for its window.

        Args:
            question: A structured form; PromQL needs a Prometheus.
            max_age: Not needed here: both readings are of now.
            empty: What it means that no series of the metric has such a label; None if it means nothing.

        Raises:
            PreconditionMissing: The question is PromQL.
            NoData: There is no such metric or label, or no traffic between the readings.
            BadAnswer: What answers is no exposition, or a part is larger than the whole.
            NotObserved: There is no answer; says why.
        """
        if isinstance(question, str):
            raise self._failed(
                PreconditionMissing,
                "only a Prometheus can answer PromQL",
                "Give the profile a target `metrics` of kind prometheus, or use ratio, rate, increase or quantile.",
            )
        before, after, seconds = await self._readings()
        absent, unknown = _absent_metric(before, after, question), _unknown_label(before, after, question)
        if absent or (unknown and empty is None):
            next_step = "Compare the names with what the service's /metrics shows."
            raise self._failed(NoData, absent or unknown, next_step)
        if unknown and empty is not None:
            return Sample(empty, f"{unknown}: counted as this number by the indicator")
        try:
            sample = _computed(question, before, after, seconds)
        except forms.Nothing as nothing:
            raise self._failed(NoData, str(nothing), "See whether anybody uses the service.") from None
        except forms.Contradiction as wrong:
            next_step = "Let `over` select the same series as `of`, and those that `of` leaves out."
            raise self._failed(BadAnswer, str(wrong), next_step) from None
        return Sample(sample.value, noted(sample.note, f"over {seconds:.1f} s"), sample.at_least)

    async def reading(self) -> Reading:
        """One reading of now. Raises NotObserved where there is no answer, or something else than metrics."""
        return self._parsed((await self._read({}))[0])

    async def _readings(self) -> tuple[Reading, Reading, float]:
        first, began = await self._read({})
        if not self.replays:
            passed = (datetime.now(UTC) - began).total_seconds()
            await asyncio.sleep(min(self._span, max(0.0, self._span - passed)))
        second, ended = await self._read(_SECOND)
        return self._parsed(first), self._parsed(second), (ended - began).total_seconds()

    async def _read(self, headers: dict[str, str]) -> tuple[HttpAnswer, datetime]:
        """One reading, and when it was asked for: that is in the observation, which all askers and a replay share."""
        recorder = recording.get() or Recorder("")
        before = recording.set(recorder)
        try:
            answer = await self.get(self._path, headers=headers)
        finally:
            recording.reset(before)
        return answer, recorder.observations[-1].started

    def _parsed(self, answer: HttpAnswer) -> Reading:
        if answer.ok:
            try:
                return Reading.of(answer.text)
            except NotExposition as exc:
                what = f"{answer.status_line} with something else than Prometheus metrics: {exc}"
        else:
            what = f"{answer.status_line} where metrics were expected"
        raise self._failed(BadAnswer, what, "See by hand what is served there.")

    def _failed(self, kind: type[NotObserved], what: str, next_step: str) -> NotObserved:
        where = self.observer.where(f"GET {self._path}")
        return kind(self.observer.redactor.text(what), where=where, next_step=next_step, target=self.name)


def _computed(form: MetricForm, before: Reading, after: Reading, seconds: float) -> Sample:
    if isinstance(form, Quantile):
        buckets: dict[float, float] = {}
        for labels, increase in increases(before, after, form.of, "_bucket"):
            end = float(labels.get("le", "nan"))
            buckets[end] = buckets.get(end, 0.0) + increase
        return forms.quantile(form, buckets)
    of = sum(increase for _, increase in increases(before, after, form.of))
    if isinstance(form, Ratio):
        return forms.share(of, sum(increase for _, increase in increases(before, after, form.over)))
    if isinstance(form, Increase):
        return Sample(of * form.window / seconds, f"{of:.6g}, scaled to {form.window:g} s")
    return Sample(of / seconds)


def _absent_metric(before: Reading, after: Reading, form: MetricForm) -> str:
    """Which metric of a form neither reading has; "" if each is there."""
    names = [name for name, _ in _parts(form) if not (after.values.get(name) or before.values.get(name))]
    return f"there is no metric {names[0]}" if names else ""


def _unknown_label(before: Reading, after: Reading, form: MetricForm) -> str:
    """Which label of a form no series of its metric has; "" if each exists."""
    for name, labels in _parts(form):
        series = after.values.get(name) or before.values.get(name) or {}
        known = {label for one in series for label, _ in one}
        if missing := [label for label in labels if label not in known]:
            there = ", ".join(sorted(known)) or "none"
            return f"the metric {name} has no label {', '.join(missing)}; it has: {there}"
    return ""


def _parts(form: MetricForm) -> list[tuple[str, list[str]]]:
    """The samples that a form asks about: their name, and the labels that they must have."""
    suffix = "_bucket" if isinstance(form, Quantile) else ""
    parsed = [parsed_selector(text) for text in ((form.of, form.over) if isinstance(form, Ratio) else (form.of,))]
    return [(f"{one.name}{suffix}", labels_that_must_be(one)) for one in parsed]
