"""The watch of one canary: see that its questions can tell, look again and again, end when the answer is sure."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import takewhile

from opsproof.canary.criteria import criterion_fact, reasons_of, tracks_of, versions_of
from opsproof.canary.data import Looking
from opsproof.canary.facts import CanaryEnding, CanaryFact, CriterionFact, Data, LookFact
from opsproof.canary.judged import Pair, judged, look_of, whole
from opsproof.canary.plan import looks_of, plan_of, rules_of
from opsproof.canary.selfcheck import Refusals
from opsproof.canary.sources import Source
from opsproof.errors import NotObserved
from opsproof.evidence.observation import Observation
from opsproof.evidence.recorder import Recorder, recording
from opsproof.judge.canary.decision import Decision, Judgement, decide
from opsproof.judge.canary.rules import Answer, Rule
from opsproof.judge.canary.series import State
from opsproof.judge.canary.words import share_text
from opsproof.judge.clock import Clock
from opsproof.judge.limits import Lang
from opsproof.profile.canary import Criterion
from opsproof.profile.models import Profile

_LATE_INTERVALS = 2.0
_LEAST_BEGIN = 1.0
_MOST_SKEW = 5.0
_NO_NUMBER = (State.QUERY_ERROR, State.STALE)


class _Watched:
    """One criterion: how it is looked at, what was seen, and what it came to."""

    def __init__(self, criterion: Criterion, rule: Rule, looking: Looking) -> None:
        self.criterion = criterion
        self.rule = rule
        self.looking = looking
        self.seen: list[Pair] = []
        self.looks: list[LookFact] = []
        self.judgement: Judgement | None = None
        self.observations: list[Observation] = []


class CanaryWatch:
    """
    Watches one canary.

    Args:
        profile: Has `canary`.
        source: Gives samples.
        say: Is told how it goes.
        sweep: Begins a new round of questions, so that none is answered by an earlier one.
        lang: The operator's language.
    """

    def __init__(
        self, profile: Profile, source: Source, say: Callable[[str], None], sweep: Callable[[], None], lang: Lang
    ) -> None:
        assert profile.canary is not None
        self.canary = profile.canary
        self.rules = rules_of(self.canary)
        self.plan = plan_of(self.canary, self.rules)
        self.ending: CanaryEnding | None = None
        self.refused: list[str] = []
        self.notes: list[str] = []
        self._profile = profile
        self._source = source
        self._say = say
        self._sweep = sweep
        self._lang: Lang = lang
        self._clock = Clock()
        self._ended = self._clock.started
        self._watched: dict[str, _Watched] = {}
        self._decisions: list[Decision] = []
        self._read_once: list[Observation] = []
        self._begin()

    def _begin(self) -> None:
        """The window begins now: what was before does not count."""
        self._clock = Clock()
        start = self._clock.started.timestamp()
        self._watched = {
            name: _Watched(criterion, self.rules[name], Looking(criterion, self._source, start, self.canary))
            for name, criterion in self.canary.criteria.items()
        }

    async def run(self) -> None:
        """Watch until the answer is sure, or the time is over."""
        try:
            self.ending = await self._run()
        except asyncio.CancelledError:
            self.ending = CanaryEnding.INTERRUPTED
            raise
        finally:
            self._ended = datetime.now(UTC)
            fact = self.fact()
            self._tell(f"{fact.answer.upper()}: {fact.reasons[0][self._lang] if fact.reasons else ''}")

    @property
    def decision(self) -> Decision:
        """The one answer; inconclusive as long as the watch has not come to its end."""
        judgements = [one.judgement for one in self._watched.values() if one.judgement is not None]
        ended = self.ending in (CanaryEnding.WATCHED, CanaryEnding.EARLY)
        return decide(self.rules.values(), judgements, self.plan, terminated=not ended)

    def observations(self, criterion: str) -> list[Observation]:
        """The evidence of the newest look at a criterion."""
        return self._watched[criterion].observations

    def fact(self) -> CanaryFact:
        """The watch as the report keeps it."""
        decision, canary = self.decision, self.canary
        return CanaryFact(
            profile=self._profile.name,
            started=self._clock.started,
            ended=self._ended,
            duration=canary.lasts,
            interval=canary.interval,
            looks=looks_of(canary),
            tracks=tracks_of(self._profile),
            versions=versions_of(canary),
            ending=self.ending or CanaryEnding.INTERRUPTED,
            answer=decision.answer,
            exit_status=decision.exit_status,
            reasons=reasons_of(decision, self.refused),
            weight=decision.weight,
            rollback_weight=canary.rollback_weight,
            confidence=canary.confidence,
            false_rollback=canary.false_rollback,
            early_promotion=canary.early_promotion,
            refused=tuple(self.refused),
            notes=tuple(self.notes),
            criteria=tuple(self._fact_of(one) for one in self._watched.values()),
        )

    def _fact_of(self, one: _Watched) -> CriterionFact:
        return criterion_fact(self.canary, one.criterion, one.rule, one.looks)

    async def _run(self) -> CanaryEnding:
        await self._can_tell()
        if self.refused:
            for words in self.refused:
                self._tell(f"refused: {words}")
            return CanaryEnding.REFUSED
        self._begin()
        planned, interval = looks_of(self.canary), self.canary.interval
        self._tell(f"watching for {self.canary.lasts:g} s, {planned} looks, {interval:g} s apart")
        number = 0
        while number < planned:
            number = min(planned, max(number + 1, int(self._clock.elapsed / interval)))  # what is missed is missed
            final = number == planned
            due = self.canary.lasts if final else number * interval
            await asyncio.sleep(max(0.0, due - self._clock.elapsed))
            late = self._clock.elapsed - due
            if late > _LATE_INTERVALS * interval:
                self.notes.append(f"nobody looked for {late:.0f} s: the machine was suspended, or had no time")
            if jump := self._clock.jump():
                self.notes.append(f"the wall clock was set by {jump:+.1f} s; counts from {self._clock.started} on")
            await self._look(final=final)
            if ending := self._is_over(final=final):
                return ending
        return CanaryEnding.WATCHED

    async def _can_tell(self) -> None:
        """See that every question can tell; samples and traffic of a new canary may take a while to come."""
        refusals = Refusals(self.canary, self.rules)
        pause = min(_LEAST_BEGIN, self.canary.begin_within / 4)
        self._tell(f"seeing whether the questions of {len(self._watched)} criteria can tell")
        while True:
            self.refused, self.notes = [], []
            await self._begin_look()
            waits = False
            await self._see_skew()
            for one in self._watched.values():
                seen = await self._seen(one)
                wrong, notes = refusals.of(one.looking, seen)
                self.refused += wrong
                self.notes += notes
                waits = waits or (bool(wrong) and refusals.may_come(seen))
            if not self.refused or not waits or self._clock.elapsed >= self.canary.begin_within:
                return
            await asyncio.sleep(pause)

    async def _begin_look(self) -> None:
        """Read what is read once for all criteria; it is evidence of each."""
        self._sweep()
        recorder = Recorder(check="canary")
        token = recording.set(recorder)
        try:
            await self._source.look()
        finally:
            recording.reset(token)
        self._read_once = recorder.observations

    async def _see_skew(self) -> None:
        """Two clocks that differ by more than a scrape let the window begin at another time than it says."""
        try:
            skew = await self._source.skew()
        except NotObserved:  # every question will say so
            return
        if abs(skew) > _MOST_SKEW:
            words = "behind" if skew > 0 else "ahead of"
            self.refused.append(
                f"this machine's clock is {abs(skew):.0f} s {words} that of the metrics; set the clocks"
            )

    async def _seen(self, one: _Watched) -> dict[str, Data]:
        recorder = Recorder(check=one.criterion.id)
        token = recording.set(recorder)
        try:
            tracks = ("canary", "baseline") if one.looking.compares else ("canary",)
            return {track: await one.looking.at(track) for track in tracks}
        finally:
            recording.reset(token)
            one.observations = [*self._read_once, *recorder.observations]

    async def _look(self, *, final: bool) -> None:
        await self._begin_look()
        await asyncio.gather(*(self._look_at(one, final=final) for one in self._watched.values()))
        self._decisions.append(decide(self.rules.values(), self._judgements(), self.plan))
        held = "; ".join(_line(one) for one in self._watched.values())
        self._tell(f"{'at the end' if final else 'so far'}: {held}")

    async def _look_at(self, one: _Watched, *, final: bool) -> None:
        seen = await asyncio.create_task(self._seen(one))
        one.seen.append((seen["canary"], seen.get("baseline")))
        judgement = await asyncio.to_thread(judged, one.rule, one.seen, self.plan, final=final)
        judgement = whole(judgement, one.seen, self.canary, self._clock.elapsed)
        now = datetime.now(UTC)
        one.judgement = judgement
        one.looks.append(look_of(one.rule, one.seen, judgement, now, self._clock.elapsed, final=final))

    def _judgements(self) -> list[Judgement]:
        return [one.judgement for one in self._watched.values() if one.judgement is not None]

    def _is_over(self, *, final: bool) -> CanaryEnding | None:
        if final:
            return CanaryEnding.WATCHED
        sure = [*takewhile(lambda one: one.answer is Answer.ROLLBACK, reversed(self._decisions))]
        if len(sure) >= self.canary.failure_limit:
            return CanaryEnding.EARLY
        if self.canary.early_promotion and self._decisions[-1].answer is Answer.PROMOTE:
            return CanaryEnding.EARLY
        errors = max(len([*takewhile(_tells_nothing, reversed(one.looks))]) for one in self._watched.values())
        if errors >= self.canary.consecutive_errors:
            self.notes.append(f"{errors} looks in a row gave no number")
            return CanaryEnding.ERRORS
        return None

    def _tell(self, words: str) -> None:
        self._say(f"{self._profile.name} +{self._clock.elapsed:.0f} s  {words}")


def _tells_nothing(look: LookFact) -> bool:
    return look.canary.state in _NO_NUMBER


def _line(one: _Watched) -> str:
    """A criterion in a line of the progress: what was seen, between which bounds, and what it is held against."""
    look = one.looks[-1]
    if look.canary.state is not State.OK:
        return f"{one.criterion.id} {look.canary.state}"
    limit = f" (limit {share_text(one.rule.share)})" if one.rule.share is not None else ""
    return f"{one.criterion.id} {share_text(look.estimate)} [{share_text(look.lower)}, {share_text(look.upper)}]{limit}"
