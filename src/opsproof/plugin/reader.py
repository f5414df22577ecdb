"""What the check of an indicator works with: it reads the number and judges it."""

from collections.abc import Callable

from opsproof.errors import NoData, PreconditionMissing
from opsproof.evidence.recorder import recording
from opsproof.judge.limits import Judgement, State, judge_number
from opsproof.probes import Probe
from opsproof.profile.indicators import Indicator


class Reader:
    """
    Reads the indicators of one environment.

    Args:
        profile: Name of the profile.
        timezone: Where `{today}` in a key is meant.
        probes: Gives the probe of a target.
        recovering: True if the run asks whether an incident is over.
    """

    def __init__(self, profile: str, timezone: str, probes: Callable[[str], Probe], *, recovering: bool) -> None:
        self._profile = profile
        self._timezone = timezone
        self._probes = probes
        self._recovering = recovering
        self._judgements: dict[str, Judgement] = {}

    async def judge(self, indicator: Indicator) -> Judgement:
        """
        Read the number of an indicator and judge it.

        Raises:
            PreconditionMissing: It has no limit.
            NotObserved: There is no number to judge; says why.
        """
        from opsproof.probes.reading import read_number

        number = await read_number(indicator, self._probes(indicator.asks), self._timezone)
        if indicator.ok is None and not indicator.limits:
            raise PreconditionMissing(
                f"there is no limit for it; it is {number.value:g}",
                where=f"indicators.{indicator.id} of {self._profile}",
                next_step="Give it a limit in the profile (`ok`, `p0`, `p1` or `p2`): the runbook has none.",
            )
        judgement = judge_number(indicator, number.value, recovering=self._recovering)
        sure = not number.at_least or (indicator.ok is not None and indicator.ok.holds_from(number.value))
        if judgement.state is State.WELL and not sure:
            raise NoData(
                f"cannot be told from being bad: {judgement.words}; {number.note}",
                where=f"indicators.{indicator.id} of {self._profile}",
                next_step="Give the service's histogram a bucket beyond the limit, or the indicator a narrower prefix.",
            )
        if number.note:
            judgement = judgement.model_copy(update={"words": f"{judgement.words}; {number.note}"})
        recorder = recording.get()
        if recorder is not None:
            self._judgements[recorder.check] = judgement
        return judgement

    def judgement(self, check: str) -> Judgement | None:
        """What was judged in a check, by its id."""
        return self._judgements.get(check)
