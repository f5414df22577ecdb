"""Checks of this repository where its embedded stack cannot bring them: behind a balancer."""

import itertools
from pathlib import Path

import pytest
from answering import HEALTHY, Answer, AnsweringServer
from checkout import Checkout

EXPOSITION = Path(__file__).parents[2] / "checks" / "metrics" / "test_exposition.py"
PROFILE = """
health: {live: /health/live}
exposition: {path: /metrics, counter: http_requests_total}
"""


class Replicas:
    """Two services behind a balancer that takes them in turn; each counts what it answers."""

    def __init__(self, server: AnsweringServer, *, moving: bool, own_only: bool = False) -> None:
        self._turns = itertools.cycle((0, 1))
        self._counts = [5000, 100]
        self._own = [10, 20]
        self._moving, self._own_only = moving, own_only
        server.script |= {"/metrics": self.exposition, "/health/live": self.live}

    def live(self, request):
        self._counts[next(self._turns)] += self._moving and not self._own_only
        return Answer(HEALTHY)

    def exposition(self, request):
        number = next(self._turns)
        self._own[number] += self._moving
        return Answer(
            body=(
                f'http_requests_total{{path="/health/live"}} {self._counts[number]}\n'
                f'http_requests_total{{path="/metrics"}} {self._own[number]}\n'
                f"process_start_time_seconds {1_700_000_000 + number}\n"
            ).encode()
        )


@pytest.fixture
def balanced(checkout: Checkout) -> Checkout:
    source = EXPOSITION.read_text(encoding="utf-8")
    begin = source.index("pytestmark")
    checkout.write("checks/metrics/test_exposition.py", source[:begin] + source[source.index("\n", begin) :])
    checkout.profile(PROFILE)
    return checkout


def test_replicas_that_count_are_green(balanced, server):
    """A lower number of another replica is no counter that went back."""
    Replicas(server, moving=True)

    assert balanced.run().word == "PASS"


def test_replicas_that_stand_still_are_red(balanced, server):
    """A higher number of another replica is no counter that moved."""
    Replicas(server, moving=False)

    finished = balanced.run()

    (outcome,) = finished.run.outcomes
    assert finished.word == "FAIL"
    assert outcome.message.endswith(
        "stood at 5000, 100 in 10 readings of 2 replicas, with requests to /health/live between them"
    ), outcome.message


def test_reading_the_counter_does_not_move_it(balanced, server):
    """A service whose users are not counted any more still counts its scrapes."""
    Replicas(server, moving=True, own_only=True)

    assert balanced.run().word == "FAIL"
