"""The evaluation system as a reference service."""

from __future__ import annotations

from opsproof.stack.services.common.metrics import CounterSpec
from opsproof.stack.services.common.services import System
from opsproof.stack.services.common.users import Visit
from opsproof.stack.services.evaluation import job_routes, run_routes
from opsproof.stack.services.evaluation.finished import job_metrics
from opsproof.stack.services.evaluation.options import EvaluationOptions
from opsproof.stack.services.evaluation.queue_names import JOB_ID
from opsproof.stack.services.evaluation.runners import runner_for

SYSTEM = System(
    name="evaluation",
    health_query="SELECT 1 FROM jobs LIMIT 1",
    routes=(*job_routes.ROUTES, *run_routes.ROUTES),
    configure=EvaluationOptions.read,
    counters={
        "jobs_submitted_total": CounterSpec("Jobs that were taken.", ("type",)),
        "evaluations_submitted_total": CounterSpec("Evaluation runs that were taken.", ("dataset",)),
    },
    background=runner_for,
    collect=job_metrics,
    users=(
        Visit("/api/v1/jobs?limit=10", weight=2),
        Visit(f"/api/v1/jobs/{JOB_ID}"),
        Visit("/version", identity="anonymous"),
    ),
)
