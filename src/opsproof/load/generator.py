"""One generator: users take arrivals, requests are measured, and each second is told to who collects them."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import gevent
from gevent.event import Event
from locust.exception import StopUser
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING, LOCUST_STATE_WAITING, TaskSet

from opsproof.benchmark.facts import Ending, RequestFact, SecondFact, WorkerFact
from opsproof.judge.benchmark.trust import late_by
from opsproof.load.arrivals import Arrival, Arrivals
from opsproof.load.meter import LOOK_SECONDS, Meter, Sent
from opsproof.profile.load import Load

clock = time.perf_counter
_EARLY_SECONDS = 0.001
"""A timer of the event loop fires up to a millisecond late; the rest of the wait is spent looking at the clock."""
_CALM_RATE = 500.0
"""Arrivals a second beyond which that would cost too much of a core; the loop is then hardly ever asleep."""
_CPU_LOOKS = 100
_FEWEST_CPU_LOOKS = 20
_LEAD_SECONDS = 0.1
_DOWN_SECONDS = 5.0
_DOWN_FAILURES = 20
_REQUESTS_TOLD_EVERY = 3
PATIENCE = 2
"""Time-outs of a request for which users may log in before arrivals come."""
_TO_CLEAN_UP = 10
"""Requests of a task that writes, beyond what there may be."""
_UNTOLD = "a request was sent, and its end never told: catch_response needs a `with` block"

Telling = Callable[[WorkerFact, list[SecondFact], tuple[RequestFact, ...] | None, Ending | None], None]


class Generator:
    """
    What drives the users of this process.

    Args:
        load: The profile's plan.
        name: Of this worker.
        placed: False if it waits for a master to say which of how many it is.
        tell: Takes the ledger, the seconds that are new, the requests (not every time), and how it ended (at last).
    """

    def __init__(self, load: Load, name: str, tell: Telling, *, placed: bool) -> None:
        self._load = load
        self._name = name
        self._tell = tell
        self._number, self._workers = 0, 1
        self._early = 0.0
        self.placed = placed
        self._begins = Event()
        self._told = 0
        self._ending: Ending | None = None
        self._cut: Ending | None = None
        self._running: dict[int, Arrival] = {}
        self._in_flight: dict[int, list[Sent]] = {}
        self._requests, self._most_requests = 0, load.requests_at_most
        self._early_errors: list[str] = []
        self._watch: gevent.Greenlet | None = None
        self._users: Callable[[], Mapping[str, int]] | None = None
        self._ready = self._begun_with = 0
        self.meter: Meter | None = None

    def place(self, number: int, workers: int) -> None:
        """Say which of how many workers this is; before it begins."""
        self._number, self._workers, self.placed = number, workers, True
        self._most_requests = math.ceil(self._load.requests_at_most / workers)

    def begin(self, users: Callable[[], Mapping[str, int]]) -> None:
        """
        All users are there: let arrivals come as soon as all are through with their `on_start`.

        Args:
            users: Says how many there are now, by class.
        """
        if self._users is None:
            self._users = users
            gevent.spawn(self._begin_when_ready)

    def _begin_when_ready(self) -> None:
        """Who does not log in in time is not waited for."""
        assert self._users is not None
        given_up = clock() + PATIENCE * self._load.timeout
        while self._ready < sum(self._users().values()) and clock() < given_up and self._ending is None:
            gevent.sleep(LOOK_SECONDS)
        if self._ending is None:
            self._let_arrivals_come(self._users())

    def _let_arrivals_come(self, users: Mapping[str, int]) -> None:
        self._begun_with = sum(users.values())
        self._early = _EARLY_SECONDS if self._load.rate / self._workers <= _CALM_RATE else 0.0
        begins = clock() + _LEAD_SECONDS
        arrivals = Arrivals(self._load.rate, self._load.duration, begins, self._number, self._workers, users)
        self.meter = Meter(self._load, arrivals, self._name, late_by(self._load))
        self.meter.in_flight, self.meter.requests = self._in_flight, self._requests
        self.meter.user_errors.update(self._early_errors)
        if self._requests >= self._most_requests:
            self.cut("most_requests")
        self._watch = gevent.spawn(self._look)
        self._begins.set()

    def cut(self, ending: Ending) -> None:
        """Let no more arrivals come; what is under way may end."""
        if self.meter is not None and self._cut is None:
            self._cut = ending
            self.meter.arrivals.cut(clock())

    def close(self, ending: Ending) -> None:
        """End it, and tell the last of it, if there is anything. Nothing if it has ended."""
        if self._ending is not None:
            return
        self._ending = ending
        if self.meter is None:
            return
        now = clock()
        self.meter.arrivals.cut(now)
        self.meter.roll(now)
        self.meter.close(now)
        self._report(now, final=True)

    @property
    def ended(self) -> bool:
        """True if it has told the last of it."""
        return self._ending is not None

    def take_arrival(self, tasks: TaskSet, tags: frozenset[str]) -> Arrival:
        """
        Wait until an arrival for this class of users is due that no other of them has taken.

        Args:
            tasks: What the user does.
            tags: Of the task.

        Raises:
            StopUser: The user is to end.
        """
        user = tasks.user
        user._state = LOCUST_STATE_WAITING
        if self.meter is None:
            self._ready += 1
            self._begins.wait()
        assert self.meter is not None
        arrivals = self.meter.arrivals
        due = arrivals.take(type(user).__name__)
        if due is None:
            _idle()
        delay = due - clock()
        if delay > 0:
            gevent.sleep(max(0.0, delay - self._early))
            while self._early and clock() < due:
                gevent.sleep(0)
        if user._state == LOCUST_STATE_STOPPING:
            raise StopUser
        if self._ending is not None or self._requests >= self._most_requests or due > arrivals.ends:
            _idle()
        user._state = LOCUST_STATE_RUNNING
        arrival = Arrival(due, tags=tags)
        self.meter.begin(arrival, clock(), waited=delay > 0)
        self._running[id(gevent.getcurrent())] = arrival
        return arrival

    def tags(self) -> frozenset[str] | None:
        """Those of the task that runs in this greenlet; None outside of tasks."""
        arrival = self._running.get(id(gevent.getcurrent()))
        return arrival.tags if arrival else None

    def finish_arrival(self, arrival: Arrival, *, raised: bool, idle: str = "") -> None:
        """
        The task of an arrival is over.

        Args:
            arrival: What it took.
            raised: True if the task raised something, if only that another one is to follow.
            idle: Why the task did not do what it is for; "" if it did.
        """
        greenlet = id(gevent.getcurrent())
        self._running.pop(greenlet, None)
        untold = self._in_flight.pop(greenlet, None)
        if self.meter is not None and self._ending is None:
            self.meter.finish(arrival, clock(), idle)
            if untold and not raised:
                self.meter.user_errors[_UNTOLD] += len(untold)

    def send(self, name: str) -> None:
        """
        The user of this greenlet is about to send a request.

        A task that writes may end what it began, by a few requests: it cleans up.

        Raises:
            StopUser: There are as many requests as there may be, or the benchmark is over.
        """
        greenlet, full = id(gevent.getcurrent()), self._requests >= self._most_requests
        arrival = self._running.get(greenlet)
        if full or (self._ending is not None and arrival is not None):
            if arrival is None or "write" not in arrival.tags or arrival.over >= _TO_CLEAN_UP:
                raise StopUser
            arrival.over += 1
        if self._ending is None:
            sent = self._sent(name, clock(), greenlet)
            stack = self._in_flight.get(greenlet)
            if stack is None:
                self._in_flight[greenlet] = [sent]
            else:
                stack.append(sent)
            if self._requests >= self._most_requests:
                self.cut("most_requests")

    def end(self, name: str, milliseconds: float, error: str, *, answered: bool) -> None:
        """The request of this greenlet has ended; one that nobody saw begin was sent as long ago as it took."""
        greenlet = id(gevent.getcurrent())
        seconds = milliseconds / 1000
        stack = self._in_flight.pop(greenlet, None)
        sent = stack.pop() if stack is not None and len(stack) == 1 else None
        if stack:
            sent = next((one for one in reversed(stack) if one.name == name), stack[-1])
            stack.remove(sent)
            self._in_flight[greenlet] = stack
        if self.meter is None or self._ending is not None:
            return
        if sent is None:
            sent = self._sent(name, clock() - seconds, greenlet)
        sent.name = name
        if sent.arrival is not None:
            sent.arrival.in_requests += seconds
        self.meter.end(sent, seconds, error, answered=answered)

    def fail(self, error: str) -> None:
        """A user raised an error outside of a request."""
        self._in_flight.pop(id(gevent.getcurrent()), None)
        if self.meter is None:
            self._early_errors.append(error)
        else:
            self.meter.user_errors[error] += 1

    def _sent(self, name: str, at: float, greenlet: int) -> Sent:
        """A request more; the first one of an arrival has waited since that was due."""
        arrival = self._running.get(greenlet)
        self._requests += 1
        due = at
        if arrival is not None:
            arrival.requests += 1
            if arrival.requests == 1:
                due = arrival.due
        meter = self.meter
        if meter is not None:
            meter.requests = self._requests
            if arrival is not None and arrival.requests > meter.largest_arrival:
                meter.largest_arrival = arrival.requests
        return Sent(name, due, at, arrival)

    def _look(self) -> None:
        """Look at the loop, at the processor and at the time, until all arrivals are done with."""
        assert self.meter is not None
        assert self._users is not None
        meter, load = self.meter, self._load
        expected, second = meter.arrivals.begins, 1
        gevent.sleep(max(0.0, expected - clock()))
        used = [(clock(), time.process_time())]
        while not self.ended:
            expected = max(expected + LOOK_SECONDS, clock())
            gevent.sleep(expected - clock())
            now = clock()
            used.append((now, time.process_time()))
            meter.look(now, now - expected, _cpu(used))
            while now >= meter.arrivals.begins + second:
                if now < meter.arrivals.ends:
                    meter.gone = max(meter.gone, self._begun_with - sum(self._users().values()))
                meter.roll(meter.arrivals.begins + second)
                second += 1
                self._report(now, final=False)
            if ending := self._is_over(now, load):
                self.close(ending)

    def _is_over(self, now: float, load: Load) -> Ending | None:
        assert self.meter is not None
        meter, arrivals = self.meter, self.meter.arrivals
        if now < arrivals.ends:
            failing = meter.failures_in_a_row >= _DOWN_FAILURES
            good_until = max(meter.last_success, arrivals.begins + load.warm_up)
            return "down" if failing and now - good_until > _DOWN_SECONDS else None
        to_come = self._running or meter.begun < arrivals.planned
        waiting = meter.in_flight or (to_come and self._requests < self._most_requests)
        if waiting and now < arrivals.ends + load.timeout:
            return None
        return self._cut or "done"

    def _report(self, now: float, *, final: bool) -> None:
        assert self.meter is not None
        new = self.meter.new_seconds()
        self._told += len(new)
        whole = final or self._told % _REQUESTS_TOLD_EVERY == 0
        requests = self.meter.requests_so_far() if whole else None
        self._tell(self.meter.ledger(now, final=final), new, requests, self._ending)


def _cpu(used: list[tuple[float, float]]) -> float | None:
    """The part of a core over the last five seconds; None before the first has gone by."""
    if len(used) > _CPU_LOOKS:
        used.pop(0)
    if len(used) < _FEWEST_CPU_LOOKS:
        return None
    (since, before), (now, so_far) = used[0], used[-1]
    return (so_far - before) / (now - since)


def _idle() -> NoReturn:
    """There is nothing left to do for this user; it waits to be ended."""
    while True:
        gevent.sleep(3600)


def error_text(exception: Any) -> str:
    """What was wrong with a request, in a line; "" if nothing."""
    if exception is None:
        return ""
    return " ".join(f"{type(exception).__name__}: {exception}".split())[:120]
