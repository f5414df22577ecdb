"""
The Celery worker: `python -m celery -A opsproof.stack.services.evaluation.worker worker -P solo`.

Reads its settings when it is imported, since Celery asks for a module that holds the application.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import warnings
from itertools import count
from typing import Any

import psycopg
from celery import Task, signals
from celery.exceptions import SecurityWarning
from kombu.exceptions import KombuError
from redis import Redis
from redis.exceptions import RedisError

from opsproof.stack.services.common.context import REQUEST_ID
from opsproof.stack.services.common.defects import DefectsFile
from opsproof.stack.services.common.logs import configure_logging
from opsproof.stack.services.common.settings import Settings, SettingsError, Variables
from opsproof.stack.services.evaluation.finished import record_finished
from opsproof.stack.services.evaluation.jobs import JobStuck, run_job
from opsproof.stack.services.evaluation.queue import build_queue
from opsproof.stack.services.evaluation.queue_names import HEARTBEAT_KEY, RETRY_SECONDS, TASK

_BEAT_SECONDS = 1.0
_BEAT_TTL_SECONDS = 4
_RECLAIM_BEATS = 3

try:
    _settings = Settings.read("evaluation", Variables(os.environ))
except SettingsError as error:
    sys.exit(f"worker evaluation: {error}")
_defects = DefectsFile(_settings.defects_file)
_redis = Redis.from_url(_settings.redis_url, socket_timeout=1, socket_connect_timeout=1)
_stopping = threading.Event()
_log = logging.getLogger("opsproof.worker")

app = build_queue(_settings.redis_url, results=True)


@app.task(name=TASK, bind=True, max_retries=None)  # type: ignore[untyped-decorator]  # Celery is not typed
def run(task: Task, job_id: str, request_id: str) -> str | None:
    """Do the job with this id, again and again while the database is not usable."""
    REQUEST_ID.set(request_id)  # until the task's last log line, see _forget_request
    try:
        outcome = run_job(_settings, _defects.current(), job_id)
    except (psycopg.OperationalError, JobStuck) as error:
        raise task.retry(exc=error, countdown=RETRY_SECONDS) from None
    if outcome:
        record_finished(_redis, outcome)
    return outcome


@signals.celeryd_init.connect  # type: ignore[untyped-decorator]
def _log_json_from_the_start(instance: Any, **_: Any) -> None:
    """Configure logging before Celery's first warning, and leave out its banner, which is no JSON."""
    instance.quiet = True
    configure_logging(_settings, _defects)
    warnings.simplefilter("ignore", SecurityWarning)  # the stack may run as root, and the queue takes JSON only


@signals.setup_logging.connect  # type: ignore[untyped-decorator]
def _keep_logging(**_: Any) -> None:
    """Being connected is enough to keep Celery from setting up its own logging."""


@signals.task_postrun.connect  # type: ignore[untyped-decorator]
def _forget_request(**_: Any) -> None:
    REQUEST_ID.set("")


@signals.worker_ready.connect  # type: ignore[untyped-decorator]
def _start_heartbeat(sender: Any, **_: Any) -> None:
    threading.Thread(target=_beat, args=(sender.hostname,), name="heartbeat", daemon=True).start()


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _end_heartbeat(**_: Any) -> None:
    _stopping.set()


def _beat(worker: str) -> None:
    """Report until the worker stops. Renewing the key needs no memory, so a full Redis does not hide a live worker."""
    for beat in count():
        try:
            if not _redis.expire(HEARTBEAT_KEY, _BEAT_TTL_SECONDS):
                _redis.set(HEARTBEAT_KEY, worker, ex=_BEAT_TTL_SECONDS)
            if beat % _RECLAIM_BEATS == 0:
                _reclaim()
            if _stopping.wait(_BEAT_SECONDS):
                _redis.delete(HEARTBEAT_KEY)
                return
        except (RedisError, KombuError) as error:
            _log.warning("the heartbeat was not written (%s)", type(error).__name__)
            if _stopping.wait(_BEAT_SECONDS):
                return


def _reclaim() -> None:
    """Put back what a killed worker took and never acknowledged; Kombu itself looks only every 100 s."""
    with app.connection_for_write() as connection:
        connection.default_channel.qos.restore_visible(interval=1)
