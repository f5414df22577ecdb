"""Finds what the number of an indicator was when all was well: in the baseline, or in Prometheus' own history."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from opsproof.errors import NoData, PreconditionMissing
from opsproof.evidence.recorder import recording
from opsproof.judge.normal import NoReference, Reference
from opsproof.judge.outcome import Cause, Outcome, Status
from opsproof.probes import Probe
from opsproof.profile.indicators import Indicator
from opsproof.profile.thresholds import number_text
from opsproof.report.run import Run


class References:
    """
    The references of a run's numbers.

    Attributes:
        zone: Zone of the operators.

    Args:
        baseline: The run of `--baseline`, if one was given.
        moment: Where an `offset` is counted from: when the incident began, or when the run did.
        before: Which of the two that is.
        zone: Zone of the operators.
    """

    def __init__(self, baseline: Run | None, moment: datetime, before: Literal["incident", "run"], zone: str) -> None:
        self.zone = zone
        self._baseline = baseline
        self._outcomes = {outcome.check: outcome for outcome in baseline.outcomes} if baseline else {}
        self._moment = moment
        self._before = before

    async def of(
        self, indicator: Indicator, probe: Probe, timezone: str, window: float | None
    ) -> Reference | NoReference | None:
        """
        What the number was; None if the indicator has no `normal`.

        It is always read over the indicator's own stretch: a short one may have had no traffic. A count over another
        stretch is then scaled to that.

        Args:
            indicator: Its number has just been read by the check that is running.
            probe: The probe that gave it.
            timezone: Where `{today}` in a key is meant.
            window: Seconds that the number is over; None for the indicator's own stretch.

        Raises:
            NotObserved: The metrics server gave no answer, which is not the same as having nothing of that time.
        """
        if indicator.normal is None:
            return None
        recorder = recording.get()
        found = self._in_baseline(indicator, self._outcomes.get(recorder.check) if recorder else None)
        if isinstance(found, NoReference) and indicator.normal.offset is not None:
            found = await self._in_history(indicator, indicator.normal.offset, probe, timezone)
        if isinstance(found, Reference):
            return replace(found, value=found.value * _scale(indicator, window))
        return found

    def _in_baseline(self, indicator: Indicator, outcome: Outcome | None) -> Reference | NoReference:
        if self._baseline is None:
            return NoReference("no_baseline")
        if outcome is None or outcome.value is None:
            return NoReference("not_in_baseline")
        had_no_limit = outcome.cause is Cause.PRECONDITION_MISSING
        if outcome.status is not Status.PASSED and not had_no_limit:
            return NoReference("not_well_then")
        value = outcome.value / _scale(indicator, outcome.over)
        return Reference(value, outcome.started, run=self._baseline.id)

    async def _in_history(
        self, indicator: Indicator, offset: float, probe: Probe, timezone: str
    ) -> Reference | NoReference:
        from opsproof.probes.metrics import PrometheusProbe
        from opsproof.probes.reading import read_number

        if not isinstance(probe, PrometheusProbe):
            return NoReference("no_history")
        if (recorder := recording.get()) is not None and recorder.telling is None and recorder.observations:
            recorder.telling = recorder.observations[-1]  # what shows the number of today, not that of then
        at = (self._moment - timedelta(seconds=offset)).replace(microsecond=0)
        try:
            number = await read_number(indicator, probe.at(at), timezone)
        except (NoData, PreconditionMissing) as exc:  # the latter in a replay: the run did not ask
            return NoReference("no_answer_then", exc.what, at)
        if number.at_least:
            return NoReference("no_answer_then", f"at least {number_text(number.value, indicator.unit)}", at)
        return Reference(number.value, at, offset=offset, before=self._before)


def _scale(indicator: Indicator, window: float | None) -> float:
    """How many times the indicator's own stretch a count is over; 1 for what is no count."""
    if window is None or indicator.window is None or not (indicator.increase or indicator.logs):
        return 1.0
    return window / indicator.window
