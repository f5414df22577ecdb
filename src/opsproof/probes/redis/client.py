"""The client of a Redis or Valkey server."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff


def client(url: str, connections: int, timeout: float) -> Redis:
    """
    A client that asks once, and opens its connections when they are first used.

    Args:
        url: The server's address.
        connections: How many connections it opens at most.
        timeout: Seconds for making a connection.
    """
    opened: Redis = Redis.from_url(
        url,
        decode_responses=True,
        encoding_errors="backslashreplace",
        client_name="opsproof",
        driver_info=None,
        protocol=2,
        max_connections=connections,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=0.9 * timeout,
        socket_timeout=None,
    )
    # redis makes a local time without zone of it; the server's own number of seconds says more.
    opened.response_callbacks.pop("LASTSAVE", None)
    return opened
