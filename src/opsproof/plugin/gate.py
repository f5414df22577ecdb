"""The gate: one run against its environments, from options to open probes."""

import asyncio
import concurrent.futures
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import pytest
from _pytest.outcomes import Skipped

from opsproof.errors import StackError
from opsproof.evidence.bundle import read_evidence
from opsproof.evidence.redaction import Redactor
from opsproof.judge.outcome import Outcome
from opsproof.plugin.applying import skip_as_before, skip_of
from opsproof.plugin.baseline import read_baseline, refuse_unfit
from opsproof.plugin.beforehand import Beforehand
from opsproof.plugin.check import Check
from opsproof.plugin.conductor import Conductor
from opsproof.plugin.deadline import Budget
from opsproof.plugin.engine import Engine
from opsproof.plugin.environment import Environment
from opsproof.plugin.expectations import refuse_misfits
from opsproof.plugin.ledger import Ledger
from opsproof.plugin.normality import References
from opsproof.plugin.options import Options
from opsproof.plugin.remembering import Remembered, TakenOver
from opsproof.plugin.resuming import JOURNALS, Resumed, is_journals
from opsproof.plugin.windows.window import Window
from opsproof.profile import find_profiles, load_profile, profile_or_none, secrets_of, with_expected
from opsproof.profile.answers import Answer, read_answers
from opsproof.profile.models import Profile
from opsproof.report.folder import read_run
from opsproof.report.run import IncidentFact, Run
from opsproof.report.windows import LOCAL_ZONE

if TYPE_CHECKING:
    from opsproof.plugin.rehearsing import Rehearsing
    from opsproof.rehearsal.facts import RehearsalFact
    from opsproof.stack import Stack

EMBEDDED = "embedded"
DEFAULT_STACK = "default"
USUAL_ENVIRONMENTS = {EMBEDDED, "staging", "production", "dr"}
RELEASE_GRACE = 1.0


