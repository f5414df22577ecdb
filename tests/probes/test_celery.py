"""The celery probe with a real worker over a real broker."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
import redis
from asking import a_probe, as_a_check, memory_of
from celery import Celery

from opsproof.errors import NotObserved, Unreachable

APP = """
import time
from celery import Celery
app = Celery('asked', broker={!r})
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=1)
@app.task(name='asked.sleep')
def sleep(seconds):
    time.sleep(seconds)
"""


@pytest.fixture
def broker(cache_url):
    """A database number for the broker alone, empty again afterwards."""
    url = cache_url.replace("/9", "/8")
    yield url
    with redis.Redis.from_url(url) as client:
        client.flushdb()


@contextmanager
def a_worker(folder, broker):
    (folder / "asked.py").write_text(APP.format(broker))
    environment = os.environ | {"PYTHONPATH": str(folder)}
    words = [sys.executable, "-m", "celery", "-A", "asked", "worker", "-P", "solo", "-n", "asked@here", "-l", "error"]
    worker = subprocess.Popen(words, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield worker
    finally:
        worker.kill()
        worker.wait()


def ask(broker, question, **target):
    async def main():
        workers = a_probe(kind="celery", broker=broker, name="workers", **target)
        try:
            return await question(workers)
        finally:
            await workers.close()

    return asyncio.run(main())


def ping(broker, **target):
    return ask(broker, lambda workers: workers.ping(), **target)


def until(broker, question, holds):
    """Ask until it holds; the last answer."""
    for _ in range(60):
        if holds(found := ask(broker, question, timeout=2)):
            break
        time.sleep(0.2)
    return found


def application(broker):
    return Celery("test", broker=broker, set_as_current=False)


def test_a_worker_that_runs_answers_and_one_that_is_frozen_does_not(tmp_path, broker):
    """No answer is a finding about the workers and no error of the question."""
    with a_worker(tmp_path, broker) as worker:
        found = until(broker, lambda workers: workers.ping(), bool)
        os.kill(worker.pid, signal.SIGSTOP)
        time.sleep(0.05)
        frozen = ping(broker, timeout=1)

    assert (found, frozen) == (["asked@here"], [])


def test_no_connection_to_the_broker_is_left_behind(broker):
    ping(broker, timeout=1)

    with redis.Redis.from_url(broker) as client:
        assert [one["name"] for one in client.client_list() if one["name"] == "opsproof"] == []


def test_no_worker_at_all_is_an_empty_answer(broker):
    assert ping(broker, timeout=1) == []


@pytest.mark.parametrize(
    ("broker", "what"),
    [
        ("redis://127.0.0.1:1/0", "the broker: connection refused"),
        ("redis://nowhere.invalid/0", "the broker: the name of the host is not known"),
    ],
)
def test_a_broker_that_cannot_be_reached_is_told_and_not_asked_again_and_again(broker, what):
    with pytest.raises(Unreachable) as caught:
        ping(broker, timeout=2)

    assert caught.value.what == what
    assert caught.value.where == f"workers of ingest/test, ping of all workers at {broker}"


def test_a_refused_login_is_told_without_the_password(broker):
    with pytest.raises(Unreachable) as caught:
        ping(broker.replace("://", "://nobody:planted-pw@"), timeout=2)

    assert caught.value.what == "the broker: login refused"
    assert "planted-pw" not in str(caught.value)


def test_a_frozen_broker_is_told_within_the_time_limit(stack, broker):
    pid = stack.state.parts["valkey"].process.pid
    os.kill(pid, signal.SIGSTOP)
    time.sleep(0.05)
    try:
        with pytest.raises(NotObserved) as caught:
            ping(broker, timeout=0.5)
    finally:
        os.kill(pid, signal.SIGCONT)

    assert caught.value.what == "no connection within 0.5 s"


def test_the_question_can_be_repeated_by_hand():
    async def main():
        recorder = as_a_check()
        with pytest.raises(Unreachable):
            await a_probe(kind="celery", broker="redis://:pw@127.0.0.1:1/0", name="workers").ping()
        return recorder.observations[0].by_hand

    assert asyncio.run(main()) == "celery -b redis://127.0.0.1:1/0 inspect ping"


def test_a_worker_that_answers_ping_may_take_from_no_queue(tmp_path, broker):
    """The worker of an incident: alive, and idle while work waits."""
    with a_worker(tmp_path, broker):
        taken = until(broker, lambda workers: workers.queues(), bool)
        application(broker).control.cancel_consumer("celery", reply=True, timeout=5, limit=1)
        idle = until(broker, lambda workers: workers.queues(everyone=True), lambda found: found == {"asked@here": []})

        assert (taken, idle) == ({"asked@here": ["celery"]}, {"asked@here": []})
        assert until(broker, lambda workers: workers.ping(), bool) == ["asked@here"]


def test_what_waits_and_what_is_held_are_told_apart(tmp_path, broker):
    """Three messages for a worker that does one at a time: one is at work and unacknowledged, two wait."""
    with a_worker(tmp_path, broker) as worker:
        until(broker, lambda workers: workers.queues(), bool)
        for _ in range(3):
            application(broker).send_task("asked.sleep", args=(600,))
        held = until(broker, lambda workers: workers.unacknowledged(), lambda held: held.oldest > 0.5)
        os.kill(worker.pid, signal.SIGSTOP)
        waiting = ask(broker, lambda workers: workers.waiting("celery"))
        later = until(broker, lambda workers: workers.unacknowledged(), lambda now: now.oldest > held.oldest + 0.5)

    assert (held.count, waiting) == (1, 2)
    assert 0.5 < held.oldest < held.oldest + 0.5 < later.oldest < 300


def test_nothing_is_held_where_nobody_took_anything(broker):
    """No message at all is not a message of unknown age."""
    held = ask(broker, lambda workers: workers.unacknowledged())

    assert (held.count, held.oldest) == (0, 0.0)


def test_tasks_are_counted_without_their_arguments(tmp_path, broker):
    """Arguments of tasks are people's data; the evidence has numbers, and a replay answers with the same."""

    async def main(memory=None):
        recorder = as_a_check()
        workers = a_probe(kind="celery", broker=broker, name="workers", timeout=3, memory=memory)
        try:
            return await workers.at_work(), await workers.reserved(), recorder
        finally:
            await workers.close()

    with a_worker(tmp_path, broker):
        until(broker, lambda workers: workers.queues(), bool)
        application(broker).send_task("asked.sleep", args=(0,), kwargs={}, countdown=600, argsrepr="planted-person")
        until(broker, lambda workers: workers.at_work(), bool)
        live = asyncio.run(main())
    replayed = asyncio.run(main(memory_of(live[2])))

    assert live[0] == {"asked@here": 0}
    assert replayed[:2] == live[:2]
    assert "planted-person" not in "".join(str(one.to_json()) for one in live[2].observations)
