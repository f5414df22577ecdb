"""What one generator measures: times of requests in histograms, second by second, and its ledger of arrivals."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from opsproof.benchmark.facts import NEVER_BEGUN, Histogram, RequestFact, SecondFact, WorkerFact
from opsproof.benchmark.histograms import LONGEST, MICROSECONDS, encoded, new_histogram, record_all
from opsproof.load.arrivals import Arrival, Arrivals
from opsproof.profile.load import Load

LOOK_SECONDS = 0.05
"""From one look at the loop to the next."""
_ERRORS_KEPT = 50
_OTHER_ERRORS = "other errors"
_NO_REQUEST = "the task sends no request"


class _Tally:
    """Microseconds on their way into a histogram: all of a second are recorded at once, when nobody waits."""

    __slots__ = ("_histogram", "new")

    def __init__(self) -> None:
        self.new: list[int] = []
        self._histogram: Any = None

    def histogram(self) -> Any:
        """All of them; None if there are none, since an empty histogram takes as much memory as a full one."""
        if self.new:
            if self._histogram is None:
                self._histogram = new_histogram()
            record_all(self._histogram, self.new)
            self.new.clear()
        return self._histogram

    def text(self) -> str:
        """The histogram's."""
        histogram = self.histogram()
        return "" if histogram is None else encoded(histogram)

    def count(self) -> int:
        """How many there are."""
        histogram = self.histogram()
        return 0 if histogram is None else int(histogram.total_count)


@dataclass(slots=True)
class _Name:
    """Times of the requests of one name."""

    good: _Tally = field(default_factory=_Tally)
    bad: _Tally = field(default_factory=_Tally)
    service: _Tally = field(default_factory=_Tally)
    ages: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0


@dataclass(slots=True)
class _Second:
    """What ended within the second that goes on now."""

    times: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
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
        self.gone = 0
        self.looks = self.held_up = 0
        self.longest_lag = self.cpu = 0.0
        self.user_errors: Counter[str] = Counter()
        self.idle: Counter[str] = Counter()
        self.in_flight: dict[int, list[Sent]] = {}
        self._worker = worker
        self._gated = {gate.request for gate in load.gates.values() if gate.request}
        self._judged_from = arrivals.begins + load.warm_up
        self._names: dict[str, _Name] = {}
        self._second = _Second()
        self._seconds: list[SecondFact] = []
        self._told = 0
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

    def finish(self, arrival: Arrival, now: float, idle: str = "") -> None:
        """
        A user is through with an arrival.

        Args:
            arrival: With which.
            now: When.
            idle: Why the task did not do what it is for; "" if it did, or sent no request at all.
        """
        if (idle or not arrival.requests) and arrival.due >= self._judged_from:
            self.idle[idle or _NO_REQUEST] += 1
        self.finished += 1
        self.requests_finished += arrival.requests
        self.thinking += max(0.0, now - arrival.begun - arrival.in_requests)

    def end(self, sent: Sent, service: float, error: str, *, answered: bool = True) -> None:
        """
        A request has ended.

        Args:
            sent: What was sent.
            service: Seconds from sending to its end.
            error: What was wrong; "" if nothing.
            answered: False if what was wrong is that no answer came.
        """
        response = sent.at - sent.due + service
        if error:
            self.failures_in_a_row += 1
        else:
            self.failures_in_a_row, self.last_success = 0, sent.at + service
        micros = _micros(response)
        judged = sent.due >= self._judged_from
        if judged or sent.at + service < self._judged_from:
            group = sent.name if sent.name in self._gated else ""
            self._second.times[group].append(micros)
            if error:
                self._second.failed[group] += 1
        if not judged:
            return
        name = self._names.get(sent.name)
        if name is None:
            name = self._names[sent.name] = _Name()
        if error:
            name.bad.new.append(micros)
            name.unanswered += not answered
            kept = error in name.errors or len(name.errors) < _ERRORS_KEPT
            name.errors[error if kept else _OTHER_ERRORS] += 1
        else:
            name.good.new.append(micros)
        name.service.new.append(_micros(service))

    def roll(self, now: float) -> None:
        """
        A second is over.

        Args:
            now: Its end.
        """
        ended, self._second = self._second, _Second()
        for name in self._names.values():
            for tally in (name.good, name.bad, name.service):
                tally.histogram()
        if ended.times:
            ended.times[""] = [micros for times in ended.times.values() for micros in times]
        planned, begun = self.arrivals.due_until(now), self.begun
        failed = dict(ended.failed) | {"": ended.failed.total()} if ended.failed else {}
        self._seconds.append(
            SecondFact.model_construct(
                second=self._told + len(self._seconds),
                planned=planned - self._before[0],
                begun=begun - self._before[1],
                in_flight=sum(map(len, self.in_flight.values())),
                times={name: _text(times) for name, times in ended.times.items()},
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

    def new_seconds(self) -> list[SecondFact]:
        """The seconds that are over and were not yet asked for; they are kept by who asks."""
        new, self._seconds = self._seconds, []
        self._told += len(new)
        return new

    def requests_so_far(self) -> tuple[RequestFact, ...]:
        """Every name with its histograms."""
        return tuple(
            RequestFact(
                name=name,
                good=one.good.text(),
                bad=one.bad.text(),
                service=one.service.text(),
                ended=one.service.count(),
                failed=one.bad.count(),
                unanswered=one.unanswered,
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
            idle=dict(self.idle),
            gone=self.gone,
            told_its_end=final,
        )


def _micros(seconds: float) -> int:
    """Whole microseconds; a timer that fires a little early makes no time negative."""
    micros = int(seconds * MICROSECONDS)
    return micros if 0 <= micros <= LONGEST else max(0, min(LONGEST, micros))


def _text(micros: list[int]) -> Histogram:
    histogram = new_histogram()
    record_all(histogram, micros)
    return encoded(histogram)
