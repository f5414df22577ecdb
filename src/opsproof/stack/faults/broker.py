"""How faults speak to a system's Celery workers, and look into its broker."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opsproof.stack.names import prefix_of
from opsproof.stack.services.common.celery_names import CeleryNames
from opsproof.stack.stack import Stack

if TYPE_CHECKING:
    from celery import Celery
    from redis import Redis

SECONDS = 2.0
"""How long a worker has time to answer."""

NOBODYS_JOB = "00000000-0000-4000-8000-000000000000"
"""A job that no database has; a worker that is given it finds nothing to do."""


def broker_of(stack: Stack, names: CeleryNames) -> str:
    """The address of a system's broker."""
    return stack.variables[f"{prefix_of(names.system)}_BROKER_URL"]


@contextmanager
def celery(broker: str) -> Iterator["Celery"]:
    """A Celery application of our own that speaks to the workers of a broker."""
    from celery import Celery

    app = Celery("opsproof-stack", broker=broker, set_as_current=False)
    app.conf.broker_transport_options = {"socket_connect_timeout": SECONDS, "socket_timeout": 2 * SECONDS}
    try:
        yield app
    finally:
        app.close()


@contextmanager
def client(broker: str) -> Iterator["Redis"]:
    """A client of a broker."""
    from redis import Redis

    with Redis.from_url(broker, socket_timeout=5, decode_responses=True) as redis:
        yield redis


def answers(broker: str) -> bool:
    """Whether a worker answers a ping; not while the broker is just being restarted."""
    from kombu.exceptions import OperationalError
    from redis.exceptions import RedisError

    with celery(broker) as app:
        try:
            return bool(app.control.ping(timeout=SECONDS, limit=1))
        except (OperationalError, RedisError, OSError):
            return False


def waiting(broker: str, queue: str) -> int:
    """How many messages wait in a queue."""
    with client(broker) as redis:
        return int(str(redis.llen(queue)))


def oldest_held(broker: str) -> float:
    """Seconds since the oldest unacknowledged message was taken; 0 if there is none."""
    with client(broker) as redis:
        held: Any = redis.zrange("unacked_index", 0, 0, withscores=True)
    return max(0.001, time.time() - float(held[0][1])) if held else 0.0
