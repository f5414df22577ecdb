"""What one generator measures: times of requests in histograms, second by second, and its ledger of arrivals."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from opsproof.benchmark.facts import NEVER_BEGUN, RequestFact, SecondFact, WorkerFact
from opsproof.benchmark.histograms import LONGEST, MICROSECONDS, encoded, new_histogram
from opsproof.load.arrivals import Arrival, Arrivals
from opsproof.profile.load import Load

LOOK_SECONDS = 0.05
"""From one look at the loop to the next."""
_ERRORS_KEPT = 50
_OTHER_ERRORS = "other errors"


@dataclass(slots=True)
class _Name:
    """Histograms of the requests of one name."""

    good: Any = field(default_factory=new_histogram)
    bad: Any = field(default_factory=new_histogram)
    service: Any = field(default_factory=new_histogram)
    ages: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Second:
    """What ended within the second that goes on now."""

    times: dict[str, Any] = field(default_factory=dict)
    failed: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Sent:
    """A request that has not ended: when it was due and sent, and the arrival that it is of."""

    name: str
    due: float
    at: float
    arrival: Arrival | None


class Meter:
    """
    The numbers of one generator.

    Args:
        load: The profile's plan.
        arrivals: Those of this generator.
        worker: Its name.
        late_by: Seconds from which on the generator itself is late.
    """

    def __init__(self, load: Load, arrivals: Arrivals, worker: str, late_by: float) -> None:
        self.arrivals = arrivals
        self.late_by = late_by
        self.begun = self.begun_in_time = self.begun_judged = self.late = self.busy = self.finished = 0
        self.requests = self.requests_finished = self.largest_arrival = 0
        self.failures_in_a_row = 0
        self.last_success = arrivals.begins
        self.thinking = 0.0
        self.looks = self.held_up = 0
        self.longest_lag = self.cpu = 0.0
        self.user_errors: Counter[str] = Counter()
        self.in_flight: dict[int, list[Sent]] = {}
        self._worker = worker
        self._gated = {gate.request for gate in load.gates.values() if gate.request}
        self._judged_from = arrivals.begins + load.warm_up
        self._names: dict[str, _Name] = {}
        self._second = _Second()
        self._seconds: list[SecondFact] = []
        self._before = (0, 0)

    def look(self, now: float, lag: float, cpu: float | None) -> None:
        """
        A look at the generator itself; before the end of the warm-up it says nothing.

        One that comes late counts for all those that could not be had meanwhile, so that shares of looks are shares of
        time.

        Args:
            now: When.
            lag: Seconds by which it came late.
            cpu: The part of a core that was used lately; None if that is not known yet.
        """
        if now < self._judged_from:
            return
        missed = int(lag / LOOK_SECONDS)
        self.looks += 1 + missed
        self.held_up += max(1, missed) if lag > self.late_by else 0
        self.longest_lag = max(self.longest_lag, lag)
        if cpu is not None:
            self.cpu = max(self.cpu, cpu)

    def begin(self, arrival: Arrival, now: float, *, waited: bool) -> None:
        """
        A user begins with an arrival.

        Args:
            arrival: What it took.
            now: When.
            waited: True if it had been free before the arrival was due: then all of its lateness is the generator's.
        """
        arrival.begun = now
        self.begun += 1
        self.begun_in_time += now <= self.arrivals.ends
        if arrival.due < self._judged_from:
            return
        self.begun_judged += 1
        if not waited:
            self.busy += 1
        elif now - arrival.due > self.late_by:
            self.late += 1

    def finish(self, arrival: Arrival, now: float) -> None:
        """A user is through with an arrival."""
        self.finished += 1
        self.requests_finished += arrival.requests
        self.thinking += max(0.0, now - arrival.begun - arrival.in_requests)

    def end(self, sent: Sent, service: float, error: str) -> None:
        """
        A request has ended.

        Args:
            sent: What was sent.
            service: Seconds from sending to its end.
            error: What was wrong; "" if nothing.
        """
        response = sent.at - sent.due + service
        if error:
            self.failures_in_a_row += 1
        else:
            self.failures_in_a_row, self.last_success = 0, sent.at + service
        micros = min(LONGEST, int(response * MICROSECONDS))
        judged = sent.due >= self._judged_from
        if judged or sent.at + service < self._judged_from:
            self._note(sent.name if sent.name in self._gated else "", micros, error)
        if not judged:
            return
        name = self._names.get(sent.name)
        if name is None:
            name = self._names[sent.name] = _Name()
        if error:
            name.bad.record_value(micros)
            kept = error in name.errors or len(name.errors) < _ERRORS_KEPT
            name.errors[error if kept else _OTHER_ERRORS] += 1
        else:
            name.good.record_value(micros)
        name.service.record_value(min(LONGEST, int(service * MICROSECONDS)))

    def _note(self, group: str, micros: int, error: str) -> None:
        second = self._second
        times = second.times.get(group)
        if times is None:
            times = second.times[group] = new_histogram()
        times.record_value(micros)
        if error:
            second.failed[group] += 1

    def roll(self, now: float) -> None:
        """
        A second is over.

        Args:
            now: Its end.
        """
        ended, self._second = self._second, _Second()
        if ended.times:
            everything = new_histogram()
            for times in ended.times.values():
                everything.add(times)
            ended.times[""] = everything
        planned, begun = self.arrivals.due_until(now), self.begun
        failed = dict(ended.failed) | {"": ended.failed.total()} if ended.failed else {}
        self._seconds.append(
            SecondFact.model_construct(
                second=len(self._seconds),
                planned=planned - self._before[0],
                begun=begun - self._before[1],
                in_flight=sum(map(len, self.in_flight.values())),
                times={name: encoded(times) for name, times in ended.times.items()},
                failed=failed,
            )
        )
        self._before = (planned, begun)

    def close(self, now: float) -> None:
        """
        Count what never ended: requests in flight, and arrivals that nobody came to begin.

        Args:
            now: The end of the benchmark.
        """
        for sent in (one for stack in self.in_flight.values() for one in stack):
            if sent.due >= self._judged_from:
                self._names.setdefault(sent.name, _Name()).ages.append(now - sent.due)
        self.in_flight.clear()
        never = [now - due for due in self.arrivals.left() if self._judged_from <= due <= now]
        if never:
            self._names.setdefault(NEVER_BEGUN, _Name()).ages.extend(never)

    def seconds_since(self, number: int) -> list[SecondFact]:
        """The seconds that are over, from the one of this place in their order on."""
        return self._seconds[number:]

    def requests_so_far(self) -> tuple[RequestFact, ...]:
        """Every name with its histograms."""
        return tuple(
            RequestFact(
                name=name,
                good=encoded(one.good),
                bad=encoded(one.bad),
                service=encoded(one.service),
                ended=one.service.total_count,
                failed=one.bad.total_count,
                ages=tuple(one.ages),
                errors=dict(one.errors),
            )
            for name, one in sorted(self._names.items())
        )

    def ledger(self, now: float, *, final: bool) -> WorkerFact:
        """The ledger so far; `final` if it is the last one."""
        return WorkerFact(
            name=self._worker,
            planned=self.arrivals.due_until(now),
            begun=self.begun,
            begun_in_time=self.begun_in_time,
            begun_judged=self.begun_judged,
            late=self.late,
            busy=self.busy,
            finished=self.finished,
            requests=self.requests,
            requests_finished=self.requests_finished,
            largest_arrival=self.largest_arrival,
            thinking=self.thinking,
            looks=self.looks,
            held_up=self.held_up,
            longest_lag=self.longest_lag,
            cpu=self.cpu,
            ran=max(0.0, min(now, self.arrivals.ends) - self.arrivals.begins),
            user_errors=dict(self.user_errors),
            told_its_end=final,
        )
