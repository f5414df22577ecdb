"""The names that API and worker share, apart from Celery, which is slow to import."""

from opsproof.stack.services.common.celery_names import CeleryNames

NORMAL, BATCH = "celery:normal", "celery:batch"
"""Single registrations, and those of whole lists (runbook 004: `redis-cli LLEN celery:normal`)."""

NAMES = CeleryNames("storebridge", (NORMAL, BATCH), "storebridge.run_job")
