"""
The Celery worker: `python -m celery -A opsproof.stack.services.evaluation.worker worker -P solo`.

Reads its settings when it is imported, since Celery asks for a module that holds the application.
"""

from __future__ import annotations

import psycopg
from celery import Task

from opsproof.stack.services.common.celery_life import WorkerLife
from opsproof.stack.services.common.celery_names import RETRY_SECONDS
from opsproof.stack.services.common.context import REQUEST_ID
from opsproof.stack.services.evaluation.finished import record_finished
from opsproof.stack.services.evaluation.jobs import JobStuck, run_job
from opsproof.stack.services.evaluation.queue_names import NAMES

_life = WorkerLife.begin(NAMES)
app = _life.app


@app.task(name=NAMES.task, bind=True, max_retries=None)  # type: ignore[untyped-decorator]  # Celery is not typed
def run(task: Task, job_id: str, request_id: str) -> str | None:
    """Do the job with this id, again and again while the database is not usable."""
    REQUEST_ID.set(request_id)  # until the task's last log line: celery_life forgets it then
    try:
        outcome = run_job(_life.settings, _life.defects.current(), job_id)
    except (psycopg.OperationalError, JobStuck) as error:
        raise task.retry(exc=error, countdown=RETRY_SECONDS) from None
    if outcome:
        record_finished(_life.redis, outcome)
    return outcome