class Gate:
    """
    One run: its profiles, its environments, its engine, and what has come of it.

    Args:
        options: What the operator asked for.
        root: Folder that holds `profiles/`.
        run_id: Id of the run; None to make one.
        started: When the run began.
        processes: How many processes share the targets' budgets.
        say: Tells the operator about progress.
    """

    def __init__(
        self,
        options: Options,
        config: pytest.Config,
        *,
        run_id: str | None,
        started: datetime,
        processes: int,
        say: Callable[[str], None],
    ) -> None:
        self.options = options
        self.ledger = Ledger()
        self.redactor = Redactor()
        self.replayed: Run | None = read_run(options.replay) if options.replay else None
        self.baseline: Run | None = read_baseline(options.baseline) if options.baseline else None
        self.started = self.replayed.started if self.replayed else started
        only_journals = options.resume is not None and is_journals(options.resume)
        self.resumed = Resumed(options.resume) if options.resume and not only_journals else None
        self.answers: dict[str, Answer] = {}
        self.run_id = run_id or secrets.token_hex(4)
        if self.replayed:
            self.run_id = self.replayed.replay_of or self.replayed.id
        self.profiles: dict[str, Profile] = {}
        self.stack: Stack | None = None
        self._owns_stack = False
        self.faults: tuple[str, ...] = ()
        self._root = config.rootpath / "profiles"
        self._processes = processes
        self._say = say
        self._engine: Engine | None = None
        self._environments: dict[str, Environment] = {}
        self._conductor: Conductor | None = None
        self.window: Window | None = None
        self.notes: list[str] = []
        self.incident: IncidentFact | None = self._earlier.incident if self._earlier else None
        self._memory: Remembered | None = None
        self._rehearsing: Rehearsing | None = None
        self.beforehand = Beforehand(options, config.rootpath, say)
        self.steps: tuple[Check, ...] = ()
        """Every step of a rehearsal that was collected, before the operator's selection: a plan has them all."""
        self.unasked = 0
        """Checks of backups and steps of rehearsals that run only where they are asked for, and were not."""

    @property
    def explicit(self) -> bool:
        """True if the operator named the profiles; then each of them must be checked."""
        return bool(self.options.profiles)

    @property
    def incident_started(self) -> datetime | None:
        """When the incident began, as the operator or the earlier run said; None if nobody did."""
        return self.options.incident_started or (self.incident.started if self.incident else None)

    @property
    def zone(self) -> str:
        """The zone of the people who handle an incident: that of the profiles, where they say one."""
        said = (profile.timezone for profile in self.profiles.values() if profile.timezone != "UTC")
        return next(said, LOCAL_ZONE)

    def load_profiles(self) -> None:
        """
        Find and load the profiles of this run; contacts nothing.

        Raises:
            ProfileError: A profile is unknown or wrong, or has no way to verify the expected version.
            OpsproofError: The baseline cannot say what was there before.
        """
        patterns = self.options.profiles or tuple(self._earlier.profiles if self._earlier else ())
        if not patterns and not any(self._root.glob(f"*/{EMBEDDED}.yaml")):
            return
        asks_nothing = self.replayed is not None or self.options.plan
        for name in find_profiles(patterns or (f"*/{EMBEDDED}",), self._root):
            self.profiles[name] = self._load(name, os.environ, keep=asks_nothing or _is_embedded(name))
        if self.baseline:
            refuse_unfit(
                self.baseline, self.profiles, timezone=self.zone, started=self.started, incident=self.incident_started
            )
        known = {path.stem for path in self._root.glob("*/*.yaml")} | USUAL_ENVIRONMENTS
        refuse_misfits(self.options, self.profiles, known)
        if self.resumed:
            given = {name: self.options.expected_version(one.system) for name, one in self.profiles.items()}
            self.resumed.must_fit(self.profiles, given)
        if self.options.attest:
            self.answers = read_answers(self.options.attest, self.profiles, partial(profile_or_none, root=self._root))

    def start_stack(self) -> None:
        """
        Have a stack for the embedded profiles: the running one of that name, or one of our own.

        Raises:
            StackError: It cannot be started.
        """
        if self.stack or self.replayed or not any(map(_is_embedded, self.profiles)):
            return
        from opsproof.stack import Stack

        self.stack = Stack.attach(self.options.stack or DEFAULT_STACK)
        if self.stack is None and self.options.stack is not None:
            raise StackError(
                f"no stack of the name {self.options.stack!r} runs",
                where="--stack",
                next_step="See which run: opsproof stack status. Without --stack the gate starts one of its own.",
            )
        if self.stack is None:
            self._owns_stack = True
            systems = [profile.system for profile in self.profiles.values() if profile.environment == EMBEDDED]
            self.stack = Stack.start(systems, progress=self._say)
        self.faults = tuple(self.stack.state.faults)

    def resolve(self) -> None:
        """Load the embedded profiles again, now that the stack's addresses and credentials are known."""
        if self.stack is not None:
            variables = {**os.environ, **self.stack.variables, **self.beforehand.site_variables(_is_embedded)}
            for name in filter(_is_embedded, self.profiles):
                self.profiles[name] = self._load(name, variables, keep=False)

    def attach_stack(self, name: str) -> None:
        """Use the stack that the process which started this one has."""
        from opsproof.stack import Stack

        self.stack = Stack.attach(name)

    def open(self) -> None:
        """
        Make the environments ready to be asked; nothing is sent yet.

        Raises:
            ProfileError, StackError: An environment cannot be had.
        """
        self.start_stack()
        self.resolve()
        if self.replayed and self.options.replay:
            self._memory = Remembered(self.replayed, read_evidence(self.options.replay))
        began = self.incident_started
        references = References(self.baseline, began or self.started, "incident" if began else "run", self.zone)
        for name, profile in self.profiles.items():
            self._environments[name] = Environment(
                profile,
                self.redactor,
                expected=self.expected_version(profile),
                rolling_out=self.options.window is not None and self.options.window.waits,
                recovering="recovery" in (self.options.markers or ()),
                since=self.incident_started,
                lang=self.options.lang,
                references=references,
                processes=self._processes,
                memory=self._memory,
                answers=self.answers,
            )
        if self.replayed is not None:
            looked_back = {o.check: o.over for o in self.replayed.outcomes if o.over is not None}
            for environment in self._environments.values():
                environment.reader.looked_back = looked_back
        self._engine = Engine()
        if self.resumed:
            self.resumed.settle(self._environments, self._engine, self.incident_started)

    @property
    def engine(self) -> Engine:
        """The engine; starts with the first check."""
        if self._engine is None:
            self.open()
        assert self._engine is not None
        return self._engine

    @property
    def conductor(self) -> Conductor:
        """What conducts the checks, once the gate is open; their time begins when it is first asked for."""
        if self._conductor is None:
            self._conductor = Conductor(
                self.engine,
                self._environments,
                budget=self._budget,
                run_id=self.run_id,
                debugging=not self.options.ahead,
            )
        return self._conductor

    def _budget(self, check: Check) -> Budget | None:
        """A step waits for what it brings about, and stored backups are read to their last byte."""
        if check.step:
            return Budget(self.rehearsing.budget(check), f"the budget of its phase, {check.step.phase}")
        backups = self.profiles[check.profile].backups
        return Budget(backups.read_within, "backups.read_within") if check.on_site and backups else None

    @property
    def rehearsing(self) -> "Rehearsing":
        """What this run has of rehearsals, and of the sites that backup checks look at."""
        if self._rehearsing is None:
            from opsproof.plugin.rehearsing import Rehearsing

            self._rehearsing = Rehearsing(
                redactor=self.redactor,
                say=self._say,
                run_id=self.run_id,
                journals=self.options.reports.absolute() / JOURNALS,
                reload=self._with_variables,
                allowed=self.options.writes,
                resumes=self.options.resume is not None,
            )
        return self._rehearsing

    def know_rehearsals(self, checks: Iterable[Check]) -> None:
        """Plan the rehearsals of which a step is among these checks."""
        if begun := {(check.profile, check.scenario) for check in checks if check.step}:
            steps = [check for check in self.steps if (check.profile, check.scenario) in begun]
            self.rehearsing.know(self.profiles, steps)

    def look_beforehand(self) -> None:
        """Watch canaries and run benchmarks, or judge again what the replayed run has of them. Raises OpsproofError."""
        if self.replayed is not None and self._memory is not None:
            self.beforehand.judge_again(self.profiles, self.replayed, self._memory)
        else:
            variables = self.stack.variables if self.stack else {}
            self.beforehand.run(self.profiles, self._environments, self.engine, variables)

    def rehearsed(self, outcomes: Iterable[Outcome]) -> "tuple[RehearsalFact, ...]":
        """What came of the rehearsals of this run, or of the one that is replayed."""
        if self.replayed is not None:
            return self.replayed.rehearsals
        return self._rehearsing.facts(outcomes) if self._rehearsing else ()

    @property
    def is_open(self) -> bool:
        """True once the environments are ready to be asked."""
        return self._engine is not None

    def environment(self, name: str) -> Environment:
        """The environment of a profile."""
        _ = self.engine
        return self._environments[name]

    def skip_of(self, check: Check) -> Skipped | None:
        """What skips a check that does not apply here; None if it applies, or is taken over."""
        if self.taken_over(check):
            return None
        if self.replayed:
            return skip_as_before(next((o for o in self.replayed.outcomes if o.check == check.id), None))
        return skip_of(check, self.profiles[check.profile], self.options.writes)

    def taken_over(self, check: Check) -> TakenOver | None:
        """What an earlier run has shown of a check that is not to be asked again."""
        if self._memory is not None:
            return self._memory.taken_over(check)
        if self.resumed is None or check.id in self.answers:  # what a person says now wins over what was said then
            return None
        return self.resumed.taken(check)

    def note_releases(self) -> None:
        """Note which releases answer, where a check was quicker than that."""
        if not self.is_open:
            return
        watches = {name: watch for name, place in self._environments.items() if (watch := place.release)}
        concurrent.futures.wait([self.engine.submit(watch.settled()) for watch in watches.values()], RELEASE_GRACE)
        for name, watch in watches.items():
            if watch.known:
                self.ledger.releases[name] = watch.known

    def close(self) -> None:
        """Cancel what runs, take back what it wrote, close connections, and end a stack of our own."""
        try:
            if self._engine is not None:
                if pending := self.conductor.pending:
                    self._say(f"taking back what was written: {', '.join(pending)} (Ctrl-C leaves it there)")
                self._engine.stop(self._close_environments())
        except KeyboardInterrupt:
            self.conductor.give_up()
        finally:
            if self._rehearsing is not None:
                self.ledger.other_failures += self._rehearsing.close()
            self.beforehand.close()
            if self.stack is not None and self._owns_stack:
                self.stack.stop()
                self.stack = None

    def environments(self) -> Mapping[str, Environment]:
        """All environments that were opened."""
        return self._environments

    async def _close_environments(self) -> None:
        await asyncio.gather(*(environment.close() for environment in self._environments.values()))

    def expected_version(self, profile: Profile) -> str | None:
        """The release that must answer, as the operator or the replayed run said."""
        expected = self.options.expected_version(profile.system)
        if expected is None and self._earlier and profile.name in self._earlier.profiles:
            release = self._earlier.profiles[profile.name].release
            return release.expected if release else None
        return expected

    @property
    def _earlier(self) -> Run | None:
        """The run that is replayed or resumed."""
        return self.replayed or (self.resumed.run if self.resumed else None)

    def _with_variables(self, name: str, variables: Mapping[str, str]) -> Profile:
        """A profile once more, with what a rehearsal's own sites give."""
        of_stack = self.stack.variables if self.stack else {}
        return self._load(name, {**os.environ, **of_stack, **variables}, keep=False)

    def _load(self, name: str, variables: Mapping[str, str], *, keep: bool) -> Profile:
        profile = load_profile(name, root=self._root, variables=variables, missing="keep" if keep else "error")
        self.redactor.add(secrets_of(profile))
        return with_expected(profile, self.options.expected)


def _is_embedded(name: str) -> bool:
    return name.endswith(f"/{EMBEDDED}")
