"""
A small DR site: two clusters of one system identifier, a cache, two resolvers, a service, settings of both sites.

Servers are made once for the grounds; each lab has databases, a service and resolvers of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from opsproof.profile.rehearsals import Rehearsals
from opsproof.profile.sections import Decisions, Work
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.damage.site.lab_profile import ALIAS, DECISIONS, NAME, SERVICE, WORK, profile_of
from opsproof.rehearsal.damage.site.listener import TlsListener
from opsproof.rehearsal.damage.site.responder import Records, Responder
from opsproof.rehearsal.damage.site.service import PREFIX, QUEUE, LabService
from opsproof.rehearsal.site.outside import Egress, Sink
from opsproof.rehearsal.site.verification import Before, SiteVerification
from opsproof.stack.clusters import Cluster, Grounds
from opsproof.stack.parts.valkey import valkey_command
from opsproof.stack.ports import HOST
from opsproof.stack.process import wait_for

_SOUND = """
    CREATE TABLE judgments (id text PRIMARY KEY, result text, version text, at timestamptz NOT NULL DEFAULT now());
    CREATE TABLE workflows (id text PRIMARY KEY, status text, at timestamptz NOT NULL DEFAULT now());
    CREATE TABLE messages (id text PRIMARY KEY, text text);
    CREATE TABLE outbox (id text PRIMARY KEY, sent timestamptz);
    CREATE TABLE rules (version text PRIMARY KEY, stop int, active boolean);
    CREATE TABLE orders (id text PRIMARY KEY, amount int, at timestamptz NOT NULL DEFAULT now());
    INSERT INTO rules VALUES ('v1.3.0', 80, false), ('v1.4.0', 90, true);
    INSERT INTO judgments SELECT 'jud-' || n, 'NORMAL', 'v1.4.0', now() - n * interval '80 seconds'
        FROM generate_series(1, 1000) AS n;
    INSERT INTO workflows SELECT 'wf-' || n, CASE WHEN n % 50 = 0 THEN 'FAILED' ELSE 'COMPLETED' END,
        now() - n * interval '10 minutes' FROM generate_series(1, 100) AS n;
    INSERT INTO orders SELECT 'o-' || n, n, now() - n * interval '1 minute' FROM generate_series(1, 50) AS n;
    GRANT ALL ON ALL TABLES IN SCHEMA public TO service;
"""
_originals: WeakKeyDictionary[Grounds, Original] = WeakKeyDictionary()
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Original:
    """What all labs of the grounds share."""

    home: Cluster
    dr: Cluster
    cache: str
    secret: str


@dataclass
class SiteLab:
    """
    One DR site, which a fault may change. What a fault changes of the profile is in `profile`, as YAML would have it.

    Attributes:
        watched: Pids whose connections are looked at.
        afterwards: Undoes what a fault does to servers that other labs have as well.
        clearing: How the cache is cleared: by prefix, or as somebody else would.
        t0: The failure.
    """

    original: Original
    database: str
    folder: Path
    service: LabService
    resolvers: list[Responder]
    profile: dict[str, Any]
    mail: Sink
    egress: Egress
    watched: list[int]
    certificates: TlsListener
    afterwards: contextlib.ExitStack
    token: str
    t0: datetime
    clearing: Callable[[SiteLab], None] | None = None
    before: Before = field(default_factory=Before)
    polluted: bool = False

    def verification(self) -> SiteVerification:
        """A verification of the site as it is now."""
        return SiteVerification(
            Rehearsals.model_validate(self.profile),
            asking=Asking.alone,
            token=self.token,
            t0=self.t0,
            polluted=self.polluted,
            before=self.before,
            decisions=Decisions.model_validate(DECISIONS),
            work=[Work.model_validate(one) for one in WORK],
            sinks=[self.mail],
            egress=self.egress,
        )

    def sql(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement on the new primary."""
        return self.original.dr.sql(statement, *parameters, database=self.database)

    def cache(self, number: int = 3) -> Any:
        """A client of a database of the cache."""
        from redis import Redis

        return Redis.from_url(f"{self.original.cache}/{number}", decode_responses=True)

    def fence(self, *, up: bool) -> None:
        """Let nobody into the database of the old primary, or let them in again."""
        self.original.home.sql(f"ALTER DATABASE {self.database} ALLOW_CONNECTIONS {not up}")

    def settings(self, site: str) -> Path:
        """The env file of a site."""
        return self.folder / f"{site}.env"


