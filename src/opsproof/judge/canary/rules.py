"""What a criterion demands, and how the watch that judges it was planned."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from opsproof.judge.canary.compare import Tolerance
from opsproof.judge.canary.series import State


class Answer(StrEnum):
    """What to do with the canary."""

    PROMOTE = "promote"
    ROLLBACK = "rollback"
    INCONCLUSIVE = "inconclusive"


EXIT_STATUS = {Answer.PROMOTE: 0, Answer.ROLLBACK: 1, Answer.INCONCLUSIVE: 6}


@dataclass(frozen=True, slots=True)
class Rule:
    """
    One criterion.

    Attributes:
        name: Its name.
        limit: What must not be exceeded: a share of failures; with `allowed`, seconds or another unit. None if the
            canary is only compared with the baseline.
        allowed: The share of requests or samples that may be beyond the limit: 0.05 makes "p95 < limit". None if the
            limit is itself that share.
        tolerance: How much worse than the baseline it may be; None if it is not compared.
        strict: True if the limit itself is beyond: "< 1", "> 0". Only for sampled numbers.
        floor: True if the limit is the least that is allowed, and less is worse. Only for sampled numbers.
        critical: True if a violation alone is enough to roll back.
        weight: What a violation adds, if it is not critical.
        min_samples: Requests or samples below which it never promotes. A sure violation needs no more than its bound.
        on: What a state of the data other than `ok` means: `rollback` or `inconclusive` (the default).

    Raises:
        ValueError: If nothing is demanded, or what is demanded cannot be judged.
    """

    name: str
    limit: float | None = None
    allowed: float | None = None
    tolerance: Tolerance | None = None
    strict: bool = False
    floor: bool = False
    critical: bool = True
    weight: float = 0.5
    min_samples: int = 0
    on: Mapping[State, Answer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.limit is None and self.tolerance is None:
            raise ValueError(f"{self.name}: neither a limit nor a tolerance")
        share = self.share
        if share is not None and not 0 < share < 1:
            raise ValueError(
                f"{self.name}: a share of {share:g} can't be judged; it must be more than 0 and less than 1"
            )
        if self.weight <= 0:
            raise ValueError(f"{self.name}: a weight of {self.weight:g}; it must be more than 0")
        for state, answer in self.on.items():
            if answer is Answer.PROMOTE or state in (State.OK, State.VIOLATION):
                raise ValueError(f"{self.name}: {state} can't mean {answer}; only bad data, and never promote")

    @property
    def share(self) -> float | None:
        """The share that must not be exceeded; None without a limit."""
        return None if self.limit is None else self.limit if self.allowed is None else self.allowed

    @property
    def tests(self) -> int:
        """How many tests can roll the canary back."""
        return (self.limit is not None) + (self.tolerance is not None)


@dataclass(frozen=True, slots=True)
class Plan:
    """
    How a watch judges.

    Attributes:
        looks: How many are planned, the last one included. More of them would take more than `false_rollback`.
        tests: Tests of all criteria; each takes an equal part of `false_rollback`.
        confidence: Of each bound that promotes, one-sided. All criteria must hold, so none needs more than this.
        false_rollback: How often, at most, a canary that is as good as all criteria demand may be rolled back, over all
            looks and criteria.
        early_promotion: True if what surely holds may promote before the planned end.
        rollback_weight: Weights of violated criteria that together roll back.
    """

    looks: int
    tests: int
    confidence: float = 0.95
    false_rollback: float = 0.01
    early_promotion: bool = False
    rollback_weight: float = 1.0

    @classmethod
    def of(
        cls,
        rules: Iterable[Rule],
        looks: int,
        *,
        confidence: float = 0.95,
        false_rollback: float = 0.01,
        early_promotion: bool = False,
        rollback_weight: float = 1.0,
    ) -> "Plan":
        """A plan for these criteria; see the attributes."""
        tests = max(1, sum(rule.tests for rule in rules))
        return cls(looks, tests, confidence, false_rollback, early_promotion, rollback_weight)

    @property
    def risk(self) -> float:
        """What one test may take of `false_rollback`."""
        return self.false_rollback / self.tests
