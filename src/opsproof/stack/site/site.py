"""Two sites with all that a rehearsal of a disaster breaks, switches and brings back."""

from __future__ import annotations

import secrets
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from typing_extensions import override

from opsproof.profile.targets import StoreTarget
from opsproof.stack.clusters import Cluster, Grounds
from opsproof.stack.credentials import new_credentials, token
from opsproof.stack.ports import HOST
from opsproof.stack.site import damage
from opsproof.stack.site.backing_up import BackedUp, BackupStore
from opsproof.stack.site.databases import SYSTEM, Databases
from opsproof.stack.site.names import DATABASE, HTTP, SITES, srv
from opsproof.stack.site.pollution import BAD_RULE, Pollution, pollute
from opsproof.stack.site.processes import Processes, SitePart
from opsproof.stack.site.startable import Startable

_CACHE_PREFIX = f"{SYSTEM}:"
_TOKEN_SECONDS = 12 * 3600.0


class EmbeddedSite(Startable):
    """
    The home site with its database and service, and the DR site with a standby and a service that does not run yet.

    >>> with Grounds() as grounds, EmbeddedSite(grounds) as site:
    ...     site.break_home()
    ...     site.dr.sql("SELECT pg_promote()")
    ...     site.switch_dns("dr")
    ...     site.activate("dr")

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
        """Those that were attached later."""
        self.processes = Processes(grounds, self.databases, self.secrets)
        self.services = self.processes.services
        self._serving = {"home": self.home, "dr": self.dr}

    @override
    def close(self) -> None:
        """End every process of it; the files go with the grounds."""
        self.processes.end()
        for cluster in self._clusters():
            cluster.kill()

    # What people do

    def back_up(self, cluster: Cluster | None = None) -> BackedUp:
        """Take a dump and a base backup of a primary (home's), and note both in the catalogue. Raises StackError."""
        return self.backups.back_up(cluster or self.home)

    def beat(self, cluster: Cluster | None = None) -> None:
        """Write a heartbeat on a primary (home's), as cron does, and switch the log: so it comes into the archive."""
        primary = cluster or self.home
        primary.sql(
            "INSERT INTO opsproof_heartbeat SELECT coalesce(max(id), 0) + 1, clock_timestamp(), 'site'"
            " FROM opsproof_heartbeat",
            database=SYSTEM,
        )
        primary.sql("SELECT pg_switch_wal()")

    def activate(self, site: str = "dr") -> None:
        """Start the service of a site, if it does not run, and wait until it is ready. Raises StackError."""
        self.services[site].start()
        self.services[site].wait()

    def deactivate(self, site: str) -> None:
        """End the service of a site in order."""
        self.services[site].stop()

    def restart(self, site: str) -> None:
        """End the service of a site and start it anew, so that its pool connects where the name leads."""
        self.deactivate(site)
        self.activate(site)

    def switch_dns(self, to: str, *, names: Iterable[str] = (HTTP, DATABASE), resolvers: Iterable[str] = SITES) -> None:
        """
        Let the public names lead to a site; connections that a pool has are not moved by that.

        Args:
            to: `home` or `dr`.
            names: Those of `HTTP` and `DATABASE` that are switched.
            resolvers: Sites whose resolver learns of it; one that does not is stale.
        """
        places = {HTTP: (to, self.services[to].port), DATABASE: (to, self._serving[to].port)}
        self.processes.names.lead({name: places[name] for name in names}, resolvers)

    def serve_from(self, cluster: Cluster, site: str = "dr") -> None:
        """Let the database's name lead to another server of a site: a restored one that listens by TCP."""
        self._serving[site] = cluster
        self.switch_dns(site, names=[DATABASE])

    def clear_cache(self, prefix: str = _CACHE_PREFIX, site: str = "dr") -> int:
        """Delete the keys of a site's cache that begin with a prefix, and no others; how many there were."""
        from redis import Redis

        with Redis.from_url(self.cache_urls[site]) as cache:
            return sum(int(cache.unlink(key)) for key in list(cache.scan_iter(match=f"{prefix}*", count=500)))

    def attach_standby(self, primary: Cluster, name: str) -> Cluster:
        """Copy a server and start the copy as its standby. Raises StackError."""
        standby = Cluster(self.grounds, name, tcp=True)
        self.standbys.append(standby)
        self.databases.reserve(primary, standby)
        self.databases.copy(primary, standby)
        self.databases.attach(primary, standby)
        return standby

    def follow(self, primary: Cluster, standby: Cluster) -> None:
        """Start a server that has stopped, and was rewound, as a standby of another one. Raises StackError."""
        self.databases.attach(primary, standby)

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
        return self.processes.cache_urls

    @property
    def resolvers(self) -> dict[str, str]:
        """HOST:PORT of the resolver of each site."""
        return self.processes.names.resolvers

    @property
    def api_key(self) -> str:
        """A key of the service's API, with the rights of an operator; the same at both sites."""
        return self.secrets[f"{SYSTEM}.api-key"]

    @property
    def admin_token(self) -> str:
        """A token of the service's API, with the rights of an administrator; the same at both sites."""
        return token("admin", self.secrets[f"{SYSTEM}.jwt"], seconds=_TOKEN_SECONDS)

    @property
    def store(self) -> StoreTarget:
        """The store of the backups and of the log's archive."""
        return _local(self.backups.folder)

    @property
    def catalogue(self) -> StoreTarget:
        """The store with what was noted of each backup."""
        return _local(self.backups.catalogue)

    @property
    def system_identifier(self) -> int:
        """That of all servers, from the files of the DR site's."""
        return int(self.dr.control()["Database system identifier"])

    @property
    def variables(self) -> dict[str, str]:
        """What a profile refers to; credentials are among them. What leads to a site is not changed by a switch."""
        values = {
            "SITE_BACKUPS": f"local://{self.backups.folder}",
            "SITE_CATALOGUE": f"local://{self.backups.catalogue}",
            "SITE_SYSTEM_IDENTIFIER": str(self.system_identifier),
            "SITE_API_KEY": self.api_key,
            "SITE_ADMIN_TOKEN": self.admin_token,
        }
        for site, cluster in (("home", self.home), ("dr", self.dr)):
            own = {
                "DATABASE_URL": self.databases.superuser_url(cluster),
                "SERVICE_DATABASE_URL": self.databases.service_url(cluster),
                "DATABASE_SRV": srv(site, cluster.port),
                "URL": self.services[site].url,
                "HTTP_SRV": srv(site, self.services[site].port),
                "REDIS_URL": self.cache_urls[site],
                "ENVIRONMENT": str(self.services[site].environment_file),
                "RESOLVER": self.resolvers[site],
            }
            values |= {f"SITE_{site.upper()}_{name}": value for name, value in own.items()}
        return values

    def parts(self) -> list[SitePart]:
        """Every server, as it is now."""
        databases = [SitePart(one.name, f"{HOST}:{one.port}", one.running(), one.log) for one in self._clusters()]
        return databases + self.processes.parts()

    def _clusters(self) -> tuple[Cluster, ...]:
        return (self.home, self.dr, self.cascade, *self.standbys)

    @override
    def _start(self) -> None:
        begun = time.monotonic()

        def tell(name: str) -> None:
            self.seconds[name] = round(time.monotonic() - begun, 2)

        self.switch_dns("home")
        self.processes.start()
        self.databases.start_home()
        tell("home")
        self.databases.start_standbys()
        tell("standbys")
        self.processes.migrations.wait()
        self.home.sql("ANALYZE", database=SYSTEM)
        tell("migrations")
        self.services["home"].wait()
        tell("service")
        self.databases.wait_for_replay()
        tell("ready")


def _local(folder: Path) -> StoreTarget:
    return StoreTarget.model_validate({"kind": "store", "url": f"local://{folder}"})
