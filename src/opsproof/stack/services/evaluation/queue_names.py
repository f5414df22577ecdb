"""The names that API and worker share, apart from Celery, which is slow to import."""

from opsproof.stack.services.common.celery_names import CeleryNames

QUEUE = "evaluation"
"""Name of the queue, which is also the name of its list in Redis."""

NAMES = CeleryNames("evaluation", (QUEUE,), "evaluation.run_job")

FINISHED_KEY = "evaluation:finished"
"""A Redis hash that counts finished jobs, by `type:status`."""

JOB_ID = "ccb9364f-d454-5d95-a196-de1cb89fc0a4"
"""The first job of a fresh stack (see `seed`)."""
