"""What must be true of a service that was recovered at the other site (runbook 001, 5.2, phases 4 to 6)."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from opsproof.profile.scalars import Duration
from opsproof.profile.sections import Exchange
from opsproof.profile.stores import NamePrefix
from opsproof.profile.targets import HttpUrl, Identity, RedisUrl, Section, SettingsTarget, StoreTarget

Share = Annotated[float, Field(ge=0, le=1)]
_PLACE = r"^(\[[0-9a-fA-F:]+\]|[^\s:/]+):\d{1,5}$"
_RANGE = "%(since)s and %(until)s are filled in, which end before the failure"


class Connections(Section):
    """Which database the service is on, asked through the service; and a row that it must see."""

    path: str = Field(
        "/api/v1/admin/database", description="Path that tells of every connection of the service's pool."
    )
    items: str = Field("connections", description="Dotted name of the list in the answer.")
    port: str = "port"
    system_identifier: str = "system_identifier"
    timeline: str = Field("timeline", description="By the name of the WAL file in use, as a number.")
    in_recovery: str = "in_recovery"
    pid: str = Field("pid", description="Of the server's process; the new primary must know it.")
    asks: int = Field(5, ge=2, le=100, description="Questions on fresh connections; more than there are replicas.")
    write: str = Field("", description="SQL that writes a row on the new primary, with the id %(token)s.")
    read: str = Field("", description="Path that reads it through the service; {token} is filled in.")
    remove: str = Field("", description="SQL that removes the row again.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if len({bool(self.write), bool(self.read), bool(self.remove)}) != 1:
            raise ValueError("expected `write`, `read` and `remove` together, or none of them")
        return self


class Cache(Section):
    """
    The cache of the service at the DR site, which is cleared by prefix. The runbook has FLUSHALL, which would take
    queues, locks and sessions along: nothing outside of the prefix is touched.
    """

    url: RedisUrl = Field(description="Of the DR site, with the number of the database: redis://HOST:PORT/3.")
    prefix: str = Field(min_length=2, pattern=r"^[^*?\[\]\\]+$", description="How the cache's keys begin, literally.")
    fill: Exchange = Field(description="A request whose answer the service keeps in the cache.")
    passing: dict[str, bool | str | int] = Field(
        {}, description="Keys of the body that make the service pass the cache by: {use_cache: false}."
    )
    same: tuple[str, ...] = Field((), description="Dotted names that a cached answer and a fresh one share.")
    value: str = Field("", description="SQL that reads what is stored of it, columns named as in `same`; %(id)s.")
    exposition: str = Field("/metrics", description="Path of the service's metrics.")
    hits: str = Field("judgment_cache_hits_total", description="Counter of what was found; the runbook's.")
    misses: str = Field("judgment_cache_misses_total", description="Counter of what was not found; the runbook's.")
    shown: str = Field(
        "",
        description="Header, or dotted name of the answer, that says whether it was a hit (HIT, true) or a miss; in "
        "place of the counters, which tell nothing where several replicas share an address.",
    )
    requests: int = Field(10, ge=2, le=1000, description="Requests by which the cache must be warm.")
    hit_share: Share = Field(0.4, description="Least share of hits among them; the runbook has 40 % (1.3).")
    within: Duration = Field(60.0, description="Time for the cache to be warm again; part of the RTO.")


class Count(Section):
    """A number of rows; 5.2 phase 5 expects about 1000 judgments a day and names no tolerance."""

    sql: str = Field(description=f"Gives one number; {_RANGE}.")
    expected: int = Field(ge=1, description="The usual level.")
    tolerance: Share = Field(description="It may be off by this share of the usual level, either way.")


class Completed(Section):
    """The share of work that came to its end; 5.2 phase 5: COMPLETED exceeds 95 %."""

    sql: str = Field(description=f"Columns `status` and `count`; {_RANGE}.")
    status: str = "COMPLETED"
    above: Share = 0.95
    least: int = Field(ge=1, description="With fewer rows than this the share says nothing.")


class Versions(Section):
    """The version that decided; 5.2 phase 5 expects v1.4.0, which is wrong where the newest rules are the damage."""

    sql: str = Field(description=f"Column `version`, a row for each that decided; {_RANGE}.")
    expected: str = Field(description="The one version, after the loss of a region or a damaged database.")
    last_good: str = Field(description="The one version, after polluted data: the last one before the pollution.")


class Reconciled(Section):
    """Two stores that must know of the same things; one restored alone is older than the other (E11)."""

    sql: str = Field(description="On the database: column `id`.")
    keys: str | None = Field(None, description="Pattern of the cache's keys; * stands for the id, once.")
    queue: str | None = Field(None, description="Key of a list in the cache whose elements are ids.")
    store: StoreTarget | None = None
    prefix: NamePrefix | None = Field(None, description="Of the store's objects; what follows is the id.")
    suffix: str = Field("", description="What follows the id in an object's name: .json.")
    only_database: int = Field(0, ge=0, description="So many ids may be in the database alone.")
    only_other: int = Field(0, ge=0, description="So many ids may be in the other store alone.")

    @model_validator(mode="after")
    def _one_other(self) -> Self:
        if sum(other is not None for other in (self.keys, self.queue, self.store)) != 1:
            raise ValueError("expected exactly one of `keys`, `queue` or `store`")
        if self.keys is not None and self.keys.count("*") != 1:
            raise ValueError("expected one * in `keys`, which stands for the id")
        return self


class Data(Section):
    """What the recovered data must hold (5.2 phase 5)."""

    window: Duration = Field(86400.0, description="Length of the stretch that is looked at; the runbook's day.")
    settled: Duration = Field(
        60.0, description="The stretch ends so long before the failure: what is younger may be lost (RPO) or late."
    )
    counts: dict[str, Count] = Field({}, description="By name.")
    completed: Completed | None = None
    versions: Versions | None = None
    totals: dict[str, str] = Field(
        {}, description=f"SQL that gives one value, the same before the failure and now: a balance; {_RANGE}."
    )
    reconciled: dict[str, Reconciled] = Field({}, description="Pairs of stores, by name.")


class Release(Section):
    """What runs at the DR site; 5.2 phase 4 scales to 3 replicas."""

    path: str = "/version"
    version: str = Field("version", description="Dotted name of the version in the answer.")
    instance: str = Field("instance", description="Dotted name of what tells one replica from another.")
    replicas: int = Field(3, ge=1, description="So many must answer; the runbook's number.")
    health: str = Field("/health", description="Path that must answer 200, with the body's `status` as below.")
    healthy: str = "healthy"


class Parity(Section):
    """Settings and secrets of both sites, compared by name and fingerprint; no value leaves its site."""

    home: SettingsTarget
    dr: SettingsTarget
    own: tuple[str, ...] = Field((), description="Names that both have, each with a value of its own: DATABASE_URL.")
    ignored: tuple[str, ...] = Field((), description="Names that say nothing: PATH, HOSTNAME.")
    login: str = Field("DATABASE_URL", description="The one at the DR site that the service logs in with.")
    private_files: tuple[Path, ...] = Field((), description="Files of the DR site that nobody else may read: .pgpass.")


class Certificate(Section):
    """A certificate of the DR site."""

    at: str = Field(pattern=_PLACE, description="HOST:PORT.")
    name: str = Field(description="The name that clients connect by.")
    postgres: bool = Field(False, description="Whether PostgreSQL listens there, which is asked for TLS first.")
    ca_file: Path | None = Field(None, description="Certificate authority to trust; left out, the system's.")
    remaining: Duration = Field(description="It must be valid for at least so long.")


class Outside(Section):
    """What a rehearsal must not reach: mail, payments, other people's systems."""

    sent: dict[str, str] = Field(
        {}, description="SQL that counts what was sent to the outside since %(since)s: rows of an outbox."
    )
    allowed: tuple[str, ...] = Field(
        ("127.0.0.0/8", "::1/128"), description="Networks that restored services may connect to."
    )
    pid_files: tuple[Path, ...] = Field((), description="Pid files of the restored services, on this machine.")


class Recovered(Section):
    """The service at the DR site, as its clients reach it."""

    public: HttpUrl = Field(description="The service's public address; its name is one of `names`.")
    record: str = Field("", description="Name of an SRV record that says host and port, in place of the address's.")
    ca_file: Path | None = Field(None, description="Certificate authority to trust; left out, the system's.")
    auth: Identity | None = Field(None, description="The identity that the service's clients have.")
    admin: Identity | None = Field(None, description="The identity that may ask for the pool's connections.")
    timeout: Duration = Field(10.0, description="Limit of one request.")
    clock: Duration = Field(2.0, description="Clocks of the DR site may be off by this much.")
    connections: Connections | None = None
    cache: Cache | None = None
    data: Data | None = None
    release: Release | None = None
    parity: Parity | None = None
    certificates: dict[str, Certificate] = Field({}, description="Of the service and of the database, by name.")
    outside: Outside | None = None
