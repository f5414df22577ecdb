"""Times on their way into histograms: none is lost, none is counted twice, and what was told is forgotten."""

import json
import random
import subprocess
import sys

from opsproof.benchmark.histograms import LONGEST, encoded, new_histogram, record_all, times_of

METER = """
import json
from opsproof.load.arrivals import Arrivals
from opsproof.load.meter import Meter, Sent
from opsproof.profile.load import Load

words = {"en": "-", "ko": "-"}
gate = {"title": words, "measure": "mean", "request": "GET /a", "limit": "<= 1 s", "runbook": ["T-1"]}
load = Load.model_validate({"rate": 10, "duration": "5s", "gates": {"g": gate | {"next_step": words}}})
meter = Meter(load, Arrivals(10, 5, 0.0), "w", 0.01)
meter.end(Sent("GET /a", 0.1, 0.1, None), 0.2, "")
meter.end(Sent("GET /a", 0.2, 0.3, None), 0.3, "HTTP 500")
meter.end(Sent("GET /b", 0.3, 0.2, None), 0.05, "")  # its timer fired early
between = meter.requests_so_far()
meter.roll(1.0)
first = meter.new_seconds()
meter.end(Sent("GET /b", 1.3, 1.3, None), 0.4, "")
meter.roll(2.0)
seconds, again = first + meter.new_seconds(), meter.new_seconds()
print(json.dumps({
    "between": [one.model_dump() for one in between],
    "requests": [one.model_dump() for one in meter.requests_so_far()],
    "seconds": [one.model_dump() for one in seconds],
    "again": len(again),
}))
"""


def test_values_recorded_together_are_those_recorded_one_by_one() -> None:
    """At every edge of the classes, and for what has taken an hour."""
    rng = random.Random(7)
    values = [0, 1, 2047, 2048, 2049, 4095, 4096, LONGEST - 1, LONGEST]
    values += [int(rng.lognormvariate(10, 3)) % LONGEST for _ in range(5_000)]
    one_by_one, together = new_histogram(), new_histogram()
    for value in values:
        one_by_one.record_value(value)

    record_all(together, values[:100])
    record_all(together, [])
    record_all(together, values[100:])

    assert list(together.counts) == list(one_by_one.counts)
    assert encoded(together) == encoded(one_by_one)
    assert (together.min_value, together.max_value) == (0, LONGEST)


def test_a_meter_counts_each_request_once_and_tells_each_second_once() -> None:
    """In a process of its own, since Locust patches the sockets of the one that it is imported in."""
    done = subprocess.run([sys.executable, "-c", METER], check=True, capture_output=True, text=True, timeout=60)
    said = json.loads(done.stdout)

    assert [(one["name"], one["ended"], one["failed"]) for one in said["between"]] == [
        ("GET /a", 2, 1),
        ("GET /b", 1, 0),
    ]
    assert [(one["name"], one["ended"], one["failed"]) for one in said["requests"]] == [
        ("GET /a", 2, 1),
        ("GET /b", 2, 0),
    ]
    of_a, of_b = said["requests"]
    assert round(times_of([of_a["bad"]]).mean(), 2) == 0.4
    assert round(times_of([of_a["service"]]).mean(), 2) == 0.25
    assert of_b["bad"] == ""
    assert round(times_of([of_b["good"]]).mean(), 2) == 0.2  # 0.4 s, and one that is no less than nothing

    first, second = said["seconds"]
    assert (first["second"], second["second"]) == (0, 1), (
        "each second keeps its number, though the first was told before"
    )
    assert {name: times_of([text]).total for name, text in first["times"].items()} == {"": 3, "GET /a": 2}
    assert first["failed"] == {"GET /a": 1, "": 1}
    assert {name: times_of([text]).total for name, text in second["times"].items()} == {"": 1}
    assert said["again"] == 0
