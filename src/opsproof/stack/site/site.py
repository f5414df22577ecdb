"""Two sites with all that a rehearsal of a disaster breaks, switches and brings back."""

from __future__ import annotations

import secrets
import signal
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from opsproof.errors import StackError
from opsproof.profile.targets import StoreTarget
from opsproof.stack.clusters import Cluster, Grounds
from opsproof.stack.control import inherited
from opsproof.stack.credentials import new_credentials, token
from opsproof.stack.logs import log_tail
from opsproof.stack.parts.part import Plan
from opsproof.stack.parts.service import COMMIT, VERSION
from opsproof.stack.parts.valkey import Valkey, cache_url
from opsproof.stack.process import Process, end, exit_status, wait_for
from opsproof.stack.site import damage
from opsproof.stack.site.backing_up import BackedUp, BackupStore
from opsproof.stack.site.databases import SYSTEM, Databases
from opsproof.stack.site.names import DATABASE, HTTP, SITES, Names
from opsproof.stack.site.pollution import BAD_RULE, Pollution, pollute
from opsproof.stack.site.service import SiteService

if TYPE_CHECKING:
    from psycopg import Connection

_READY_SECONDS = 60.0
_PREFIX = f"{SYSTEM}:"


@dataclass(frozen=True)
class SitePart:
    """One process for a print of the state: what it is, where it listens, whether it runs, and its log."""

    name: str
    address: str
    running: bool
    log: Path


