"""An observation: one question to a target, and its answer."""

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a question has no answer: the class of `opsproof.errors.NotObserved` and its words."""

    kind: str
    what: str
    where: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Observation:
    """
    One question to a target and its answer, redacted when it was made.

    Attributes:
        id: Unique in the run.
        profile: Name of the profile, `SYSTEM/ENVIRONMENT`.
        target: Name of the target in the profile.
        question: What was asked, without the target's address; the key by which a replay finds the answer.
        by_hand: A command line or statement that repeats the question by hand.
        started: When it was asked, UTC.
        duration: Seconds from asking to the whole answer, waiting for the budget not included.
        answer: The answer as JSON, or None.
        failure: Why there is no answer, or None.
    """

    id: str
    profile: str
    target: str
    question: str
    by_hand: str
    started: datetime
    duration: float
    answer: dict[str, Any] | None
    failure: Failure | None

    def to_json(self) -> dict[str, Any]:
        """One line of `evidence.jsonl`."""
        return {field.name: getattr(self, field.name) for field in fields(self)} | {
            "started": self.started.isoformat(),
            "failure": self.failure and asdict(self.failure),
        }

    @classmethod
    def from_json(cls, line: dict[str, Any]) -> Self:
        """
        Read one line of `evidence.jsonl`.

        Raises:
            KeyError, TypeError, ValueError: The line is no observation.
        """
        failure = line["failure"]
        return cls(
            **line
            | {
                "started": datetime.fromisoformat(line["started"]),
                "failure": None if failure is None else Failure(**failure),
            }
        )
