"""A run as its reader looks at it: what decided the verdict, what only warns, what explains what."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from functools import cached_property
from typing import Self

from opsproof.evidence.observation import Observation
from opsproof.judge.baseline import STANDINGS, standing
from opsproof.judge.outcome import AttestedFact, Cause, Outcome, Status
from opsproof.judge.root_causes import SERVER_ERROR, RootCause
from opsproof.judge.verdict import Word, blocks
from opsproof.profile.scalars import SEVERITIES, Severity, moment_text
from opsproof.report.run import Run

_BAD = (Status.FAILED, Status.UNKNOWN)


@dataclass(frozen=True)
class View:
    """
    A run and its evidence, sorted for the reader.

    Attributes:
        run: The run.
        observations: Its evidence by id.
    """

    run: Run
    observations: Mapping[str, Observation]

    @classmethod
    def of(cls, run: Run, observations: Iterable[Observation]) -> Self:
        """The view of a run with these observations."""
        return cls(run, {observation.id: observation for observation in observations})

    def counts(self, outcome: Outcome) -> bool:
        """True if the outcome speaks against a PASS; a bad outcome that does not is a warning."""
        expired = outcome.status is Status.FAILED and outcome.waiver is not None and outcome.waiver.expired
        fail_on = self.run.profiles[outcome.profile].fail_on
        return outcome.status in _BAD and (expired or blocks(outcome.severity, fail_on))

    @cached_property
    def root_causes(self) -> tuple[RootCause, ...]:
        """Root causes that speak against a PASS, the new ones first."""
        roots = [root for root in self.run.root_causes if any(map(self.counts, self.explained_by(root)))]
        return tuple(sorted(roots, key=lambda root: self._rank(self.explained_by(root))))

    @cached_property
    def warning_causes(self) -> tuple[RootCause, ...]:
        """Root causes that only warn; one whose checks are all waived is neither."""
        return tuple(
            root
            for root in self.run.root_causes
            if root not in self.root_causes and any(outcome.status in _BAD for outcome in self.explained_by(root))
        )

    @cached_property
    def findings(self) -> tuple[Outcome, ...]:
        """Bad outcomes that speak against a PASS and that no root cause explains, the new ones and the worst first."""
        return self._alone(True)

    @cached_property
    def warnings(self) -> tuple[Outcome, ...]:
        """Bad outcomes below `fail_on` that no root cause explains, the worst first."""
        return self._alone(False)

    @cached_property
    def waived(self) -> tuple[Outcome, ...]:
        """Known failures."""
        return tuple(outcome for outcome in self.run.outcomes if outcome.status is Status.WAIVED)

    @cached_property
    def skipped(self) -> dict[tuple[str, str], list[Outcome]]:
        """Skipped checks by profile and reason."""
        groups: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
        for outcome in self.run.outcomes:
            if outcome.status is Status.SKIPPED:
                groups[outcome.profile, outcome.message].append(outcome)
        return dict(groups)

    @cached_property
    def worst_not_run(self) -> dict[tuple[Cause, str], list[Outcome]]:
        """SEV-1 checks that were skipped, by cause and what would let them run, or the reason where nothing would."""
        groups: dict[tuple[Cause, str], list[Outcome]] = defaultdict(list)
        for outcome in self.run.outcomes:
            if outcome.status is Status.SKIPPED and outcome.severity == SEVERITIES[0]:
                cause = outcome.cause or Cause.DOES_NOT_APPLY
                groups[cause, outcome.next_step or outcome.message].append(outcome)
        return dict(groups)

    @cached_property
    def not_carried(self) -> dict[str, dict[str, dict[str, Severity]]]:
        """Checks that profiles cannot carry, with their severity, by the key that is missing and by profile."""
        by_key: dict[str, dict[str, dict[str, Severity]]] = defaultdict(dict)
        for name, profile in self.run.profiles.items():
            for key, checks in profile.not_carried.items():
                by_key[key][name] = checks
        return dict(sorted(by_key.items()))

    @cached_property
    def other_reasons(self) -> tuple[str, ...]:
        """Reasons of the verdict that are not about one check."""
        checks = tuple(f"{outcome.check} " for outcome in self.run.outcomes)
        return tuple(reason for reason in self.run.verdict.reasons if not reason.startswith(checks))

    @cached_property
    def deciding_reasons(self) -> tuple[str, ...]:
        """Of these, what decided: under a FAIL, what a profile lacks for a PASS decides nothing."""
        of_profiles = tuple(f"{name}: " for name in self.run.profiles)
        failed = self.run.verdict.word is Word.FAIL
        return tuple(reason for reason in self.other_reasons if not (failed and reason.startswith(of_profiles)))

    @cached_property
    def confirmed(self) -> tuple[Outcome, ...]:
        """Checks that passed on the word of a person."""
        return tuple(one for one in self.run.outcomes if one.attested and one.status is Status.PASSED)

    @cached_property
    def taken_over(self) -> dict[str, list[Outcome]]:
        """Outcomes that were not checked again, by the run that checked them."""
        groups: dict[str, list[Outcome]] = defaultdict(list)
        for outcome in self.run.outcomes:
            if outcome.taken_over:
                groups[outcome.taken_over].append(outcome)
        return dict(groups)

    @cached_property
    def asked_now(self) -> int:
        """How many questions this run asked itself."""
        copied = {id_ for outcomes in self.taken_over.values() for outcome in outcomes for id_ in outcome.observations}
        return len(self.observations.keys() - copied)

    def explained_by(self, root: RootCause) -> list[Outcome]:
        """The outcomes that the root cause explains, those of the target itself first."""
        return [self._outcomes[check] for check in (*root.direct, *root.downstream) if check in self._outcomes]

    def wrong_all_the_same(self, root: RootCause) -> list[Outcome]:
        """Failed SEV-1 checks beneath a root cause that got an answer without a server error too: it may hide them."""
        downstream = (self._outcomes[check] for check in root.downstream if check in self._outcomes)
        return [
            outcome
            for outcome in downstream
            if outcome.severity == SEVERITIES[0]
            and outcome.status is Status.FAILED
            and outcome.cause is Cause.TARGET_WRONG
            and not outcome.unwell
            and any(status < SERVER_ERROR for status in outcome.statuses)
        ]

    def extent(self, root: RootCause) -> dict[str, int]:
        """How far a root cause reaches: checks by `could_not_run`, `did_fail`, `are_waived`, `depend_on_it`."""
        direct = Counter(self._outcomes[check].status for check in root.direct if check in self._outcomes)
        return {
            "could_not_run": direct[Status.UNKNOWN],
            "did_fail": direct[Status.FAILED],
            "are_waived": direct[Status.WAIVED],
            "depend_on_it": len(root.downstream),
        }

    def of_profile(self, profile: str) -> list[Outcome]:
        """The outcomes of one profile."""
        return [outcome for outcome in self.run.outcomes if outcome.profile == profile]

    def word(self, profile: str) -> Word:
        """The verdict as far as this profile decides it."""
        against = [outcome.status for outcome in self.of_profile(profile) if self.counts(outcome)]
        if Status.FAILED in against:
            return Word.FAIL
        missing = any(reason.startswith(f"{profile}: ") for reason in self.other_reasons)
        return Word.INCONCLUSIVE if against or missing else Word.PASS

    def asked(self, outcome: Outcome) -> list[Observation]:
        """What the check asked, in order, as far as the evidence has it."""
        return [self.observations[id_] for id_ in outcome.observations if id_ in self.observations]

    def telling(self, outcome: Outcome) -> Observation | None:
        """The question to repeat first: one without an answer, else the last one to the target to blame, or of all."""
        asked = self.asked(outcome)
        unanswered = [observation for observation in asked if observation.failure]
        blamed = [observation for observation in asked if observation.target == outcome.target]
        shows = [observation for observation in asked if observation.id == outcome.telling]
        return next((group[-1] for group in (unanswered, blamed, shows, asked) if group), None)

    @cached_property
    def _outcomes(self) -> dict[str, Outcome]:
        return {outcome.check: outcome for outcome in self.run.outcomes}

    def _rank(self, outcomes: Iterable[Outcome]) -> int:
        """New ones first, against a baseline."""
        key = standing(outcomes) if self.run.baseline else ""
        return STANDINGS.index(key) if key else 0

    def _alone(self, counting: bool) -> tuple[Outcome, ...]:
        explained = {check for root in self.run.root_causes for check in (*root.direct, *root.downstream)}
        alone = [
            outcome
            for outcome in self.run.outcomes
            if outcome.status in _BAD and self.counts(outcome) is counting and outcome.check not in explained
        ]
        return tuple(sorted(alone, key=lambda outcome: (self._rank([outcome]), SEVERITIES.index(outcome.severity))))


def urgency(outcome: Outcome) -> str:
    """How bad and how urgent: `SEV-1 P0`, or `SEV-2` where there is no priority."""
    return f"{outcome.severity} {outcome.priority}" if outcome.priority else outcome.severity


def told(outcome: Outcome) -> str:
    """What an outcome says; a number by the title of its indicator, too."""
    return f"{outcome.title}: {outcome.message}" if outcome.value is not None else outcome.message


def confirmed_text(fact: AttestedFact) -> str:
    """Whose word a check has: `kim, 2026-11-20 03:10 +09:00: no page since 02:50`."""
    return f"{fact.by}, {moment_text(fact.at)}{f': {fact.note}' if fact.note else ''}"


def since_text(outcomes: Iterable[Outcome]) -> str:
    """From when to when outcomes were checked, in UTC: `02:50 to 02:51 UTC`."""
    started = sorted(outcome.started.astimezone(UTC) for outcome in outcomes)
    return f"{started[0]:%Y-%m-%d %H:%M} - {started[-1]:%H:%M} UTC"


def numbers(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """How many checks have which status, the statuses that did not occur left out."""
    found = Counter(outcome.status for outcome in outcomes)
    return {status.value: found[status] for status in Status if found[status]}


def seconds_text(seconds: float) -> str:
    """A duration for people: `250 ms`, `1.4 s`, `5 min 3 s`, `4 h 10 min`, `2 d 3 h`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    if minutes < 120:
        return f"{minutes} min {seconds % 60:.0f} s"
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"
