"""The window of a run: sample, judge, and end as soon as it is known how it ends."""

import asyncio
import contextlib
import random
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from opsproof.errors import Hopeless, PreconditionMissing
from opsproof.judge.clock import Clock
from opsproof.judge.watch import Sample, Watch
from opsproof.judge.windows import Ending, State, WindowFact
from opsproof.plugin.check import Check
from opsproof.plugin.cleaning import told
from opsproof.plugin.conduct import Conducted
from opsproof.plugin.environment import Environment
from opsproof.plugin.windows.plan import WindowPlan
from opsproof.plugin.windows.sampled import Sampled
from opsproof.plugin.windows.standing import standing
from opsproof.plugin.windows.stretch import Stretch

SAMPLES_UNDER_WAY = 64
_JITTER = 0.1
_SETTLING_IN_INTERVALS = 2
_TELL_EVERY = 60.0
_NAMED = 3

TakeSample = Callable[[], Coroutine[Any, Any, Conducted]]


class Window:
    """
    Samples checks until all have been healthy for a whole stretch, or until it is known that they will not be.

    Time that passed without a look at the checks is a gap.

    Args:
        plan: How long and how often.
        checks: What is sampled, by id, with what conducts one sample.
        environments: By profile.
        say: Is told each change, with its line for the operator.
    """

    def __init__(
        self,
        plan: WindowPlan,
        checks: Mapping[str, tuple[Check, TakeSample]],
        environments: Mapping[str, Environment],
        say: Callable[[str], None],
    ) -> None:
        self.plan = plan
        self.watch = Watch(checks, stable_for=plan.stable_for, longest_pause=plan.longest_pause)
        self.attempts = 0
        self.ending: Ending | None = None
        self.why = ""
        self._unsteady = 0
        self.notes: list[str] = []
        self._checks = checks
        self._environments = environments
        self._say = say
        self._sampled = {check: Sampled(check) for check in checks}
        self._slots = asyncio.Semaphore(SAMPLES_UNDER_WAY)
        self._news = asyncio.Event()
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._begin()
        self._ended = self._clock.started
        self._blind_until = self._told = 0.0

    def _begin(self) -> None:
        self._clock = Clock()
        checks = [check for check, _ in self._checks.values()]
        settling = _SETTLING_IN_INTERVALS * self.plan.interval
        self._stretch = Stretch(self.watch, self._clock, checks, self._environments, settling=settling)

    @property
    def elapsed(self) -> float:
        """Seconds from the begin."""
        return self._clock.elapsed

    async def run(self) -> None:
        """Sample until the window ends."""
        self._begin()
        if not self.plan.waits:  # waiting asks what the gate asks; only a stretch has a begin to look back to
            for environment in self._environments.values():
                environment.reader.stretch = self._stretch.seconds
        try:
            self.ending = await self._sample_until_the_end()
        except asyncio.CancelledError:
            self.ending = Ending.INTERRUPTED
            raise
        finally:
            self._ended = datetime.now(UTC)
            for environment in self._environments.values():
                environment.reader.stretch = None
            for task in self._under_way.values():
                task.cancel()
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)
            self._say_how_it_ended()

    def conducted(self, check: Check) -> Conducted | None:
        """What pytest is given as the end of a check; None if the window did not come to sample it."""
        sampled = self._sampled.get(check.id)
        return sampled.ended(self.watch, gave_up=self.ending is Ending.DEADLINE) if sampled else None

    def must_have_held(self) -> None:
        """
        Let a check begin that could not be sampled: one that writes, or that needs what only pytest can make.

        Raises:
            PreconditionMissing: The window ended without all checks healthy.
        """
        if self.ending is not Ending.STABLE:
            raise PreconditionMissing(
                f"not tried: the window before it did not become stable ({self.ending})",
                where="the window",
                next_step="Mend what was not healthy; then run the checklist again.",
            )

    @property
    def stable_since(self) -> datetime | None:
        """When the stretch began with which the window ended; None unless it became stable."""
        since = self.watch.healthy_since
        return self._clock.at(since) if self.ending is Ending.STABLE and since is not None else None

    def fact(self) -> WindowFact:
        """The window as the report tells of it."""
        watch = self.watch
        return WindowFact(
            started=self._clock.started,
            ended=self._ended,
            stable_for=self.plan.stable_for,
            interval=self.plan.interval,
            deadline=self.plan.deadline,
            ending=self.ending or Ending.INTERRUPTED,
            why=self.why,
            unsteady=self._unsteady,
            first_healthy=_rounded(watch.first_healthy),
            stable_since=_rounded(watch.healthy_since) if self.ending is Ending.STABLE else None,
            longest=round(watch.longest, 3),
            attempts=self.attempts,
            samples=watch.samples,
            flaps=watch.flaps,
            gaps=watch.gaps,
            timelines=watch.timelines,
        )

    async def _sample_until_the_end(self) -> Ending:
        aim = "all are healthy at once" if self.plan.waits else f"all have been healthy for {self.plan.stable_for:g} s"
        self._say(
            f"sampling {len(self._checks)} checks every {self.plan.interval:g} s until {aim}, "
            f"for at most {self.plan.deadline:g} s"
        )
        previous = 0.0
        while True:
            now = self.elapsed
            self._note_pause(previous, now)
            self._note_jump()
            previous = now
            if now - self._told >= _TELL_EVERY:
                self._tell(f"all healthy for {self.watch.held:.0f} s" if self.watch.together else self._not_healthy())
            self.attempts += 1
            for environment in self._environments.values():
                environment.new_sweep()
            for id_, (check, take) in self._checks.items():
                if id_ not in self._under_way or self._ended_well(self._under_way[id_]):
                    self._under_way[id_] = asyncio.create_task(self._sample(check, take))
            pause = self.plan.interval * (1 + random.uniform(-_JITTER, _JITTER))  # noqa: S311 - spreads load
            until = min(now + pause, self.plan.deadline)
            while (left := until - self.elapsed) > 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), left)
                self._news.clear()
                if ending := await self._is_over():
                    return ending
            if self.elapsed >= self.plan.deadline:
                return await self._at_the_deadline()

    async def _is_over(self) -> Ending | None:
        if self.ending:
            return self.ending
        if not self.watch.checks:
            self.why = "no check of the window applies here"
            return Ending.DEADLINE
        if self.watch.stable and await self._was_well_all_along():
            return Ending.STABLE
        return None

    async def _at_the_deadline(self) -> Ending:
        """Samples that are under way may end; they have a time limit of their own."""
        await asyncio.gather(*self._under_way.values())
        if ending := await self._is_over():
            return ending
        self._unsteady = sum(not self._held(id_) for id_ in self.watch.checks)
        self.why = f"{self._unsteady} of {len(self.watch.checks)} checks " + (
            "were not healthy"
            if self.plan.waits
            else f"were not healthy for {self.plan.stable_for:g} s without a break"
        )
        return Ending.DEADLINE

    def _standing(self, check: Check, conducted: Conducted) -> tuple[State | None, str]:
        """How a check stands by a sample; one that cannot be judged is not known."""
        try:
            return standing(check, conducted, self._environments[check.profile])
        except Exception as exc:  # noqa: BLE001 - a sample that vanished would leave a stretch green for no reason
            return State.UNKNOWN, f"the sample cannot be judged: {type(exc).__name__}: {exc}"

    def _ended_well(self, sample: asyncio.Task[None]) -> bool:
        """
        True if a sample has ended.

        Raises:
            Exception: What keeps samples from being judged: a window without them would be green for no reason.
        """
        if sample.done():
            sample.result()
        return sample.done()

    def _held(self, check: str) -> bool:
        span = self.watch.state(check)
        healthy = span is not None and span.state is State.HEALTHY
        return healthy and self.watch.held_by(check) >= self.plan.stable_for

    async def _sample(self, check: Check, take: TakeSample) -> None:
        async with self._slots:
            start = self.elapsed
            conducted = await asyncio.create_task(take())  # in a context of its own: what it prints belongs to it
            end = self.elapsed
        state, message = self._standing(check, conducted)
        blind = start < self._blind_until
        if isinstance(conducted.error, pytest.skip.Exception) and self.watch.state(check.id) is None:
            self._sampled[check.id].keep(conducted, trouble=False, changed=False)
            self.watch.excuse(check.id)
            self._news.set()
            return
        judgement = conducted.judgement
        since = start - judgement.over - self._stretch.settling if judgement and judgement.over is not None else None
        sample = Sample(check.id, start, end, None if blind else state, message, since)
        first = self.watch.state(check.id) is None
        changed = self.watch.take(sample)
        trouble = state is not State.HEALTHY
        self._sampled[check.id].keep(conducted, trouble=trouble and conducted.error is not None, changed=changed)
        if changed and (trouble or not first):
            self._tell(f"{check.id}  {state}{': ' + message if message else ''}")
        if isinstance(conducted.error, Hopeless) and state is State.FAILED:
            self.ending, self.why = Ending.TERMINAL, f"{check.id}: {told(conducted.error)}"
        self._news.set()

    async def _was_well_all_along(self) -> bool:
        """True if the numbers of the whole stretch were well, too; what was not breaks it."""
        if self.plan.waits:
            return True
        for check, asked, conducted in await self._stretch.read():
            state, message = self._standing(check, conducted)
            if state is not State.HEALTHY:
                changed = self.watch.take(Sample(check.id, asked, self.elapsed, state, message))
                self._sampled[check.id].keep(conducted, trouble=True, changed=changed)
                self._tell(f"{check.id}  {state}: {message}")
        return self.watch.stable

    def _note_pause(self, previous: float, now: float) -> None:
        if now - previous > self.plan.longest_pause:
            words = f"nobody looked for {now - previous:.1f} s: the machine was suspended, or had no time"
            self.watch.miss(previous, now, words)
            self._blind_until = now
            self._tell(words)

    def _note_jump(self) -> None:
        if jump := self._clock.jump():
            self.notes.append(
                f"the wall clock was set by {jump:+.1f} s, {self.elapsed:.1f} s after the window's begin; "
                "its durations do not depend on it"
            )

    def _not_healthy(self) -> str:
        """Which checks are not healthy, for a log in which nothing changes."""
        bad = [id_ for id_ in self.watch.checks if (span := self.watch.state(id_)) and span.state is not State.HEALTHY]
        return f"{len(bad)} of {len(self.watch.checks)} checks are not healthy: {', '.join(bad[:_NAMED])}" + (
            ", ..." if len(bad) > _NAMED else ""
        )

    def _tell(self, words: str) -> None:
        self._told = self.elapsed
        self._say(f"{self._clock.at(self._told):%H:%M:%S}Z +{self._told:.1f} s  {words}")

    def _say_how_it_ended(self) -> None:
        watch = self.watch
        if self.ending is Ending.STABLE:
            words = "ready" if self.plan.waits else f"stable for {self.plan.stable_for:g} s"
        else:
            words = f"{self.ending}{': ' + self.why if self.why else ''}"
        self._tell(f"{words}, after {self.attempts} rounds and {watch.samples} samples")


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
