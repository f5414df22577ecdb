"""Where a rehearsal takes place: two sites, their backups, and grounds for scratch copies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from opsproof.errors import PreconditionMissing
from opsproof.evidence.observer import Observer
from opsproof.probes.backup import Objects
from opsproof.profile.backups import Backups
from opsproof.profile.models import Profile
from opsproof.profile.rehearsals import Rehearsals, Site
from opsproof.profile.targets import PostgresTarget, StoreTarget
from opsproof.rehearsal.archive.verification import ArchiveVerification
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.failover.readiness import StandbyLimits, StandbyVerification
from opsproof.rehearsal.node import Node
from opsproof.rehearsal.stored import StoredVerification
from opsproof.stack.clusters import Grounds

if TYPE_CHECKING:
    from opsproof.stack.site import EmbeddedSite

S = TypeVar("S")
_BEATS, _BETWEEN_BEATS = 3, 0.1
Reload = Callable[[str, Mapping[str, str]], Profile]
"""Loads a profile once more, with further variables."""


class Surroundings:
    """
    Two sites as a profile describes them; in the embedded environment they are made first, and gone afterwards.

    Args:
        profile: The environment.
        asking: Keeps every answer as evidence.
        grounds: For scratch copies; ended with everything on them by `close`.
        embedded: The sites that are opsproof's own; None in a real environment.
        stack: What `close` ends.
    """

    def __init__(
        self, profile: Profile, asking: Asking, grounds: Grounds, embedded: EmbeddedSite | None, stack: ExitStack
    ) -> None:
        self.profile = profile
        self.asking = asking
        self.grounds = grounds
        self.embedded = embedded
        self._stack = stack

    @classmethod
    def open(cls, profile: Profile, asking: Asking, *, embedded: bool, reload: Reload) -> Surroundings:
        """
        Make them.

        Args:
            profile: The environment.
            asking: Keeps every answer as evidence.
            embedded: True if opsproof makes the sites itself.
            reload: Loads the profile once more, with the addresses of these sites.

        Raises:
            StackError: They cannot be made.
        """
        from opsproof.stack.site import EmbeddedSite

        with ExitStack() as stack:
            grounds = stack.enter_context(Grounds())
            if not embedded:
                return cls(profile, asking, grounds, None, stack.pop_all())
            site = stack.enter_context(EmbeddedSite(grounds))
            site.beat()
            site.back_up()
            for _ in range(_BEATS):
                site.beat()
                time.sleep(_BETWEEN_BEATS)
            return cls(reload(profile.name, site.variables), asking, grounds, site, stack.pop_all())

    @property
    def rehearsals(self) -> Rehearsals:
        """The profile's section. Raises PreconditionMissing where there is none."""
        return self._section(self.profile.rehearsals, "rehearsals")

    @property
    def backups(self) -> Backups:
        """The profile's section. Raises PreconditionMissing where there is none."""
        return self._section(self.profile.backups, "backups")

    @property
    def home(self) -> Node:
        """The home site's database, as one who may write to it."""
        return Node("home", self._site("home").database.get_secret_value(), self.asking)

    @property
    def dr(self) -> Node:
        """The DR site's database, as one who may write to it."""
        return Node("dr", self._site("dr").database.get_secret_value(), self.asking)

    @property
    def database_name(self) -> str:
        """Name of the service's database."""
        return urlsplit(self._site("home").database.get_secret_value()).path.lstrip("/")

    def asking_of(self, target: str) -> Asking:
        """Asks another target of the rehearsal, with an observer of its own."""
        shared = self.asking.observer
        return Asking(
            Observer(
                profile=shared.profile,
                target=f"{shared.target}-{target}",  # no name of a target of the profile
                address=shared.address,
                redactor=shared.redactor,
                timeout=shared.timeout,
                concurrency=4,
                gives_up=False,
            )
        )

    def service_conninfo(self, *sites: str) -> str:
        """
        How the service's own role reaches the one of these sites that takes writes, as libpq finds it.

        Raises:
            PreconditionMissing: The profile does not say how that role logs in.
        """
        from psycopg.conninfo import conninfo_to_dict, make_conninfo

        urls = [self._section(self._site(site).service_database, f"{site}.service_database") for site in sites]
        parts = [conninfo_to_dict(url.get_secret_value()) for url in urls]
        joined: dict[str, Any] = {key: ",".join(str(one.get(key, "5432")) for one in parts) for key in ("host", "port")}
        attributes = "read-write" if len(parts) > 1 else "any"
        return make_conninfo(**(parts[0] | joined), target_session_attrs=attributes)

    @property
    def stored(self) -> StoredVerification:
        """Looks into the stored backups."""
        return StoredVerification(
            self.backups, self.objects, self.catalogue, self.asking, self.grounds.programs, self._scratch("stored")
        )

    @property
    def archive(self) -> ArchiveVerification:
        """Looks into the archive of the log, and asks the server that fills it."""
        return self.archive_of(self.archiving)

    def archive_of(self, server: Node | None) -> ArchiveVerification:
        """Looks into the archive of the log; `server` is the one that fills it, None if there is none any more."""
        return ArchiveVerification(
            self.backups,
            self.objects,
            self.catalogue,
            server,
            self.asking,
            self.grounds.programs,
            self._scratch("archive"),
        )

    @property
    def standby(self) -> StandbyVerification:
        """Looks at the DR site's database while it follows."""
        exposure = min(scenario.rpo for scenario in self.rehearsals.scenarios.values())
        return StandbyVerification(
            self.home, self.dr, self.backups.heartbeat, StandbyLimits(exposure, full_read=self.rehearsals.full_read)
        )

    @property
    def objects(self) -> Objects:
        """The store of the backups."""
        return Objects(self._store(self.backups.store))

    @property
    def catalogue(self) -> Objects | None:
        """What was noted of each backup; None where nobody keeps it."""
        return Objects(self._store(self.backups.catalogue)) if self.backups.catalogue else None

    @property
    def secrets(self) -> Iterator[str]:
        """What must be masked wherever it shows."""
        return iter(self.embedded.secrets.values() if self.embedded else ())

    def close(self) -> None:
        """End everything that was started here. Raises StackError when something would not go."""
        self._stack.close()

    @property
    def archiving(self) -> Node:
        """
        The server that fills the archive: home's; where nothing is rehearsed, the target that the backups are of.

        Raises:
            PreconditionMissing: The profile names neither.
        """
        if self.profile.rehearsals is not None and self.profile.rehearsals.home is not None:
            return self.home
        from psycopg.conninfo import make_conninfo

        target = self.profile.targets.get(self.backups.database)
        if not isinstance(target, PostgresTarget):
            raise self._missing(f"targets.{self.backups.database} of kind postgres")
        conninfo = make_conninfo(target.dsn.get_secret_value(), options="-c default_transaction_read_only=on")
        return Node(self.backups.database, conninfo, self.asking)

    def _store(self, name: str) -> StoreTarget:
        target = self.profile.targets.get(name)
        if not isinstance(target, StoreTarget):
            raise self._missing(f"targets.{name} of kind store")
        return target

    def _site(self, name: str) -> Site:
        site: Site | None = getattr(self.rehearsals, name)
        return self._section(site, f"rehearsals.{name}")

    def _scratch(self, name: str) -> Path:
        return self.grounds.folder(f"scratch-{name}")

    def _section(self, section: S | None, key: str) -> S:
        if section is None:
            raise self._missing(key)
        return section

    def _missing(self, key: str) -> PreconditionMissing:
        next_step = "Write it; docs/disaster-recovery.md shows a whole one."
        return PreconditionMissing(f"the profile has no {key}", where=self.profile.name, next_step=next_step)
