"""What a replay remembers of the earlier run."""

from collections.abc import Mapping
from dataclasses import dataclass

from opsproof.errors import PreconditionMissing, TimedOut
from opsproof.evidence.bundle import Bundle
from opsproof.evidence.observation import Observation
from opsproof.judge.outcome import Cause, Outcome
from opsproof.plugin.check import Check
from opsproof.report.run import Run


@dataclass(frozen=True)
class TakenOver:
    """An outcome of an earlier run that is not judged again, and its evidence, under ids that no other run gives."""

    outcome: Outcome
    observations: tuple[Observation, ...]


class Remembered:
    """
    The answers of an earlier run, and which of its checks ran out of time with a question still unanswered.

    Args:
        run: The earlier run.
        observations: Its evidence by id.
    """

    def __init__(self, run: Run, observations: Mapping[str, Observation]) -> None:
        self._bundle = Bundle(observations, {outcome.check: outcome.observations for outcome in run.outcomes})
        self._as_they_were = {
            one.check: TakenOver(one, tuple(observations[id_] for id_ in one.observations if id_ in observations))
            for one in run.outcomes
        }
        self._late: dict[str, Outcome] = {o.check: o for o in run.outcomes if o.cause is Cause.TIMED_OUT}

    def taken_over(self, check: Check) -> TakenOver | None:
        """
        What stays as it was: what the earlier run itself took over, for it was asked under the id of a run before it;
        and what was done in a rehearsal, or seen on its sites, for they are gone.
        """
        before = self._as_they_were.get(check.id)
        return before if before and (before.outcome.taken_over or check.stays_as_it_was) else None

    def evidence(self, check: str) -> tuple[Observation, ...]:
        """What a check saw then."""
        before = self._as_they_were.get(check)
        return before.observations if before else ()

    def recall(self, check: str, target: str, question: str) -> Observation:
        """
        The next answer that this check got to this question.

        Raises:
            TimedOut: The check's time was over then, before it had this answer.
            PreconditionMissing: The earlier run did not ask it.
        """
        try:
            return self._bundle.recall(check, target, question)
        except PreconditionMissing:
            if (late := self._late.get(check)) is None:
                raise
        raise TimedOut(late.message, where=late.where, next_step=late.next_step, target=late.target)
