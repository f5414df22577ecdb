"""The named faults of evaluation's jobs: failed, waiting, piled up, stored wrongly or late."""

from opsproof.stack.faults import jobs_seen
from opsproof.stack.faults.backlog import QueueBacklog
from opsproof.stack.faults.database import ContentChanged
from opsproof.stack.faults.defects import Defect
from opsproof.stack.faults.fault import Fault
from opsproof.stack.faults.metrics_seen import gauge
from opsproof.stack.faults.named import EVALUATION
from opsproof.stack.services.evaluation.queue_names import NAMES, QUEUE

_PILE = 150
_LATE_SECONDS = 5

JOBS: tuple[Fault, ...] = (
    ContentChanged(
        "jobs-failed",
        "30 jobs have failed just now",
        EVALUATION,
        change="""
            INSERT INTO jobs (job_id, type, status, attempts, error_message, started_at, finished_at)
                SELECT md5('opsproof-failed-' || n)::uuid, 'echo', 'failed', 1, 'a drill', now(), now()
                FROM generate_series(1, 30) AS n
        """,
        restore="DELETE FROM jobs WHERE job_id IN (SELECT md5('opsproof-failed-' || n)::uuid"
        " FROM generate_series(1, 30) AS n)",
        seen="SELECT EXISTS (SELECT FROM jobs WHERE job_id = md5('opsproof-failed-1')::uuid)",
    ),
    ContentChanged(
        "jobs-failed-silently",
        "a job has failed and does not say why",
        EVALUATION,
        change="""
            INSERT INTO jobs (job_id, type, status, attempts, started_at, finished_at)
                VALUES (md5('opsproof-silent')::uuid, 'echo', 'failed', 1, now(), now())
        """,
        restore="DELETE FROM jobs WHERE job_id = md5('opsproof-silent')::uuid",
        seen="SELECT EXISTS (SELECT FROM jobs WHERE job_id = md5('opsproof-silent')::uuid)",
    ),
    ContentChanged(
        "jobs-waiting",
        "a job has waited for 20 minutes and was tried 120 times",
        EVALUATION,
        change="""
            INSERT INTO jobs (job_id, type, status, attempts, error_message, created_at)
                VALUES (md5('opsproof-waiting')::uuid, 'echo', 'queued', 120, 'a drill', now() - interval '20 minutes')
        """,
        restore="DELETE FROM jobs WHERE job_id = md5('opsproof-waiting')::uuid",
        seen="SELECT EXISTS (SELECT FROM jobs WHERE job_id = md5('opsproof-waiting')::uuid AND status = 'queued')",
    ),
    QueueBacklog(
        "queue-backlog",
        f"{_PILE} jobs wait in the broker, and nobody works them off",
        EVALUATION,
        "EVALUATION_BROKER_URL",
        QUEUE,
        NAMES.task,
        _PILE,
        gauge("queue_depth", lambda jobs: jobs >= _PILE, system="evaluation"),
    ),
    Defect(
        "metadata-invalid",
        "the run_metadata of new evaluation runs lacks data_snapshot_id, and they fail",
        EVALUATION,
        {"invalid_metadata_keys": ["data_snapshot_id"]},
        jobs_seen.metadata_is_refused,
    ),
    Defect(
        "score-drifts",
        "the same evaluation has another result each time",
        EVALUATION,
        {"score_drifts": True},
        jobs_seen.scores_differ,
    ),
    Defect(
        "metadata-seed-ignored",
        "new evaluation runs are made with the seed 0, whatever was asked for",
        EVALUATION,
        {"wrong_metadata": {"seed": 0}},
        jobs_seen.metadata_has_another_seed,
    ),
    Defect(
        "metadata-commit-other",
        "the worker is of another commit than the API",
        EVALUATION,
        {"wrong_metadata": {"commit_sha": "0000000000000000000000000000000000000000"}},
        jobs_seen.metadata_has_another_commit,
    ),
    Defect(
        "work-stored-late",
        f"work that is sent is stored {_LATE_SECONDS} s later, when its sender has given up",
        frozenset(jobs_seen.SUBMIT),
        {"late": [{"path": path, "seconds": _LATE_SECONDS} for paths in jobs_seen.SUBMIT.values() for path in paths]},
        jobs_seen.work_is_taken_late,
    ),
)
