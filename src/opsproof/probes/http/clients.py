"""The HTTP clients of one target, opened when first used."""

import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path

from opsproof.probes.http.library import httpx

_IDLE_SECONDS = 2.0


class Clients:
    """
    One client whose connections stay open for the next request, and one that opens a connection for each.

    They keep no cookies and take nothing from the environment of the process. They have no time limit of their own.

    Args:
        secure: True for https.
        ca_file: Certificate authority to trust; None for those of the system.
        kept: Idle connections that stay open.

    Raises:
        OSError: `ca_file` cannot be read, or holds no certificate.
    """

    def __init__(self, *, secure: bool, ca_file: Path | None, kept: int) -> None:
        self._verify = ssl.create_default_context(cafile=ca_file) if secure else False
        self.lasting = self._client(kept)
        self.one_shot = self._client(0)

    def _client(self, kept: int) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            verify=self._verify,
            trust_env=False,
            timeout=None,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=kept, keepalive_expiry=_IDLE_SECONDS),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={"User-Agent": "opsproof", "Accept-Encoding": "identity"},
        )

    async def close(self) -> None:
        """Close all connections."""
        await self.lasting.aclose()
        await self.one_shot.aclose()
