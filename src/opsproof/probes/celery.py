"""Ask Celery workers, through their broker."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass
from shlex import quote
from typing import Any, cast

from typing_extensions import override

from opsproof.errors import BadAnswer, NotObserved, Unreachable
from opsproof.evidence.observer import Observer, Question
from opsproof.loading import load_celery
from opsproof.probes.plain import Plain
from opsproof.probes.probe import Probe
from opsproof.probes.progress import Progress
from opsproof.probes.reason import Reason
from opsproof.probes.redis import RedisProbe
from opsproof.profile.targets import CeleryTarget, RedisTarget

_SHARE_FOR_CLOSING = 0.3
_LEAST_FOR_CLOSING = 0.5
_POLL_SECONDS = 0.1
_UNACKED = "unacked_index"
"""Kombu's sorted set of messages that were taken and not acknowledged, each with the time when it was taken."""
_START = "Start the broker, or correct its address in the profile."


@dataclass(frozen=True, slots=True)
class Unacknowledged:
    """
    Messages that workers took and have not acknowledged.

    Attributes:
        count: How many.
        oldest: Seconds since the oldest was taken; 0 if there is none.
    """

    count: int
    oldest: float


class CeleryProbe(Probe):
    """Asks which Celery workers are there, what they take and hold, and what waits for them in a Redis broker."""

    def __init__(self, name: str, target: CeleryTarget, observer: Observer) -> None:
        super().__init__(name, target, observer)
        self._target = target
        self._broker = RedisProbe(name, RedisTarget(kind="redis", url=target.broker), observer)

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
        return sorted(await self._inspect("ping of all workers", "ping", fresh=fresh))

    async def queues(self, *, everyone: bool = False, fresh: bool = False) -> dict[str, list[str]]:
        """
        The queues that each worker takes from.

        Args:
            everyone: True to wait 70 % of the time limit, for workers beyond those that the profile expects.
            fresh: True to ask even if this sweep has asked it before.

        Returns:
            Names of queues, sorted, by worker; {} if none answered.

        Raises:
            NotObserved: The broker could not be asked; says why.
        """
        text = f"queues of {'all' if everyone else 'the expected'} workers"
        return await self._inspect(text, "active_queues", everyone=everyone, fresh=fresh)

    async def at_work(self, *, fresh: bool = False) -> dict[str, int]:
        """How many tasks each worker is busy with; workers that do not answer are absent. Raises as `ping`."""
        return await self._inspect("tasks under way", "active", fresh=fresh)

    async def reserved(self, *, fresh: bool = False) -> dict[str, int]:
        """How many tasks each worker has taken and not begun; else as `at_work`."""
        return await self._inspect("tasks reserved", "reserved", fresh=fresh)

    async def waiting(self, queue: str, *, fresh: bool = False) -> int:
        """
        How many messages wait in a queue. Messages of another priority than the default lie elsewhere: not counted.

        Args:
            queue: Its name, which is that of its list in Redis.
            fresh: True to ask even if this sweep has asked it before.

        Raises:
            NotObserved: The broker could not be asked; says why.
        """
        return int(await self._broker.read("LLEN", queue, fresh=fresh))

    async def unacknowledged(self, *, fresh: bool = False) -> Unacknowledged:
        """
        The messages that workers took and have not acknowledged: those at work, reserved, or waiting for their time.

        Their age is by two clocks: the worker's, who took it, and the broker's.

        Args:
            fresh: True to ask even if this sweep has asked it before.

        Raises:
            NotObserved: The broker could not be asked; says why.
        """
        index = await self._broker.read("ZRANGE", _UNACKED, 0, 0, "WITHSCORES", fresh=fresh)
        count = int(await self._broker.read("ZCARD", _UNACKED, fresh=fresh))
        if not index:
            return Unacknowledged(count, 0.0)
        (_, taken), (seconds, microseconds) = index, await self._broker.read("TIME", fresh=fresh)
        return Unacknowledged(count, max(0.0, int(seconds) + int(microseconds) / 1e6 - float(taken)))

    async def _inspect(self, text: str, command: str, *, everyone: bool = False, fresh: bool = False) -> dict[str, Any]:
        """What each worker that is there answers to a command of Celery's `inspect`."""
        if not self.replays:
            # Loading Celery may take a second; the workers' time limit is not for that.
            await asyncio.to_thread(load_celery)
        progress = Progress(connecting=True)

        async def fetch() -> Plain:
            replies = await asyncio.to_thread(self._broadcast, text, command, progress, everyone)
            return Plain(_kept(command, replies))

        def overdue(limit: float) -> NotObserved:
            return self._error(progress.overdue(limit), question.text)

        question = Question(text, f"celery -b {quote(self.address)} inspect {command}")
        answer = await self.observer.ask(question, fetch, Plain, fresh=fresh, overdue=overdue)
        return dict(answer.value)

    def _broadcast(self, text: str, command: str, progress: Progress, everyone: bool) -> dict[str, Any]:
        celery = load_celery()
        from kombu.exceptions import KombuError, OperationalError
        from redis.exceptions import RedisError

        limit = self.observer.timeout
        until = time.monotonic() + limit - max(_LEAST_FOR_CLOSING, _SHARE_FOR_CLOSING * limit)
        app = celery("opsproof", broker=self._target.broker.get_secret_value(), set_as_current=False)
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
                replies = app.control.broadcast(
                    command,
                    arguments={},
                    reply=True,
                    timeout=max(0.1, until - time.monotonic()),
                    limit=None if everyone else self._target.workers,
                    connection=connection,
                )
        except (OperationalError, RedisError, OSError) as exc:
            failed: Exception = exc
        except KombuError as exc:
            what = f"the broker's answer cannot be read ({type(exc).__name__})"
            reason = Reason(BadAnswer, what, "See whether something else than Celery uses the broker's database.")
            raise self._error(reason, text) from None
        else:
            return {name: said for reply in cast("list[dict[str, Any]]", replies or []) for name, said in reply.items()}
        raise self._error(_broker_reason(failed), text)

    @override
    async def _disconnect(self) -> None:
        await self._broker.close()
        if "kombu" in sys.modules:
            from kombu import pools

            # Celery sends through pools of the whole process, which keep their connections open.
            await asyncio.to_thread(pools.reset)


def _kept(command: str, replies: dict[str, Any]) -> dict[str, Any]:
    """What is needed of the workers' answers; the arguments of tasks, which may be personal data, are left behind."""
    if command == "ping":
        return replies
    lists = {worker: found for worker, found in sorted(replies.items()) if isinstance(found, list)}
    if command == "active_queues":
        return {worker: sorted(queue["name"] for queue in found) for worker, found in lists.items()}
    return {worker: len(found) for worker, found in lists.items()}


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