class EmbeddedSite:
    """
    The home site with its database and service, and the DR site with a standby and a service that does not run yet.

    >>> with Grounds() as grounds, EmbeddedSite(grounds) as site:
    ...     site.break_home()
    ...     site.dr.sql("SELECT pg_promote()")
    ...     site.switch_dns("dr")
    ...     site.activate()

    Args:
        grounds: Where all of it lives; what is stored there stays until the grounds are closed.
    """

    def __init__(self, grounds: Grounds) -> None:
        self.grounds = grounds
        self.seconds: dict[str, float] = {}
        """Seconds until each part was ready."""
        self.secrets = new_credentials([SYSTEM]) | {"replicator": secrets.token_urlsafe(24)}
        self.backups = BackupStore(grounds)
        self.databases = Databases(grounds, self.backups.wal, self.secrets)
        self.home, self.dr, self.cascade = self.databases.home, self.databases.dr, self.databases.cascade
        self.standbys: list[Cluster] = []
        self.names = Names(grounds)
        self._plan = Plan(grounds.directory, (SYSTEM,), {"valkey": grounds.port("valkey")}, self.secrets)
        self._valkey: Process | None = None
        self._migrations: Process | None = None
        self.services = {site: SiteService(grounds, site, self._settings(site)) for site in SITES}
        self._serving = {"home": self.home, "dr": self.dr}

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:  # also Ctrl-C: nothing that was started may stay
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every process; the files go with the grounds."""
        services = [one.process for one in self.services.values()]
        started = (*services, self.names.process, self._valkey, self._migrations)
        end((one, signal.SIGKILL) for one in started if one is not None)
        for cluster in (self.cascade, *self.standbys, self.dr, self.home):
            if cluster.running():
                cluster.stop("immediate")

    # What people do

    def back_up(self, cluster: Cluster | None = None) -> BackedUp:
        """Take a dump and a base backup of a server (of home's), and note both in the catalogue."""
        return self.backups.back_up(cluster or self.home)

    def activate(self, site: str = "dr") -> None:
        """Start the service of a site, if it does not run, and wait until it is ready. Raises StackError."""
        self.services[site].start()
        self.services[site].wait()

    def deactivate(self, site: str) -> None:
        """End the service of a site in order."""
        self.services[site].stop()

    def switch_dns(self, to: str, *, names: Iterable[str] = (HTTP, DATABASE), resolvers: Iterable[str] = SITES) -> None:
        """
        Let the public names lead to a site.

        Args:
            to: `home` or `dr`.
            names: Those of `HTTP` and `DATABASE` that are switched.
            resolvers: Sites whose resolver learns of it; one that does not is stale.
        """
        places = {HTTP: (to, self.services[to].port), DATABASE: (to, self._serving[to].port)}
        self.names.lead({name: places[name] for name in names}, resolvers)

    def serve_from(self, cluster: Cluster, site: str = "dr") -> None:
        """Let the database's name lead to another server of a site: a restored one, that listens by TCP."""
        self._serving[site] = cluster
        self.switch_dns(site, names=[DATABASE])

    def clear_cache(self, prefix: str = _PREFIX, site: str = "dr") -> int:
        """Delete the keys of a site's cache that begin with a prefix, and no others; how many there were."""
        from redis import Redis

        with Redis.from_url(self.cache_urls[site]) as cache:
            keys = list(cache.scan_iter(match=f"{prefix}*", count=500))
            return sum(int(cache.unlink(key)) for key in keys)

    def attach_standby(self, primary: Cluster, name: str) -> Cluster:
        """Make a new standby of a server and start it. Raises StackError."""
        standby = Cluster(self.grounds, name, tcp=True)
        self.standbys.append(standby)
        self.databases.reserve(primary, standby)
        self.databases.copy(primary, standby)
        self.databases.attach(primary, standby)
        return standby

    def start_home_again(self) -> None:
        """Start home's server again on the files that it has, whatever they are. Raises StackError."""
        self.home.start()

    # What goes wrong

    def break_home(self) -> None:
        """The home site is lost: its database and its service end without a last word."""
        self.home.kill()
        self.services["home"].stop(signal.SIGKILL)

    def damage_home(self) -> list[str]:
        """Destroy files of home's database so that it ends and cannot start again; their names in the data folder."""
        return damage.destroy(self.home, SYSTEM)

    def pollute(self, statement: str = BAD_RULE, on: Cluster | None = None) -> Pollution:
        """Change data wrongly, as the service's own role, in a transaction that is committed."""
        return pollute(self.service_conninfo(on or self.home), statement)

    # Where everything is

    def conninfo(self, cluster: Cluster) -> str:
        """How libpq reaches the service's database on a server as superuser, by its socket."""
        return cluster.conninfo(SYSTEM)

    def service_conninfo(self, cluster: Cluster) -> str:
        """The same as the service's own role, by TCP with its password."""
        return self.databases.service_url(cluster)

    @property
    def cache_urls(self) -> dict[str, str]:
        """The cache of each site: one server, a database number each."""
        return {site: cache_url(self._plan, number) for number, site in enumerate(SITES)}

    @property
    def api_key(self) -> str:
        """A key of the service's API, with the rights of an operator; the same at both sites."""
        return self.secrets[f"{SYSTEM}.api-key"]

    @property
    def admin_token(self) -> str:
        """A token of the service's API, with the rights of an administrator; the same at both sites."""
        return token("admin", self.secrets[f"{SYSTEM}.jwt"], seconds=12 * 3600)

    @property
    def store(self) -> StoreTarget:
        """The store of the backups and of the log's archive."""
        return StoreTarget.model_validate({"kind": "store", "url": f"local://{self.backups.folder}"})

    @property
    def catalogue(self) -> StoreTarget:
        """The store with what was noted of each backup."""
        return StoreTarget.model_validate({"kind": "store", "url": f"local://{self.backups.catalogue}"})

    @property
    def system_identifier(self) -> int:
        """That of all servers, from the files of the DR site's."""
        return int(self.dr.control()["Database system identifier"])

    @property
    def variables(self) -> dict[str, str]:
        """What a profile refers to; credentials are among them."""
        values = {
            "SITE_BACKUPS": f"local://{self.backups.folder}",
            "SITE_CATALOGUE": f"local://{self.backups.catalogue}",
            "SITE_SYSTEM_IDENTIFIER": str(self.system_identifier),
            "SITE_API_KEY": self.api_key,
            "SITE_ADMIN_TOKEN": self.admin_token,
        }
        for site, cluster in (("home", self.home), ("dr", self.dr)):
            values |= {
                f"SITE_{site.upper()}_DATABASE_URL": self.databases.superuser_url(cluster),
                f"SITE_{site.upper()}_SERVICE_DATABASE_URL": self.databases.service_url(cluster),
                f"SITE_{site.upper()}_DATABASE_PORT": str(cluster.port),
                f"SITE_{site.upper()}_URL": self.services[site].url,
                f"SITE_{site.upper()}_PORT": str(self.services[site].port),
                f"SITE_{site.upper()}_REDIS_URL": self.cache_urls[site],
                f"SITE_{site.upper()}_RESOLVER": self.names.resolvers[site],
            }
        return values

    def parts(self) -> list[SitePart]:
        """Every process, as it is now."""
        known = [(self.names.process, "dns", " ".join(self.names.resolvers.values()))]
        known += [(self._valkey, "valkey", self._plan.address("valkey"))]
        known += [(one.process, one.name, one.url) for one in self.services.values()]
        parts = [
            SitePart(name, address, process is not None and process.alive(), self.grounds.log(name))
            for process, name, address in known
        ]
        clusters = (self.home, self.dr, self.cascade, *self.standbys)
        return [SitePart(one.name, f"127.0.0.1:{one.port}", one.running(), one.log) for one in clusters] + parts

    # How it starts

    def _start(self) -> None:
        begun = time.monotonic()

        def tell(name: str) -> None:
            self.seconds[name] = round(time.monotonic() - begun, 2)

        self.switch_dns("home")
        with ThreadPoolExecutor(max_workers=4) as pool:
            self._migrations = self._spawn_migrations()
            self.services["home"].start()
            launch = Valkey().launch(self._plan)
            self._valkey = self.grounds.spawn(launch.argv, name="valkey", cwd=launch.cwd, ours=True)
            self.names.start()
            self.databases.start_home()
            tell("home")
            copied = pool.submit(self.databases.copy, self.home, self.cascade)
            self.databases.reserve(self.home, self.dr)
            self.databases.copy(self.home, self.dr)
            self.databases.attach(self.home, self.dr)
            tell("dr")
            copied.result()
            self.databases.attach(self.dr, self.cascade)
            tell("cascade")
        self._wait_for_migrations(self._migrations)
        tell("migrations")
        self.services["home"].wait()
        tell("service")
        self._wait_for_standbys()
        tell("ready")

    def _settings(self, site: str) -> dict[str, str]:
        return {
            "APP_VERSION": VERSION,
            "APP_COMMIT": COMMIT,
            "INSTANCE": f"{SYSTEM}-{site}",
            "DATABASE_URL": self.databases.unplaced_url(),
            "DATABASE_SRV": DATABASE,
            "DNS_RESOLVER": self.names.resolvers[site],
            "REDIS_URL": self.cache_urls[site],
            "API_KEY": self.api_key,
            "PROBE_API_KEY": self.secrets[f"{SYSTEM}.probe-api-key"],
            "JWT_SECRET": self.secrets[f"{SYSTEM}.jwt"],
        }

    def _spawn_migrations(self) -> Process:
        """It waits for the database itself, so that its imports overlap with the server's start."""
        argv = [sys.executable, "-m", "opsproof.stack.services.migrate", SYSTEM]
        env = inherited(self.grounds.directory) | {"FACTORY_AI_DATABASE_URL": self.databases.service_url(self.home)}
        return self.grounds.spawn(argv, name="migrations", cwd=self.grounds.directory, env=env, ours=True)

    def _wait_for_migrations(self, process: Process) -> None:
        wait_for(lambda: exit_status(process) is not None, _READY_SECONDS)
        if (status := exit_status(process)) != 0:
            log = self.grounds.log("migrations")
            raise StackError(
                f"the migrations ended with status {status}" if status else "the migrations do not end",
                where=f"{log}{log_tail(log, self.secrets)}",
                next_step="read the lines above",
            )

    def _wait_for_standbys(self) -> None:
        ((lsn,),) = self.home.sql("SELECT pg_current_wal_lsn()::text")
        for cluster in (self.dr, self.cascade):
            with cluster.connect() as connection:

                def caught_up(connection: Connection[Any] = connection) -> bool:
                    row = connection.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", (lsn,)).fetchone()
                    return row is not None and bool(row[0])

                if not wait_for(caught_up, _READY_SECONDS, pause=0.02):
                    raise StackError(
                        f"{cluster.name} has not replayed {lsn} after {_READY_SECONDS:g} s",
                        where=f"{cluster.log}{log_tail(cluster.log, self.secrets)}",
                        next_step="read the lines above",
                    )
