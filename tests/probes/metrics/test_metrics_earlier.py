"""What a number was at an earlier time, asked of a real Prometheus that holds both times."""

import asyncio
import time
from datetime import UTC, datetime

import pytest
from asking import a_probe, as_a_check, memory_of
from prometheus_server import Written, prometheus

from opsproof.errors import NoData
from opsproof.profile.numbers import Increase, Quantile, Rate, Ratio

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

STEP = 10
HOUR = 3600
NOW = int(time.time()) // STEP * STEP
CHANGED = NOW - HOUR // 2
"""Until then all was well; since then everything is ten times as much."""

TARGET = {"job": "service", "instance": "one"}
ERRORS, REQUESTS = 'requests_total{status="500"}', "requests_total"
QUESTIONS = {
    "promql": ("sum(queue)", 10.0, 1.0),
    "ratio": (Ratio(of=ERRORS, over=REQUESTS, window=300), 0.5, 0.05),
    "rate": (Rate(of=ERRORS, window=300), 1.0, 0.1),
    "increase": (Increase(of=ERRORS, window=300), 300.0, 30.0),
    "quantile": (Quantile(of="seconds", q=0.5, window=300), 5.5, 0.5),
}
"""What is asked, what it is now, and what it was an hour ago."""


def samples():
    """Two hours of one service, and two to come: a slow machine is here long after it read this file."""
    errors, all_, slow = 0.0, 0.0, 0.0
    for at in range(NOW - 2 * HOUR, NOW + 2 * HOUR, STEP):
        late = at > CHANGED
        errors, all_, slow = errors + (10 if late else 1), all_ + 20, slow + (20 if late else 0)
        yield Written("up", TARGET, at, 1.0)
        yield Written("queue", TARGET, at, 10.0 if late else 1.0)
        yield Written("requests_total", TARGET | {"status": "500"}, at, errors)
        yield Written("requests_total", TARGET | {"status": "200"}, at, all_ - errors)
        for le, value in (("1", all_ - slow), ("10", all_), ("+Inf", all_)):
            yield Written("seconds_bucket", TARGET | {"le": le}, at, value)
        yield Written("seconds_count", TARGET, at, all_)
        if late:
            yield Written("born_total", TARGET, at, errors)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The Prometheus that holds them."""
    with prometheus(tmp_path_factory.mktemp("prometheus"), samples()) as url:
        yield url


def ago(seconds: float) -> datetime:
    return datetime.fromtimestamp(NOW - seconds, UTC)


AN_HOUR_AGO = ago(HOUR)


def asked(url, question, *, memory=None, then=AN_HOUR_AGO):
    """The number now and the number then, of one check; and the check's evidence."""

    async def main():
        recorder = as_a_check()
        metrics = a_probe(kind="prometheus", url=url, name="metrics", memory=memory)
        try:
            now = (await metrics.number(question, max_age=60)).value
            return now, (await metrics.at(then).number(question, max_age=60)).value, recorder
        finally:
            await metrics.close()

    return asyncio.run(main())


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_earlier_time_is_read_and_not_now(server, name):
    """A form of several questions asks every one of them at that time."""
    question, expected_now, expected_then = QUESTIONS[name]

    now, then, _ = asked(server, question)

    assert now == pytest.approx(expected_now, rel=0.05)
    assert then == pytest.approx(expected_then, rel=0.05)


def test_what_was_not_there_then_is_no_data_although_it_is_there_now(server):
    """A release brought the metric: there is nothing to compare with, and not 0."""
    for then in (ago(HOUR), ago(30 * 24 * HOUR)):
        with pytest.raises(NoData):
            asked(server, Increase(of="born_total", window=300), then=then)


def test_both_times_are_evidence_that_can_be_repeated_and_judged_again(server):
    """The question to Prometheus itself names the time; a replay finds the right answer for each."""
    question = QUESTIONS["ratio"][0]
    now, then, recorder = asked(server, question)
    commands = [observation.by_hand for observation in recorder.observations]

    assert any(f"time={NOW - HOUR}" in command for command in commands)
    assert asked("http://127.0.0.1:1", question, memory=memory_of(recorder))[:2] == (now, then)
