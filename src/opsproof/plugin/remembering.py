"""What a replay remembers of the earlier run."""

from collections.abc import Mapping

from opsproof.errors import PreconditionMissing, TimedOut
from opsproof.evidence.bundle import Bundle
from opsproof.evidence.observation import Observation
from opsproof.judge.outcome import Cause, Outcome
from opsproof.report.run import Run


class Remembered:
    """
    The answers of an earlier run, and which of its checks ran out of time with a question still unanswered.

    Args:
        run: The earlier run.
        observations: Its evidence by id.
    """

    def __init__(self, run: Run, observations: Mapping[str, Observation]) -> None:
        self._bundle = Bundle(observations, {outcome.check: outcome.observations for outcome in run.outcomes})
        self._late: dict[str, Outcome] = {o.check: o for o in run.outcomes if o.cause is Cause.TIMED_OUT}

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
