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
from asking import a_probe, as_a_check

from opsproof.errors import NotObserved, Unreachable

APP = "from celery import Celery\napp = Celery('asked', broker={!r})\n"


@pytest.fixture
def broker(cache_url):
    """A database number for the broker alone."""
    return cache_url.replace("/9", "/8")


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


def ping(broker, **target):
    async def main():
        workers = a_probe(kind="celery", broker=broker, name="workers", **target)
        try:
            return await workers.ping()
        finally:
            await workers.close()

    return asyncio.run(main())


def test_a_worker_that_runs_answers_and_one_that_is_frozen_does_not(tmp_path, broker):
    """No answer is a finding about the workers and no error of the question."""
    with a_worker(tmp_path, broker) as worker:
        for _ in range(30):
            if found := ping(broker, timeout=2):
                break
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
