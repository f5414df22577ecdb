"""
The Celery worker of both queues: `celery -A opsproof.stack.services.storebridge.worker worker -P threads -c 4`.

Reads its settings when it is imported, since Celery asks for a module that holds the application.
"""

from __future__ import annotations

import os

import psycopg
from celery import Task
from redis.exceptions import RedisError

from opsproof.stack.services.common.celery_life import WorkerLife
from opsproof.stack.services.common.celery_names import RETRY_SECONDS
from opsproof.stack.services.common.context import REQUEST_ID
from opsproof.stack.services.common.settings import Variables
from opsproof.stack.services.storebridge.options import StorebridgeOptions
from opsproof.stack.services.storebridge.queue_names import NAMES
from opsproof.stack.services.storebridge.registering import run_job

_life = WorkerLife.begin(NAMES)
_options = StorebridgeOptions.read(Variables(os.environ))
app = _life.app


@app.task(name=NAMES.task, bind=True, max_retries=None)  # type: ignore[untyped-decorator]  # Celery is not typed
def run(task: Task, job_id: str, request_id: str) -> str | None:
    """Do the job with this id, again and again while database or Redis are not usable."""
    REQUEST_ID.set(request_id)  # until the task's last log line: celery_life forgets it then
    try:
        return run_job(_life.settings, _options, _life.defects.current(), _life.redis, job_id)
    except (psycopg.OperationalError, RedisError) as error:
        raise task.retry(exc=error, countdown=RETRY_SECONDS) from None
