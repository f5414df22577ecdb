"""The HTTP clients of one target, opened when first used."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path

from opsproof.probes.http.library import httpx

_IDLE_SECONDS = 2.0


class Clients:
    """
    Clients with one connection each, which stays open for the next request; and one that opens a connection for each.

    One client for all connections would look at every one of them before and after each request. They keep no cookies
    and take nothing from the environment of the process. They have no time limit of their own.

    Args:
        secure: True for https.
        ca_file: Certificate authority to trust; None for those of the system.

    Raises:
        OSError: `ca_file` cannot be read, or holds no certificate.
    """

    def __init__(self, *, secure: bool, ca_file: Path | None) -> None:
        self._trust = ssl.create_default_context(cafile=ca_file) if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._all: list[httpx.AsyncClient] = []
        self._idle: list[httpx.AsyncClient] = []
        self._one_shot = self._client(0)

    @contextmanager
    def lent(self, *, new_connection: bool) -> Iterator[httpx.AsyncClient]:
        """
        A client for one request and what follows from it; the one that was used last comes first.

        Args:
            new_connection: True for a connection of its own, which is closed after the request.
        """
        if new_connection:
            yield self._one_shot
            return
        client = self._idle.pop() if self._idle else self._client(1)
        try:
            yield client
        finally:
            self._idle.append(client)

    def _client(self, kept: int) -> httpx.AsyncClient:
        client = httpx.AsyncClient(
            verify=self._trust,
            trust_env=False,
            timeout=None,  # the observer limits the whole question
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=kept, keepalive_expiry=_IDLE_SECONDS),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={"User-Agent": "opsproof", "Accept-Encoding": "identity"},
        )
        self._all.append(client)
        return client

    async def close(self) -> None:
        """Close all connections."""
        for client in self._all:
            await client.aclose()
