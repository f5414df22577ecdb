"""One scenario on one environment: step after step, by the clock, given up where going on makes no sense."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsproof.errors import OpsproofError, PreconditionMissing
from opsproof.evidence.redaction import Redactor
from opsproof.judge.outcome import Outcome
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.clock.stopwatch import Stopwatch
from opsproof.rehearsal.facts import RehearsalFact
from opsproof.rehearsal.procedure.journal import Entry, Journal
from opsproof.rehearsal.procedure.plan import Plan

if TYPE_CHECKING:
    from opsproof.rehearsal.procedure.recovery import Recovery
    from opsproof.rehearsal.procedure.surroundings import Surroundings

_PASSED = "passed"


class Rehearsal:
    """
    Goes through the steps of a plan; what a step does is in `common_steps.py` and the modules of the scenarios.

    Args:
        plan: Its steps, objectives and budgets.
        surroundings: Makes the environment when the first step begins.
        asking: Keeps every answer as evidence.
        journal: Where it is noted what was done.
        run: Id of the run.
        say: Tells the operator what happens.
        allowed: False if the operator did not allow writes in this environment.
        resumes: True if it goes on where an interrupted one ended.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        surroundings: Callable[[], Surroundings],
        asking: Asking,
        journal: Path,
        run: str,
        say: Callable[[str], None],
        allowed: bool,
        resumes: bool,
    ) -> None:
        self.plan = plan
        self.asking = asking
        self.say = say
        self.watch = Stopwatch()
        self.aborted = ""
        self.ended: set[str] = set()
        """Names of the steps that were executed."""
        self.failed: set[str] = set()
        """Phases of which a step failed."""
        self.acted: dict[str, str] = {}
        """By name of a step who acted in it."""
        self.current = ""
        self.folder = journal.parent
        self.began: datetime | None = None
        self._make = surroundings
        self._journal = Journal(journal, plan.sha256)
        self._clock_file = journal.with_suffix(".clock.json")
        self._run = run
        self._allowed = allowed
        self._resumes = resumes
        self._done: dict[str, Entry] = {}
        self._recovery: Recovery | None = None
        self._never_began = ""

    @asynccontextmanager
    async def step(self, name: str) -> AsyncIterator[bool]:
        """
        One step: after those before it, by the clock, and on disk when it has ended.

        Yields:
            False if the rehearsal that is resumed has done it: then it is not done again.

        Raises:
            PreconditionMissing: It is not executed: writes are not allowed, or the rehearsal was given up.
        """
        planned = next(step for step in self.plan.steps if step.check == name)
        await self._must_go_on(name, always=planned.always)
        self.asking.observer.new_sweep()  # what an earlier step has seen was before, and is no answer now
        if self._was_done(name):
            kept = self._done[name]
            words = f"done at {kept.at.isoformat(timespec='seconds')}, by the journal"
            await self.asking.ask(f"taken over: {planned.title['en']}", f"cat {self._journal.path}", lambda: words)
            self.ended.add(name)
            yield False
            return
        self.watch.begin(planned.phase)
        self.current = name
        try:
            yield True
        except BaseException as exc:
            self.failed.add(planned.phase)
            if planned.critical:
                why = "its time was over" if isinstance(exc, asyncio.CancelledError) else str(exc)
                self.aborted = f"{planned.title['en']} - {why}".partition("\n")[0]
            self._note(name, "failed")
            raise
        else:
            self._note(name, _PASSED)
        finally:
            self.ended.add(name)
            self.watch.end(planned.phase)

    def left_out(self) -> list[str]:
        """Names of the steps before this one that were not executed."""
        names = [step.check for step in self.plan.steps]
        return [name.rpartition(".")[2] for name in names[: names.index(self.current)] if name not in self.ended]

    def note_who(self, who: str) -> None:
        """Note who acts in the step that goes on."""
        self.acted[self.current] = who

    def __getattr__(self, name: str) -> Any:
        """What a step does, by the name of the step."""
        if self._recovery is None:
            raise AttributeError(f"no step has begun, and none is called {name}")
        return getattr(self._recovery, name)

    def fact(self, outcomes: Mapping[str, Outcome | None]) -> RehearsalFact | None:
        """What came of it; None if it never began."""
        if self._recovery is None or self.began is None:
            return None
        return self._recovery.fact(outcomes)

    def close(self) -> None:
        """Let nothing of it run on."""
        if self._recovery is not None:
            self._recovery.close()

    def _was_done(self, name: str) -> bool:
        return name in self._done and self._done[name].status == _PASSED

    async def _must_go_on(self, name: str, *, always: bool) -> None:
        if not self._allowed:
            raise PreconditionMissing(
                "not executed: a rehearsal writes, and the operator did not allow that here",
                where=self.plan.profile,
                next_step=f"--allow-writes {self.plan.profile.partition('/')[2]}; --plan shows first what is touched.",
            )
        if self.aborted and not always:
            raise self._given_up()
        if self._recovery is not None:
            return
        if self._never_began:
            raise PreconditionMissing(
                f"not executed: {self._never_began}", where=self.plan.scenario, next_step="Rehearse again."
            )
        if name != self.plan.steps[0].check:
            raise PreconditionMissing(
                "not executed: the steps before it were left out, and it stands on them",
                where=self.plan.scenario,
                next_step="Select the whole scenario: -k region_loss.",
            )
        await self._begin()
        if self.aborted and not always:
            raise self._given_up()

    def _given_up(self) -> PreconditionMissing:
        return PreconditionMissing(
            "not executed: the rehearsal was given up",
            where=self.plan.scenario,
            next_step=f"Mend this first, then rehearse again: {self.aborted}",
        )

    async def _begin(self) -> None:
        from opsproof.rehearsal.procedure.scenarios import recovery_of

        self.began = datetime.now(UTC)
        entries: list[Entry] = []
        if self._resumes:
            entries = self._journal.read()
            self.watch = Stopwatch.resume(self._clock_file)
        else:
            self._journal.begin(self._run)
            self.watch = Stopwatch(self._clock_file)
        try:
            surroundings = await asyncio.to_thread(self._make)
        except OpsproofError as exc:
            self.aborted = self._never_began = f"its surroundings cannot be had: {exc.what}"
            raise
        self._recovery = recovery_of(self, surroundings)
        if entries:
            self._recovery.remember(entries[-1].state)
            noted = {entry.step.rpartition(".")[2]: entry.status for entry in entries}
            again = self._recovery.again(noted)
            self._done = {one.step: one for one in entries if one.step.rpartition(".")[2] not in again}
            self.aborted = self._recovery.refuses(noted)

    def keep(self) -> None:
        """Keep what the step that goes on has come to know: whoever resumes a rehearsal that ends in it needs it."""
        self._note(self.current, "begun")

    def _note(self, name: str, status: str) -> None:
        state = _masked(self._recovery.state(), self.asking.observer.redactor) if self._recovery is not None else {}
        self._journal.note(Entry(name, status, datetime.now(UTC), state))


def _masked(value: Any, redactor: Redactor) -> Any:
    """Every text of a state with its secrets masked; not by its name, for `password_encryption` is none."""
    if isinstance(value, dict):
        return {key: _masked(one, redactor) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(one, redactor) for one in value]
    return redactor.text(value) if isinstance(value, str) else value
