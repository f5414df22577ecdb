"""`--resume RUN`: what an earlier run has shown and what is still fresh is taken over; the rest is checked again."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from opsproof.errors import OpsproofError, ProfileError
from opsproof.evidence.bundle import read_evidence
from opsproof.judge.outcome import Outcome, Status
from opsproof.plugin.check import Check
from opsproof.plugin.engine import Engine
from opsproof.plugin.environment import Environment
from opsproof.plugin.remembering import TakenOver
from opsproof.report.folder import RUN_FILE, read_run
from opsproof.report.run import Run

OPTION = "--resume"
JOURNALS = "journals"
"""Folder among the runs with the journals of rehearsals; named to --resume, it is what a killed one has left."""


def is_journals(folder: Path) -> bool:
    """Whether a folder holds journals of rehearsals, and no run."""
    return not (folder / RUN_FILE).exists() and any(folder.glob("*.jsonl"))


class Resumed:
    """
    An earlier run that is resumed.

    Args:
        folder: Its folder.

    Raises:
        OpsproofError: It cannot be read, or is itself only a replay.
    """

    def __init__(self, folder: Path) -> None:
        self.run: Run = _run_of(folder)
        if self.run.replay_of:
            raise OpsproofError(
                f"this is a replay of run {self.run.replay_of}: it asked nothing, and so nothing of it is fresh",
                where=f"{OPTION} {folder}",
                next_step="Name the folder of the run itself.",
            )
        self._observations = read_evidence(folder)
        self._outcomes = {outcome.check: outcome for outcome in self.run.outcomes}
        self._taken: dict[str, TakenOver | None] = {}
        self._began = datetime.now(UTC)
        self._since: datetime | None = None
        self._fresh_for: dict[str, timedelta] = {}
        self._refused: dict[str, str] = {}

    def must_fit(self, profiles: Iterable[str], expected: Mapping[str, str | None]) -> None:
        """
        Make sure that this is the same question again.

        Args:
            profiles: Those of the new run.
            expected: By profile the release that the operator expects now; None if they said nothing.

        Raises:
            ProfileError: The earlier run was of other profiles, or expected another release.
        """
        if set(profiles) != set(self.run.profiles):
            raise ProfileError(
                f"run {self.run.id} checked {_names(self.run.profiles)}; this one is to check {_names(profiles)}",
                where=OPTION,
                next_step="Name the same profiles, or leave --profile out: then they are those of the earlier run.",
            )
        for name, version in expected.items():
            before = self.expected_version(name)
            if version is not None and version != before:
                raise ProfileError(
                    f"run {self.run.id} expected {f'release {before}' if before else 'no release'} of {name}; "
                    f"this one expects {version}",
                    where="--expect-version",
                    next_step="A green of another release is none: run it anew, without --resume.",
                )

    def expected_version(self, profile: str) -> str | None:
        """The release that the earlier run expected."""
        release = self.run.profiles[profile].release
        return release.expected if release else None

    def settle(self, environments: Mapping[str, Environment], engine: Engine, since: datetime | None) -> None:
        """
        Decide once, before the checks begin, of which profiles anything may be taken over.

        Args:
            environments: By profile, open; each is asked which release answers.
            engine: Asks.
            since: When the incident began, if the new run looks back at one; what is older is checked again.
        """
        self._since = since
        for name, place in environments.items():
            answering = engine.submit(place.release.answering()).result() if place.release else None
            self._refused[name] = self._refusal(name, place.addresses, answering)
            self._fresh_for[name] = timedelta(seconds=place.profile.policy.fresh_for)

    def _refusal(self, profile: str, addresses: Mapping[str, str], answering: Iterable[str] | None) -> str:
        """Why nothing of a profile is taken over; "" if something may be."""
        before = self.run.profiles[profile]
        if moved := [name for name, target in before.targets.items() if addresses.get(name) != target.address]:
            return f"other addresses than then: {_names(moved)}"
        seen = set(before.release.seen) if before.release else set()
        if answering is not None and set(answering) != seen:
            return f"{_releases(set(answering))} answers now, and then it was {_releases(seen)}"
        return ""

    def taken(self, check: Check) -> TakenOver | None:
        """What is taken over of a check; None if it must be asked again, and always of a canary or benchmark."""
        if check.id not in self._taken and check.profile in self._fresh_for:
            self._taken[check.id] = self._take(check)
        return self._taken.get(check.id)

    def _take(self, check: Check) -> TakenOver | None:
        before = self.before(check)
        if check.judged_whole or before is None or before.status is not Status.PASSED or self._refused[check.profile]:
            return None
        measured, limit = before.started, self._fresh_for[check.profile]
        if check.attested is not None and before.attested is not None:
            measured, limit = before.attested.at, timedelta(seconds=check.attested.valid_for)
        if not timedelta(0) <= self._began - measured <= limit:
            return None
        if self._since is not None and measured < self._since:
            return None
        seen = [self._observations.get(id_) for id_ in before.observations]
        kept = tuple(replace(one, id=self._own(one.id)) for one in seen if one is not None)
        if len(kept) != len(seen):
            return None
        changes = {
            "taken_over": before.taken_over or self.run.id,
            "observations": tuple(one.id for one in kept),
            "telling": before.telling and self._own(before.telling),
        }
        return TakenOver(before.model_copy(update=changes), kept)

    def before(self, check: Check) -> Outcome | None:
        """What became of a check in the earlier run."""
        return self._outcomes.get(check.id)

    def notes(self, outcomes: Iterable[Outcome]) -> Iterable[str]:
        """What an operator should know: of which profiles nothing was taken over, and why."""
        taken = {outcome.profile for outcome in outcomes if outcome.taken_over}
        for name in self.run.profiles:
            if name not in taken and name in self._fresh_for:
                why = self._refused.get(
                    name, "nothing that passed is fresh (policy.fresh_for, and valid_for of answers)"
                )
                yield f"{name}: nothing was taken over from run {self.run.id}: {why}"

    def _own(self, id_: str) -> str:
        """An id that no process of the new run gives: theirs are of their own number and a count."""
        return f"{self.run.id}:{id_}"


def _run_of(folder: Path) -> Run:
    try:
        return read_run(folder)
    except OpsproofError as exc:
        next_step = f"{exc.next_step} Of a rehearsal that was killed: {OPTION} reports/runs/{JOURNALS}."
        raise OpsproofError(exc.what, where=exc.where, next_step=next_step) from exc


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _releases(versions: Iterable[str]) -> str:
    return f"release {_names(versions)}" if versions else "no release"
