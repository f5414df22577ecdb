"""The names that a system's API and its worker share, apart from Celery, which is slow to import."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CeleryNames:
    """
    What API and worker of one system call their things.

    Args:
        system: Name of the system, which is the application's, too.
        queues: Names of the queues, which are also those of their lists in Redis; the first is the default.
        task: The one task: do the job with this id.
    """

    system: str
    queues: tuple[str, ...]
    task: str

    @property
    def heartbeat_key(self) -> str:
        """Written by the worker every second, gone a few seconds after the last time."""
        return f"{self.system}:worker:heartbeat"


RETRY_SECONDS = 1
"""A job that the database kept from being done is tried again after this long."""
