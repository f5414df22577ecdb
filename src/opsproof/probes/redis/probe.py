"""The probe of a Redis or Valkey server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from shlex import quote
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from typing_extensions import override

from opsproof.errors import NotObserved, Refused
from opsproof.evidence.observer import Observer, Question
from opsproof.probes.plain import Plain
from opsproof.probes.probe import Probe
from opsproof.probes.progress import Progress
from opsproof.probes.redis.guard import READS_OF_TWO_WORDS, objection
from opsproof.profile.targets import RedisTarget

if TYPE_CHECKING:
    from redis.asyncio import Redis

_SCANNED_AT_ONCE = 500


class RedisProbe(Probe):
    """Asks a Redis or Valkey server; only commands that read and answer with a bounded amount are sent."""

    def __init__(self, name: str, target: RedisTarget, observer: Observer) -> None:
        super().__init__(name, target, observer)
        self._target = target
        self._client: Redis | None = None

    async def ping(self, *, fresh: bool = False) -> bool:
        """True if the server answers PING. Raises as `read`."""
        return bool(await self.read("PING", fresh=fresh))

    async def read(self, *words: str | int | float, fresh: bool = False) -> Any:
        """
        The answer to a command that reads.

        Args:
            *words: The command and its arguments: `read("LLEN", "queue")`.
            fresh: True to ask even if this sweep has asked it before.

        Returns:
            A text, a number, a list, a dict, or None where there is no such key.

        Raises:
            Refused: The command does more than read, or its answer has no bound; nothing was sent.
            NotObserved: There is no answer; says why.
        """
        texts = [str(word) for word in words]
        if what := objection(texts):
            raise Refused(
                f"not sent: {what}",
                where=self.observer.where(" ".join(texts)),
                next_step="Ask with a command that reads; opsproof changes nothing in a cache.",
            )
        return await self._ask(texts, " ".join(map(quote, texts)), lambda client: _command(client, texts), fresh=fresh)

    async def info(self, section: str = "default", *, fresh: bool = False) -> dict[str, Any]:
        """
        The server's own numbers by name, of one section (`memory`, `clients`, `replication`, ...). Raises as `read`.
        """
        answer: dict[str, Any] = await self.read("INFO", section, fresh=fresh)
        return answer

    async def scan(self, match: str, limit: int, *, fresh: bool = False) -> list[str]:
        """
        Keys whose names match a pattern, without blocking the server (SCAN, never KEYS).

        Args:
            match: Pattern as SCAN takes it: `celery-task-meta-*`.
            limit: How many keys are read at most; of more keys, any `limit` are returned.
            fresh: True to ask even if this sweep has asked it before.

        Returns:
            The keys, sorted.

        Raises:
            NotObserved: There is no answer; says why.
        """

        async def scan(client: Redis) -> list[str]:
            keys: set[str] = set()
            async for key in client.scan_iter(match=match, count=_SCANNED_AT_ONCE):
                keys.add(key)
                if len(keys) >= limit:
                    break
            return sorted(keys)

        by_hand = f"--scan --pattern {quote(match)} | head -n {limit}"
        keys: list[str] = await self._ask(["SCAN", match, f"up to {limit} keys"], by_hand, scan, fresh=fresh)
        return keys

    async def _ask(
        self, words: list[str], by_hand: str, send: Callable[[Redis], Awaitable[Any]], *, fresh: bool
    ) -> Any:
        text = " ".join(map(quote, words))
        progress = Progress()

        async def fetch() -> Plain:
            from redis.exceptions import RedisError

            from opsproof.probes.redis.failures import reason

            try:
                return Plain(_plain(await send(self._open())))
            except RedisError as exc:
                why = reason(exc)
            raise self._error(why, text)

        def overdue(limit: float) -> NotObserved:
            return self._error(progress.overdue(limit), text)

        question = Question(text, f"redis-cli -u {quote(self._url())} {by_hand}")
        answer = await self.observer.ask(question, fetch, Plain, fresh=fresh, overdue=overdue)
        return answer.value

    def _open(self) -> Redis:
        from opsproof.probes.redis.client import client

        if self._client is None:
            self._client = client(self._target.url.get_secret_value(), self._target.concurrency, self.observer.timeout)
        return self._client

    def _url(self) -> str:
        """The server's address for redis-cli, without the password."""
        parts = urlsplit(self._target.url.get_secret_value())
        user = unquote(parts.username or "")
        return self.address.replace("://", f"://{quote(user)}@", 1) if user else self.address

    @override
    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


async def _command(client: Redis, words: list[str]) -> Any:
    if tuple(map(str.upper, words[:2])) in READS_OF_TWO_WORDS:
        # redis knows the form of an answer by the whole name of its command.
        words = [" ".join(words[:2]).upper(), *words[2:]]
    return await client.execute_command(*words)  # type: ignore[no-untyped-call]


def _plain(value: Any) -> Any:
    """A reply as JSON can keep it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
