"""
A cache server, by a client that knows few commands: `SET`, `UNLINK` and five that read.

The probe `redis` of checks stays read-only, and nothing here can clear a whole server or database.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opsproof.errors import Refused, Unreachable
from opsproof.profile.targets import Url, address

BATCH = 500
"""Keys in one command."""

_ALLOWED = ("SCAN", "EXISTS", "TTL", "LRANGE", "INFO", "SET", "UNLINK")
_CLEARING = ("flushall", "flushdb", "swapdb")
_SECONDS = 5.0


class CacheClient:
    """
    Sends allowed commands to one database of a server.

    Args:
        made: A client of the library.
        number: Of the database.
    """

    def __init__(self, made: Any, number: str) -> None:
        self._made = made
        self._number = number

    def ask(self, command: str, *arguments: Any) -> Any:
        """The plain answer to a command. Raises Refused for one that is not allowed."""
        if command not in _ALLOWED:
            raise Refused(
                f"{command} is none of the commands that a rehearsal sends to a cache",
                where=", ".join(_ALLOWED),
                next_step="Clear by prefix.",
            )
        return self._made.execute_command(command, *arguments)

    def keys(self, head: str, tail: str = "") -> Iterator[str]:
        """Keys that begin and end so, literally, by SCAN; one may come twice."""
        cursor = "0"
        while True:
            pattern = f"{_literally(head)}*{_literally(tail)}"
            cursor, names = self.ask("SCAN", cursor, "MATCH", pattern, "COUNT", BATCH)
            yield from names
            if str(cursor) == "0":
                return

    def has(self, key: str) -> bool:
        """Whether a key is there."""
        return bool(int(self.ask("EXISTS", key)))

    def lasts(self, key: str) -> bool:
        """Whether a key is there, and no end of life will take it away."""
        return int(self.ask("TTL", key)) == -1

    def clearings(self) -> int:
        """How often the server was told to clear a whole database in its life."""
        told = dict(self._info("commandstats"))
        calls = (told.get(f"cmdstat_{name}", "calls=0") for name in _CLEARING)
        return sum(int(text.partition("calls=")[2].partition(",")[0] or 0) for text in calls)

    def run_id(self) -> str:
        """Of the server's process."""
        return dict(self._info("server")).get("run_id", "")

    def others(self) -> dict[str, int]:
        """Keys in every other database of the server, by its number."""
        told = {name.removeprefix("db"): text for name, text in self._info("keyspace")}
        counts = {name: dict(pair.split("=", 1) for pair in text.split(",")) for name, text in told.items()}
        return {name: int(count.get("keys", 0)) for name, count in counts.items() if name != self._number}

    def _info(self, section: str) -> list[tuple[str, str]]:
        lines = str(self.ask("INFO", section)).splitlines()
        return [(name, text) for name, _, text in (line.partition(":") for line in lines) if text]


@contextmanager
def cache_client(url: Url) -> Iterator[CacheClient]:
    """
    A client for as long as it is needed.

    Raises:
        Unreachable: The server gives no answer, or refuses a command.
    """
    from redis import Redis, exceptions
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    made: Redis = Redis.from_url(
        url.get_secret_value(),
        decode_responses=True,
        encoding_errors="backslashreplace",
        client_name="opsproof-rehearsal",
        protocol=2,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=_SECONDS,
        socket_timeout=_SECONDS,
    )
    made.response_callbacks.clear()
    try:
        yield CacheClient(made, str(made.connection_pool.connection_kwargs.get("db") or 0))
    except (exceptions.RedisError, OSError) as exc:
        raise Unreachable(
            f"{type(exc).__name__}: {exc}",
            where=address(url),
            next_step="See whether the cache of the DR site runs, takes writes, and knows this credential.",
        ) from None
    finally:
        made.close()


def _literally(text: str) -> str:
    """A pattern that means this text."""
    return "".join(f"\\{letter}" if letter in "*?[]^\\" else letter for letter in text)
