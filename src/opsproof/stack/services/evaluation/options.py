"""The evaluation service's own settings."""

from __future__ import annotations

from dataclasses import dataclass

from opsproof.stack.services.common.settings import Variables

CELERY, IN_PROCESS = "celery", "inprocess"


@dataclass(frozen=True)
class EvaluationOptions:
    """`job_runner_mode`: `celery` hands jobs to the worker, `inprocess` does them in the API's own process."""

    job_runner_mode: str

    @classmethod
    def read(cls, variables: Variables) -> EvaluationOptions:
        """Read and validate; raises SettingsError."""
        return cls(job_runner_mode=variables.choice("JOB_RUNNER_MODE", CELERY, (CELERY, IN_PROCESS)))
