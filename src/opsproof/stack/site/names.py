"""The public names of the two sites, and the resolvers that tell where they lead to."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping

from opsproof.stack.clusters import Grounds
from opsproof.stack.control import inherited
from opsproof.stack.ports import HOST
from opsproof.stack.process import Process
from opsproof.stack.state import write_private

API = "api.factory-ai.test"
"""The service's public host name (A)."""
HTTP = f"_http._tcp.{API}"
"""Where the service of this name listens (SRV)."""
DATABASE = "_postgresql._tcp.db.factory-ai.test"
"""Where the service finds its database (SRV)."""
SITES = ("home", "dr")
TTL_SECONDS = 2

_DOMAIN = "factory-ai.test"


class Names:
    """
    Two resolvers, one at each site; each has its own view of the names, so that one of them can be stale.

    Args:
        grounds: Where the server and its zones live.
    """

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._folder = grounds.directory / "names"
        self._ports = {site: grounds.port(f"resolver-{site}") for site in SITES}
        self._led: dict[str, dict[str, tuple[str, int]]] = {site: {} for site in SITES}
        self.process: Process | None = None

    @property
    def resolvers(self) -> dict[str, str]:
        """HOST:PORT of the resolver of each site."""
        return {site: f"{HOST}:{port}" for site, port in self._ports.items()}

    def start(self) -> None:
        """Start the server; the names must have been led somewhere."""
        argv = [sys.executable, "-m", "opsproof.stack.site.dns_server"]
        for site, port in self._ports.items():
            argv += [str(port), str(self._folder / f"{site}.json")]
        self.process = self._grounds.spawn(
            argv, name="dns", cwd=self._grounds.directory, env=inherited(self._grounds.directory), ours=True
        )

    def lead(self, places: Mapping[str, tuple[str, int]], resolvers: Iterable[str] = SITES) -> None:
        """
        Let names lead somewhere else.

        Args:
            places: Site and port by name: {HTTP: ("dr", 8000)}.
            resolvers: Sites whose resolvers learn of it.
        """
        self._folder.mkdir(exist_ok=True)
        for resolver in resolvers:
            self._led[resolver] |= places
            zone = {"ttl": TTL_SECONDS, "records": self._records(self._led[resolver])}
            write_private(self._folder / f"{resolver}.json", json.dumps(zone, indent=1))

    def _records(self, led: Mapping[str, tuple[str, int]]) -> dict[str, dict[str, list[str]]]:
        hosts = {f"{name}.": {"A": [HOST]} for name in (API, *(f"{site}.{_DOMAIN}" for site in SITES))}
        return hosts | {f"{name}.": {"SRV": [srv(*place)]} for name, place in led.items()}


def srv(site: str, port: int) -> str:
    """What an SRV record of a site says: `0 0 8000 dr.factory-ai.test.`."""
    return f"0 0 {port} {site}.{_DOMAIN}."
