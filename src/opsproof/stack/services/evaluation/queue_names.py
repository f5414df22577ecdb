"""The names that API and worker share, apart from Celery, which is slow to import."""

QUEUE = "evaluation"
"""Name of the queue, which is also the name of its list in Redis."""

TASK = "evaluation.run_job"
"""The one task: do the job with this id."""

HEARTBEAT_KEY = "evaluation:worker:heartbeat"
"""Written by the worker every second, gone a few seconds after the last time."""

FINISHED_KEY = "evaluation:finished"
"""A Redis hash that counts finished jobs, by `type:status`."""

RETRY_SECONDS = 1
"""A job that the database kept from being done is tried again after this long."""
