"""What all generators tell, put together: histograms are added up, never averaged."""

import math
from collections import defaultdict
from dataclasses import dataclass, field

from opsproof.benchmark.facts import Ending, RequestFact, SecondFact, WorkerFact
from opsproof.benchmark.histograms import merged, times_of
from opsproof.benchmark.selecting import asked
from opsproof.judge.statistics.proportions import lower
from opsproof.profile.load import Gate, Load

_GRAVEST_LAST: tuple[Ending, ...] = ("done", "most_requests", "interrupted", "sure", "down")


@dataclass(slots=True)
class _Told:
    """What one worker told."""

    ledger: WorkerFact
    seconds: list[SecondFact] = field(default_factory=list)
    requests: tuple[RequestFact, ...] = ()
    ending: Ending | None = None


class Collector:
    """
    Takes what generators tell, and says when it is enough.

    Args:
        load: The profile's plan.
    """

    def __init__(self, load: Load) -> None:
        self._load = load
        # What judges takes a second to load, which would hold up the users of this process later.
        times_of([])
        lower(1, 2, load.confidence)
        self._told: dict[str, _Told] = {}
        self._sure = {key: [0.0, 0.0] for key in load.gates}
        self.ending: Ending | None = None

    def take(
        self,
        ledger: WorkerFact,
        seconds: list[SecondFact],
        requests: tuple[RequestFact, ...] | None,
        ending: Ending | None,
    ) -> None:
        """Take what a worker tells."""
        told = self._told.setdefault(ledger.name, _Told(ledger))
        told.ledger, told.ending = ledger, ending
        told.seconds += seconds
        if requests is not None:
            told.requests = requests
        for second in seconds:
            self._count(second)

    def ended(self, workers: int) -> bool:
        """True if so many workers have told their end."""
        return sum(told.ending is not None for told in self._told.values()) >= workers

    def why_ended(self) -> Ending:
        """The gravest of what ended the workers."""
        told = [one.ending for one in self._told.values() if one.ending] + ([self.ending] if self.ending else [])
        return max(told, key=_GRAVEST_LAST.index, default="interrupted")

    @property
    def down(self) -> bool:
        """True if a worker says that the target is clearly down."""
        return any(told.ending == "down" for told in self._told.values())

    def progress(self, elapsed: float) -> str:
        """How it goes, in a line."""
        begun = sum(told.ledger.begun for told in self._told.values())
        planned = sum(told.ledger.planned for told in self._told.values())
        failed = sum(second.failed.get("", 0) for told in self._told.values() for second in told.seconds)
        load = self._load
        seconds = f"{min(elapsed, load.duration):.0f} s of {load.duration:g} s"
        return f"{seconds}: {begun:,} of {planned:,} arrivals begun, {failed:,} requests failed"

    def surely_fails(self) -> str:
        """
        A gate that fails whatever is still to come, even if every request of it were good; "" if there is none.

        As many requests may come as if each arrival had as many as the one that had the most so far.
        """
        for key, gate in self._load.gates.items():
            bad, seen = self._sure[key]
            allowed = _allowed(gate)
            if allowed is None or not bad:
                continue
            per_arrival = max(self._largest_arrival(), seen / max(1, self._arrivals_judged()))
            total = max(seen, per_arrival * self._load.rate * (self._load.duration - self._load.warm_up))
            if lower(bad, total, self._load.confidence) > allowed:
                return key
        return ""

    def workers(self) -> tuple[WorkerFact, ...]:
        """The ledgers."""
        return tuple(told.ledger for told in self._told.values())

    def requests(self) -> tuple[RequestFact, ...]:
        """All requests by name."""
        by_name: dict[str, list[RequestFact]] = defaultdict(list)
        for told in self._told.values():
            for one in told.requests:
                by_name[one.name].append(one)
        return tuple(_joined(name, by_name[name]) for name in sorted(by_name))

    def judged(self) -> int:
        """Requests so far that are judged."""
        return sum(asked(told.requests) for told in self._told.values())

    def seconds(self) -> tuple[SecondFact, ...]:
        """All seconds, those of the workers together."""
        by_number: dict[int, list[SecondFact]] = defaultdict(list)
        for told in self._told.values():
            for second in told.seconds:
                by_number[second.second].append(second)
        return tuple(_together(number, by_number[number]) for number in sorted(by_number))

    def _largest_arrival(self) -> int:
        return max((told.ledger.largest_arrival for told in self._told.values()), default=0) or 1

    def _arrivals_judged(self) -> int:
        return sum(s.begun for told in self._told.values() for s in told.seconds if s.second >= self._load.warm_up)

    def _count(self, second: SecondFact) -> None:
        if second.second < self._load.warm_up:
            return
        for key, gate in self._load.gates.items():
            text = second.times.get(gate.request, "")
            if not text or gate.limit is None:
                continue
            times = times_of([text])
            bad = second.failed.get(gate.request, 0) if gate.measure == "errors" else 0.0
            if gate.q is not None:
                bad = times.slower(gate.limit.bounds[0]).fewest
            self._sure[key][0] += bad
            self._sure[key][1] += times.total


def _allowed(gate: Gate) -> float | None:
    """The share of requests that may be bad; None where it is not a share that decides."""
    if gate.limit is None or gate.measure in ("rate", "mean"):
        return None
    return gate.limit.bounds[0] if gate.measure == "errors" else 1 - (gate.q or math.nan)


def _joined(name: str, facts: list[RequestFact]) -> RequestFact:
    errors: dict[str, int] = defaultdict(int)
    for fact in facts:
        for text, count in fact.errors.items():
            errors[text] += count
    return RequestFact(
        name=name,
        good=merged(fact.good for fact in facts),
        bad=merged(fact.bad for fact in facts),
        service=merged(fact.service for fact in facts),
        ended=sum(fact.ended for fact in facts),
        failed=sum(fact.failed for fact in facts),
        unanswered=sum(fact.unanswered for fact in facts),
        ages=tuple(age for fact in facts for age in fact.ages),
        errors=dict(errors),
    )


def _together(number: int, facts: list[SecondFact]) -> SecondFact:
    names = {name for fact in facts for name in fact.times}
    failed = {name for fact in facts for name in fact.failed}
    return SecondFact(
        second=number,
        planned=sum(fact.planned for fact in facts),
        begun=sum(fact.begun for fact in facts),
        in_flight=sum(fact.in_flight for fact in facts),
        times={name: merged(fact.times.get(name, "") for fact in facts) for name in sorted(names)},
        failed={name: sum(fact.failed.get(name, 0) for fact in facts) for name in sorted(failed)},
    )
