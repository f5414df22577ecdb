"""Ask Celery workers, through their broker."""

from __future__ import annotations

import asyncio
import sys
import time
from shlex import quote
from typing import Any, cast

from typing_extensions import override

from opsproof.errors import BadAnswer, NotObserved, Unreachable
from opsproof.evidence.observer import Observer, Question
from opsproof.probes.plain import Plain
from opsproof.probes.probe import Probe
from opsproof.probes.progress import Progress
from opsproof.probes.reason import Reason
from opsproof.profile.targets import CeleryTarget

_SHARE_FOR_CLOSING = 0.3
_LEAST_FOR_CLOSING = 0.5
_POLL_SECONDS = 0.1
_START = "Start the broker, or correct its address in the profile."


class CeleryProbe(Probe):
    """Asks which Celery workers are there."""

    def __init__(self, name: str, target: CeleryTarget, observer: Observer) -> None:
        super().__init__(name, target, observer)
        self._target = target

    @property
    def expected(self) -> int:
        """How many workers must answer."""
        return self._target.workers

    async def ping(self, *, fresh: bool = False) -> list[str]:
        """
        The workers that answer a ping.

        It returns as soon as as many have answered as the profile expects, and else when 70 % of the target's time
        limit is over.

        Args:
            fresh: True to ask even if this sweep has asked it before.

        Returns:
            Names of the workers (`celery@host`), sorted; [] if none answered.

        Raises:
            NotObserved: The broker could not be asked; says why.
        """
        if not self.replays:
            # Loading Celery may take a second; the workers' time limit is not for that.
            await asyncio.to_thread(_load_celery)
        progress = Progress(connecting=True)

        async def fetch() -> Plain:
            return Plain(await asyncio.to_thread(self._ping, progress))

        def overdue(limit: float) -> NotObserved:
            return self._error(progress.overdue(limit), question.text)

        question = Question("ping of all workers", f"celery -b {quote(self.address)} inspect ping")
        answer = await self.observer.ask(question, fetch, Plain, fresh=fresh, overdue=overdue)
        return list(answer.value)

    def _ping(self, progress: Progress) -> list[str]:
        from celery import Celery
        from kombu.exceptions import KombuError, OperationalError
        from redis.exceptions import RedisError

        limit = self.observer.timeout
        until = time.monotonic() + limit - max(_LEAST_FOR_CLOSING, _SHARE_FOR_CLOSING * limit)
        app = Celery("opsproof", broker=self._target.broker.get_secret_value(), set_as_current=False)
        app.conf.update(
            broker_transport_options={
                "socket_connect_timeout": limit,
                "socket_timeout": limit,
                "retry_on_timeout": False,
                "polling_interval": _POLL_SECONDS,
                "client_name": "opsproof",
            }
        )
        try:
            with app.connection_for_write(connect_timeout=limit) as connection:
                connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=limit)
                progress.connecting = False
                replies = app.control.ping(
                    timeout=max(0.1, until - time.monotonic()), limit=self._target.workers, connection=connection
                )
        except (OperationalError, RedisError, OSError) as exc:
            failed: Exception = exc
        except KombuError as exc:
            what = f"the broker's answer cannot be read ({type(exc).__name__})"
            reason = Reason(BadAnswer, what, "See whether something else than Celery uses the broker's database.")
            raise self._error(reason, "ping of all workers") from None
        else:
            return sorted({name for reply in cast("list[dict[str, Any]]", replies or []) for name in reply})
        raise self._error(_broker_reason(failed), "ping of all workers")

    @override
    async def _disconnect(self) -> None:
        if "kombu" in sys.modules:
            from kombu import pools

            # Celery sends through pools of the whole process, which keep their connections open.
            await asyncio.to_thread(pools.reset)


def _load_celery() -> None:
    import celery.app.control  # noqa: F401
    import kombu.transport.redis  # noqa: F401


def _broker_reason(exc: BaseException) -> Reason:
    """Why the broker could not be asked."""
    from redis.exceptions import RedisError

    from opsproof.probes.redis.failures import reason

    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, RedisError):
            why = reason(cause)
            return why._replace(what=f"the broker: {why.what}")
        cause = cause.__cause__ or cause.__context__
    said = " ".join(str(exc).split())[:200]
    if "refused" in said.lower():
        said = "connection refused"
    return Reason(Unreachable, f"the broker: {said or type(exc).__name__}", _START)