@contextlib.contextmanager
def site_lab(grounds: Grounds) -> Iterator[SiteLab]:
    """A sound DR site; gone with its databases and listeners when left."""
    original = _original(grounds)
    number = next(_numbers)
    database = f"site_{number}"
    for cluster in (original.home, original.dr):
        cluster.sql(f"CREATE DATABASE {database} TEMPLATE sound STRATEGY wal_log")
    folder = grounds.folder(f"site-{number}")
    service = LabService(
        [f"host={HOST} port={original.dr.port} dbname={database} user=service password={original.secret}"] * 4,
        f"{original.cache}/3",
        secrets.token_hex(12),
    )
    with contextlib.ExitStack() as stack:
        stack.callback(_drop, original, database, folder)
        service.start()
        stack.callback(service.stop)
        resolvers = [stack.enter_context(Responder(Records(_records(original.dr.port)))) for _ in range(2)]
        mail = stack.enter_context(Sink("mail"))
        watched = [original.dr.process.pid]
        egress = stack.enter_context(Egress(lambda: watched, (f"{HOST}/32",)))
        certificates = stack.enter_context(TlsListener(folder))
        lab = SiteLab(
            original,
            database,
            folder,
            service,
            resolvers,
            {},
            mail,
            egress,
            watched,
            certificates,
            stack,
            f"{number}x{secrets.token_hex(3)}",
            datetime.now(UTC) + timedelta(seconds=2),
        )
        _fill_cache(lab)
        _write_settings(lab)
        lab.profile = profile_of(lab)
        lab.before = asyncio.run(lab.verification().note(datetime.now(UTC)))
        lab.fence(up=True)
        yield lab


def _original(grounds: Grounds) -> Original:
    if grounds not in _originals:
        _originals[grounds] = _made(grounds)
    return _originals[grounds]


def _made(grounds: Grounds) -> Original:
    secret = secrets.token_hex(12)
    home, dr = (Cluster(grounds, f"site-{name}", tcp=True) for name in ("home", "dr"))
    home.initialize()
    home.start()
    home.sql(f"CREATE ROLE service LOGIN PASSWORD '{secret}'")
    home.sql("CREATE DATABASE sound")
    with home.connect("sound") as connection:
        connection.execute(_SOUND)
    copied = home.copy_to(dr.data, "-R", "-X", "stream")
    if not copied.ok:
        raise OSError(copied.err)
    dr.start()
    dr.sql("SELECT pg_promote()")
    port = grounds.port("site-cache")
    cache = grounds.folder("site-cache")
    grounds.spawn(valkey_command(port, cache), name="site-cache", cwd=cache, ours=True)
    url = f"redis://{HOST}:{port}"
    wait_for(lambda: _pings(url), 30, pause=0.05)
    return Original(home, dr, url, secret)


def _pings(url: str) -> bool:
    from redis import Redis, exceptions

    try:
        with Redis.from_url(url) as client:
            return bool(client.ping())
    except exceptions.ConnectionError:
        return False


def _drop(original: Original, database: str, folder: Path) -> None:
    for cluster in (original.home, original.dr):
        cluster.sql(f"DROP DATABASE {database} WITH (FORCE)")
    shutil.rmtree(folder, ignore_errors=True)


def _records(port: int) -> dict[tuple[str, str], list[str]]:
    return {
        (NAME, "A"): [HOST],
        ("api-dr.rehearsal.test", "A"): [HOST],
        ("db-dr.rehearsal.test", "A"): [HOST],
        (ALIAS, "CNAME"): ["api-dr.rehearsal.test."],
        (SERVICE, "SRV"): [f"0 5 {port} db-dr.rehearsal.test."],
    }


def _fill_cache(lab: SiteLab) -> None:
    """The cache of the site before the failure, and its neighbours: a queue, a session, another system's database."""
    with lab.cache() as cache, lab.cache(4) as other:
        cache.flushall()
        cache.mset({f"{PREFIX}old-{number}": "NORMAL" for number in range(20)})
        cache.rpush(QUEUE, *(f"o-{number}" for number in range(1, 51)))
        cache.set("session:7", "somebody")
        other.set("celery:normal", "a message")


def _write_settings(lab: SiteLab) -> None:
    shared = {"API_KEY": lab.service.key, "JWT_SECRET": secrets.token_hex(16), "MAIL_FROM": "factory@rehearsal.test"}
    for site, cluster in (("home", lab.original.home), ("dr", lab.original.dr)):
        url = f"postgresql://service@{HOST}:{cluster.port}/{lab.database}"
        lines = [f"{name}={value}" for name, value in {**shared, "DATABASE_URL": url}.items()]
        lab.settings(site).write_text("\n".join(lines) + "\n", encoding="utf-8")
    passwords = lab.folder / ".pgpass"
    passwords.touch(mode=0o600)
    passwords.write_text(f"*:*:*:service:{lab.original.secret}\n", encoding="utf-8")
