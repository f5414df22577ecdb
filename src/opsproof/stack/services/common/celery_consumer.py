"""A Celery consumer that is back soon after its broker is back."""

from __future__ import annotations

import logging
from typing import Any

from celery.worker.consumer.consumer import Consumer
from celery.worker.state import maybe_shutdown
from kombu.connection import Connection

_log = logging.getLogger("opsproof.worker")


class PromptConsumer(Consumer):  # type: ignore[misc]  # Celery is not typed
    """
    Tries a lost broker again after 0.2 to 1 s; Celery's own steps of 2 to 30 s cannot be configured.

    Starts without asking other workers who they are (mingle, gossip), which would cost a second.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{**options, "without_mingle": True, "without_gossip": True})

    def ensure_connected(self, conn: Connection) -> Connection:
        """Connect, for as long as it takes; a shutdown ends the wait."""
        conn.ensure_connection(  # type: ignore[no-untyped-call]
            self._report, None, interval_start=0.2, interval_step=0.2, interval_max=1.0, callback=maybe_shutdown
        )
        return conn

    def _report(self, error: Exception, interval: float) -> None:
        _log.warning("the broker cannot be reached (%s), next attempt in %.1f s", type(error).__name__, interval)
