"""The rehearsals of a run: their plans, their environments, and what came of them."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from opsproof.errors import OpsproofError
from opsproof.evidence.observer import Observer
from opsproof.evidence.redaction import Redactor
from opsproof.judge.outcome import Outcome
from opsproof.plugin.check import Check
from opsproof.profile.models import Profile
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.facts import RehearsalFact
from opsproof.rehearsal.procedure.plan import Plan, PlannedStep, told
from opsproof.rehearsal.procedure.rehearsal import Rehearsal
from opsproof.rehearsal.procedure.surroundings import Surroundings

TARGET = "rehearsal"
_EMBEDDED_BUDGET = 60.0
_TO_SAY_IT = 60.0

Reload = Callable[[str, Mapping[str, str]], Profile]


class Rehearsing:
    """
    What a run has of rehearsals.

    Args:
        redactor: Masks what is kept.
        say: Tells the operator what happens, and what to do.
        run_id: Id of the run.
        journals: Folder for the journals of rehearsals.
        reload: Loads a profile with further variables: those of an environment of our own.
        allowed: Environments in which the operator allows writes.
        resumes: True if an interrupted rehearsal goes on.
    """

    def __init__(
        self,
        *,
        redactor: Redactor,
        say: Callable[[str], None],
        run_id: str,
        journals: Path,
        reload: Reload,
        allowed: frozenset[str],
        resumes: bool,
    ) -> None:
        self._redactor = redactor
        self._say = say
        self._run_id = run_id
        self._journals = journals
        self._reload = reload
        self._allowed = allowed
        self._resumes = resumes
        self.plans: dict[tuple[str, str], Plan] = {}
        self._last_within: dict[str, float | None] = {}
        self._rehearsals: dict[tuple[str, str], Rehearsal] = {}
        self._surroundings: dict[str, Surroundings] = {}
        self._askings: dict[str, Asking] = {}

    def know(self, profiles: Mapping[str, Profile], checks: Iterable[Check]) -> None:
        """Make the plans of all steps that were selected, in the order in which they stand."""
        steps: dict[tuple[str, str], list[PlannedStep]] = {}
        for check in checks:
            if check.step is not None:
                title = {"en": check.title, **({"ko": check.step.ko} if check.step.ko else {})}
                step = PlannedStep(check.name, title, check.step.phase, check.step.critical, check.step.always)
                steps.setdefault((check.profile, check.scenario), []).append(step)
        for (name, scenario), planned in steps.items():
            rehearsals = profiles[name].rehearsals
            if rehearsals is not None:
                self._last_within[name] = rehearsals.last_within
                objectives = rehearsals.scenarios[scenario]
                self.plans[name, scenario] = Plan(name, scenario, objectives, tuple(planned))

    def told(self, profiles: Mapping[str, Profile]) -> Iterable[str]:
        """All plans, as lines for a terminal."""
        for (name, _), plan in self.plans.items():
            yield from told(plan, profiles[name], embedded=is_embedded(name))

    def budget(self, check: Check) -> float:
        """
        Seconds that a step has: a minute in an environment of our own, else its phase's budget and some more, so that
        a step which waits for the whole budget can still say what it waited for.
        """
        assert check.step is not None
        of_phase = self.plans[check.profile, check.scenario].budget(check.step.phase)
        return min(of_phase, _EMBEDDED_BUDGET) if is_embedded(check.profile) else of_phase + _TO_SAY_IT

    def rehearsal(self, profile: Profile, scenario: str) -> Rehearsal:
        """The rehearsal of a scenario; nothing is touched before its first step."""
        key = profile.name, scenario
        if key not in self._rehearsals:
            if self._resumes and is_embedded(profile.name):
                self._say(f"{profile.name}: {scenario} begins anew: the sites of an interrupted one are gone with it")
            self._rehearsals[key] = Rehearsal(
                self.plans[key],
                surroundings=lambda: self.surroundings(profile, scenario),
                asking=self._asking(profile),
                journal=self._journals / f"{profile.name.replace('/', '-')}-{scenario}.jsonl",
                run=self._run_id,
                say=self._say,
                allowed=is_embedded(profile.name) or profile.environment in self._allowed,
                resumes=self._resumes and not is_embedded(profile.name),
            )
        return self._rehearsals[key]

    def surroundings(self, profile: Profile, scenario: str = "") -> Surroundings:
        """
        Where a scenario takes place: clusters of our own, anew for each, or what the profile names.

        Backup checks of the embedded environment look at those of the first scenario, before it begins.

        Raises:
            StackError: They cannot be had.
        """
        unused = self._surroundings.get("")
        if scenario and unused is not None:
            self._surroundings[scenario] = self._surroundings.pop("")
        if scenario not in self._surroundings:
            if is_embedded(profile.name):
                self._say(f"{profile.name}: starting two sites of its own for {scenario or 'the backup checks'}")
            self._surroundings[scenario] = Surroundings.open(
                profile, self._asking(profile), embedded=is_embedded(profile.name), reload=self._reload
            )
            self._redactor.add(self._surroundings[scenario].secrets)
        return self._surroundings[scenario]

    def facts(self, outcomes: Iterable[Outcome]) -> tuple[RehearsalFact, ...]:
        """What came of each rehearsal that had begun."""
        by_name = {(outcome.profile, outcome.name): outcome for outcome in outcomes}
        facts = (
            rehearsal.fact({step.check: by_name.get((profile, step.check)) for step in rehearsal.plan.steps})
            for (profile, _), rehearsal in self._rehearsals.items()
        )
        return tuple(
            fact.model_copy(update={"last_within": self._last_within[fact.profile]})
            for fact in facts
            if fact is not None
        )

    def close(self) -> list[str]:
        """End everything that was started, and remove it; what could not be ended, each with where it is."""
        failed: list[str] = []
        opened: list[Rehearsal | Surroundings] = [*self._rehearsals.values(), *self._surroundings.values()]
        for ends in opened:
            try:
                ends.close()
            except OpsproofError as exc:
                failed.append(f"{exc.what} ({exc.where}; {exc.next_step})")
        self._surroundings.clear()
        return failed

    def _asking(self, profile: Profile) -> Asking:
        """One for each profile: with each step all that was seen before is forgotten."""
        if profile.name not in self._askings:
            self._askings[profile.name] = self._new_asking(profile)
        return self._askings[profile.name]

    def _new_asking(self, profile: Profile) -> Asking:
        observer = Observer(
            profile=profile.name,
            target=TARGET,
            address=profile.name,
            redactor=self._redactor,
            timeout=600.0,
            concurrency=8,
            gives_up=False,
        )
        return Asking(observer)


def is_embedded(name: str) -> bool:
    """True for the environment that opsproof makes itself."""
    return name.endswith("/embedded")
