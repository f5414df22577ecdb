"""What runs beside the databases of the two sites: the services, the names' server, the cache, and the migrations."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path

from opsproof.stack.clusters import Grounds
from opsproof.stack.parts.part import Plan
from opsproof.stack.parts.service import COMMIT, VERSION
from opsproof.stack.parts.valkey import Valkey, cache_url
from opsproof.stack.process import Process, end
from opsproof.stack.site.databases import SYSTEM, Databases
from opsproof.stack.site.migrations import Migrations
from opsproof.stack.site.names import DATABASE, SITES, Names
from opsproof.stack.site.service import SiteService


@dataclass(frozen=True)
class SitePart:
    """One process for a print of the state: what it is, where it listens, whether it runs, and its log."""

    name: str
    address: str
    running: bool
    log: Path


class Processes:
    """
    The processes of both sites that are no databases.

    Args:
        grounds: Where they live.
        databases: What the services and the migrations use.
        secrets: Credentials of the service by name, and of the databases.
    """

    def __init__(self, grounds: Grounds, databases: Databases, secrets: dict[str, str]) -> None:
        self.names = Names(grounds)
        self._grounds = grounds
        self._databases = databases
        self._secrets = secrets
        self._plan = Plan(grounds.directory, (SYSTEM,), {"valkey": grounds.port("valkey")}, secrets)
        self.services = {site: SiteService(grounds, site, self._settings(site), secrets) for site in SITES}
        self._valkey: Process | None = None
        self.migrations = Migrations(grounds, SYSTEM, secrets)

    @property
    def cache_urls(self) -> dict[str, str]:
        """The cache of each site: one server, a database number each."""
        return {site: cache_url(self._plan, number) for number, site in enumerate(SITES)}

    def start(self) -> None:
        """Start all but the service of the DR site; they wait for home's database by themselves."""
        self.migrations.start(self._databases.service_url(self._databases.home))
        self.services["home"].start()
        self._valkey = self._spawn("valkey", Valkey().launch(self._plan).argv, {})
        self.names.start()

    def parts(self) -> list[SitePart]:
        """The servers among them, as they are now."""
        known = [
            (self.names.process, "dns", " ".join(self.names.resolvers.values())),
            (self._valkey, "valkey", self._plan.address("valkey")),
            *((one.process, one.name, one.url) for one in self.services.values()),
        ]
        return [
            SitePart(name, address, process is not None and process.alive(), self._grounds.log(name))
            for process, name, address in known
        ]

    def end(self) -> None:
        """End them all."""
        services = [one.process for one in self.services.values()]
        started = (*services, self.names.process, self._valkey, self.migrations.process)
        end((one, signal.SIGKILL) for one in started if one is not None)

    def _spawn(self, name: str, argv: list[str], env: dict[str, str]) -> Process:
        return self._grounds.spawn(argv, name=name, cwd=self._grounds.directory, env=env, ours=True)

    def _settings(self, site: str) -> dict[str, str]:
        return {
            "APP_VERSION": VERSION,
            "APP_COMMIT": COMMIT,
            "INSTANCE": f"{SYSTEM}-{site}",
            "DATABASE_URL": self._databases.unplaced_url(),
            "DATABASE_SRV": DATABASE,
            "DNS_RESOLVER": self.names.resolvers[site],
            "REDIS_URL": self.cache_urls[site],
            "API_KEY": self._secrets[f"{SYSTEM}.api-key"],
            "PROBE_API_KEY": self._secrets[f"{SYSTEM}.probe-api-key"],
            "JWT_SECRET": self._secrets[f"{SYSTEM}.jwt"],
        }
