"""The same without opsproof: paced users, and the gate of Locust's documentation with the limits of the runbook."""

import logging
import os

import load_behaviours as behaviours
from locust import constant_throughput, events

PACE = constant_throughput(float(os.environ["USER_RATE"]))


@events.quitting.add_listener
def gate(environment, **_):
    """docs.locust.io, "Running without the web UI": exit status by what was measured."""
    total = environment.stats.total
    if total.fail_ratio > 0.01:
        logging.error("Test failed due to failure ratio > 1%")
        environment.process_exit_code = 1
    elif total.avg_response_time > 250:
        logging.error("Test failed due to average response time ratio > 250 ms")
        environment.process_exit_code = 1
    elif total.get_response_time_percentile(0.95) > 400:
        logging.error("Test failed due to 95th percentile response time > 400 ms")
        environment.process_exit_code = 1
    else:
        environment.process_exit_code = 0
    p95 = total.get_response_time_percentile(0.95)
    numbers = f"{total.num_requests} requests, {total.fail_ratio:.1%} failed, mean {total.avg_response_time:.0f} ms"
    print(f"PLAIN {numbers}, p95 {p95:.0f} ms", flush=True)  # noqa: T201


class Reads(behaviours.Reads):
    wait_time = PACE


class Raises(behaviours.Raises):
    wait_time = PACE


class NeverReady(behaviours.NeverReady):
    wait_time = PACE


class Computes(behaviours.Computes):
    wait_time = PACE


class LooksAtTheBody(behaviours.LooksAtTheBody):
    wait_time = PACE


class Skips(behaviours.Skips):
    wait_time = PACE
