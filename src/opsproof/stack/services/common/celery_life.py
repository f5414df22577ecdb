"""What every Celery worker of the stack does beside its task: it logs JSON, shows that it lives, and reclaims tasks."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import warnings
from dataclasses import dataclass
from itertools import count
from typing import Any

from celery import Celery, signals
from celery.exceptions import SecurityWarning
from kombu.exceptions import KombuError
from redis import Redis
from redis.exceptions import RedisError

from opsproof.stack.services.common.celery_app import build_queue
from opsproof.stack.services.common.celery_names import CeleryNames
from opsproof.stack.services.common.context import REQUEST_ID
from opsproof.stack.services.common.defects import DefectsFile
from opsproof.stack.services.common.logs import configure_logging
from opsproof.stack.services.common.settings import Settings, SettingsError, Variables

_BEAT_SECONDS = 1.0
_BEAT_TTL_SECONDS = 4
_RECLAIM_BEATS = 3

_log = logging.getLogger("opsproof.worker")


@dataclass(frozen=True)
class WorkerLife:
    """One worker process: its Celery application, settings, defects, and a client for its own keys."""

    names: CeleryNames
    app: Celery
    settings: Settings
    defects: DefectsFile
    redis: Redis

    @classmethod
    def begin(cls, names: CeleryNames) -> WorkerLife:
        """
        Read the settings and attach to Celery's signals; called when the worker's module is imported.

        Ends the process with a line for people if a setting is wrong: Celery asks for a module, and has no other place.
        """
        try:
            settings = Settings.read(names.system, Variables(os.environ))
        except SettingsError as error:
            sys.exit(f"worker {names.system}: {error}")
        life = cls(
            names,
            build_queue(names, settings.redis_url, results=True),
            settings,
            DefectsFile(settings.defects_file),
            Redis.from_url(settings.redis_url, socket_timeout=1, socket_connect_timeout=1),
        )
        life._attach()
        return life

    def _attach(self) -> None:
        stopping = threading.Event()

        def log_json_from_the_start(instance: Any, **_: Any) -> None:
            """Configure logging before Celery's first warning, and leave out its banner, which is no JSON."""
            instance.quiet = True
            configure_logging(self.settings, self.defects)
            warnings.simplefilter("ignore", SecurityWarning)  # the stack may run as root, the queue takes JSON only

        def start_heartbeat(sender: Any, **_: Any) -> None:
            beat = threading.Thread(target=self._beat, args=(sender.hostname, stopping), name="heartbeat", daemon=True)
            beat.start()

        def take_longer(**_: Any) -> None:
            time.sleep(self.defects.current().job_seconds.get(self.names.system, 0))

        for signal, receiver in (
            (signals.celeryd_init, log_json_from_the_start),
            (signals.setup_logging, _keep_logging),
            (signals.task_prerun, take_longer),
            (signals.task_postrun, _forget_request),
            (signals.worker_ready, start_heartbeat),
            (signals.worker_shutting_down, lambda **_: stopping.set()),
        ):
            signal.connect(receiver, weak=False)

    def _beat(self, worker: str, stopping: threading.Event) -> None:
        """Report until the worker stops. Renewing needs no memory, so a full Redis does not hide a live worker."""
        key = self.names.heartbeat_key
        for beat in count():
            try:
                if not self.redis.expire(key, _BEAT_TTL_SECONDS):
                    self.redis.set(key, worker, ex=_BEAT_TTL_SECONDS)
                if beat % _RECLAIM_BEATS == 0:
                    self._reclaim()
                if stopping.wait(_BEAT_SECONDS):
                    self.redis.delete(key)
                    return
            except (RedisError, KombuError) as error:
                _log.warning("the heartbeat was not written (%s)", type(error).__name__)
                if stopping.wait(_BEAT_SECONDS):
                    return

    def _reclaim(self) -> None:
        """Put back what a killed worker took and never acknowledged; Kombu itself looks only every 100 s."""
        with self.app.connection_for_write() as connection:
            connection.default_channel.qos.restore_visible(interval=1)


def _keep_logging(**_: Any) -> None:
    """Being connected is enough to keep Celery from setting up its own logging."""


def _forget_request(**_: Any) -> None:
    REQUEST_ID.set("")
