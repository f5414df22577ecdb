"""
A program: a worker's meter alone takes requests that are made up, for as long as one likes.

It prints how many, over how many seconds, and by how many bytes the process grew: what grows is what a worker keeps.
"""

import json
import random
import sys
from pathlib import Path

from opsproof.benchmark.histograms import new_histogram, record_all
from opsproof.load.arrivals import Arrival, Arrivals
from opsproof.load.meter import Meter, Sent
from opsproof.profile.load import Load

NAMES = [f"GET /api/v1/things/{number}" for number in range(20)]
_TOLD_EVERY = 3
_GATE = {
    "title": {"en": "Times", "ko": "Times"},
    "measure": "p95",
    "limit": "<= 400 ms",
    "runbook": ["B-1"],
    "next_step": {"en": "-", "ko": "-"},
}


def _play(samples: int, rate: int) -> dict[str, int]:
    seconds = -(-samples // rate)
    gates = {f"g{number}": _GATE | {"request": name} for number, name in enumerate(["", *NAMES[:2]])}
    load = Load.model_validate({"rate": rate, "duration": f"{seconds}s", "gates": gates})
    rng = random.Random(20)
    times = [rng.lognormvariate(-3, 1) for _ in range(65_536)]
    record_all(new_histogram(), [0])  # loads its libraries
    before = _peak()
    meter = Meter(load, Arrivals(rate, seconds, 0.0), "worker", 0.01)
    told = 0
    for second in range(seconds):
        _second(meter, times, second, min(rate, samples - second * rate))
        told += len([one for one in meter.new_seconds() if one.second == second])
        if second % _TOLD_EVERY == 0:
            meter.requests_so_far()
    ended = sum(one.ended for one in meter.requests_so_far())
    if ended != samples or told != seconds:
        raise RuntimeError(f"{ended} of {samples} requests, {told} of {seconds} seconds")
    return {"samples": samples, "seconds": seconds, "bytes": _peak() - before}


def _second(meter: Meter, times: list[float], second: int, requests: int) -> None:
    for number in range(requests):
        due = meter.arrivals.take()
        assert due is not None
        arrival = Arrival(due)
        meter.begin(arrival, due, waited=True)
        arrival.requests = 1
        meter.requests += 1
        sent = Sent(NAMES[number % len(NAMES)], due, due, arrival)
        service = times[(second + number * 7) % len(times)]
        arrival.in_requests = service
        meter.end(sent, service, "" if number % 100 else "HTTP 503")
        meter.finish(arrival, due + service)
    meter.roll(second + 1.0)


def _peak() -> int:
    """Bytes that this process has had at most."""
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    print(json.dumps(_play(int(sys.argv[1]), int(sys.argv[2]))))
