"""The service's Redis client, which answers quickly when Redis does not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from opsproof.stack.services.common.failures import Unavailable

ANSWER_SECONDS = 0.7
"""A command or a connection is given up after this long."""


def open_cache(url: str) -> Redis:
    """A client with a short timeout; it connects when first used, and again where the server has hung up meanwhile."""
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 1, supported_errors=(exceptions.ConnectionError,)),
        max_connections=64,
    )


@contextmanager
def cache_errors() -> Iterator[None]:
    """Turn what the client raises into Unavailable, with the reason in words."""
    try:
        yield
    except (exceptions.RedisError, OSError) as error:
        raise Unavailable("cache", reason_of(error)) from None


def reason_of(error: Exception) -> str:
    """Why a command failed, in words, without address or credential."""
    text = str(error)
    match error:
        case exceptions.TimeoutError():
            return f"no answer within {ANSWER_SECONDS:g} s"
        case exceptions.AuthenticationError() | exceptions.NoPermissionError():
            return "the credential was refused"
        case exceptions.ConnectionError() | OSError():
            return "no connection could be made"
        case exceptions.OutOfMemoryError():
            return "writes are refused, the memory is full"
        case _ if "OOM" in text or "EXECABORT" in text:
            return "writes are refused, the memory is full"
        case _ if text.startswith(("READONLY", "MISCONF")):
            return "writes are refused"
        case _:
            return f"the command failed ({type(error).__name__})"
