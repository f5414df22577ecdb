"""Packages that two threads must not load at the same moment."""

import threading
from typing import Any

_LOADING = threading.Lock()


def load_celery() -> Any:
    """
    Celery's class (it has no types), with what it needs to ask workers through redis.

    Celery and kombu put another module in the place of their package while they load. A thread that asks for the class
    just then is handed the one that has none, and told `cannot import name 'Celery'`.
    """
    with _LOADING:
        from celery import Celery
        from celery.app import control  # noqa: F401
        from kombu.transport import redis  # noqa: F401

        return Celery
