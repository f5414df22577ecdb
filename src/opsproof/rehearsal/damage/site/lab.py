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
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from opsproof.profile.rehearsals import Rehearsals
from opsproof.profile.sections import Decisions, Work
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.damage.site.responder import Records, Responder
from opsproof.rehearsal.damage.site.service import PREFIX, QUEUE, LabService
from opsproof.rehearsal.site.outside import Egress, Sink
from opsproof.rehearsal.site.verification import Before, SiteVerification
from opsproof.stack.clusters import Cluster, Grounds
from opsproof.stack.parts.valkey import valkey_command
from opsproof.stack.ports import HOST
from opsproof.stack.process import wait_for

NAME = "api.rehearsal.test"
SERVICE = "_postgresql._tcp.db.rehearsal.test"
ALIAS = "www.rehearsal.test"
HOME_ADDRESS = "127.0.0.3"
"""Of this machine as well, and nobody listens there."""

ROWS = 1000
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
_since: WeakKeyDictionary[Grounds, Original] = WeakKeyDictionary()
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
            decisions=Decisions.model_validate(_DECISIONS),
            work=[Work.model_validate(one) for one in _WORK],
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
            f"{number}x{secrets.token_hex(3)}",
            datetime.now(UTC) + timedelta(seconds=2),
        )
        _fill_cache(lab)
        _write_settings(lab)
        lab.profile = _profile(lab)
        lab.before = asyncio.run(lab.verification().note(datetime.now(UTC)))
        lab.fence(up=True)
        yield lab


class TlsListener:
    """
    Shows a certificate to whoever connects, until it is left.

    Args:
        folder: Where the authority's certificate is written.
    """

    def __init__(self, folder: Path) -> None:
        import trustme

        self._authority = trustme.CA()
        self.ca_file = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(str(self.ca_file))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.port = 0

    def show(
        self, name: str = NAME, *, begun: timedelta = timedelta(days=-1), left: timedelta, own: bool = True
    ) -> None:
        """
        Show another certificate from now on.

        Args:
            name: That it is for.
            begun: From now, when it begins to be valid.
            left: From now, when it ends.
            own: Whether the authority that clients trust has signed it.
        """
        import trustme

        authority = self._authority if own else trustme.CA()
        now = datetime.now(UTC)
        made = authority.issue_cert(name, not_before=now + begun, not_after=now + left)
        fresh = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.configure_cert(fresh)
        self._context = fresh

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                connection, _ = self._listening.accept()
                connection.settimeout(5)
                with contextlib.suppress(OSError), self._context.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(1)

    def __enter__(self) -> TlsListener:
        import socket

        self.show(left=timedelta(days=365))
        self._listening = socket.create_server((HOST, 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        import socket

        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)


def _original(grounds: Grounds) -> Original:
    if grounds not in _since:
        _since[grounds] = _made(grounds)
    return _since[grounds]


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
    grounds.spawn(valkey_command(port, cache), name="site-cache", cwd=cache)
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


def _profile(lab: SiteLab) -> dict[str, Any]:
    original, port = lab.original, lab.service.port
    dr_answer = f"0 5 {original.dr.port} db-dr.rehearsal.test"
    return {
        "scenarios": {},
        "home": _site(original.home, original.secret, lab.database),
        "dr": _site(original.dr, original.secret, lab.database),
        "resolvers": [one.address for one in lab.resolvers],
        "names": {
            "api": {"name": NAME, "type": "A", "home": [HOME_ADDRESS], "dr": [HOST], "ttl": "60s"},
            "www": {
                "name": ALIAS,
                "type": "CNAME",
                "home": ["api-home.rehearsal.test"],
                "dr": ["api-dr.rehearsal.test"],
                "ttl": "60s",
            },
            "database": {
                "name": SERVICE,
                "type": "SRV",
                "home": [f"0 5 {original.home.port} db-home.rehearsal.test"],
                "dr": [dr_answer],
                "ttl": "60s",
            },
        },
        "recovered": {
            "public": f"http://{NAME}:{port}",
            "auth": {"api_key": lab.service.key},
            "clock": "10s",
            "connections": {
                "asks": 4,
                "write": "INSERT INTO workflows (id, status) VALUES (%(token)s, 'COMPLETED')",
                "read": "/api/v1/workflows/{token}",
                "remove": "DELETE FROM workflows WHERE id = %(token)s",
            },
            "cache": {
                "url": f"{original.cache}/3",
                "prefix": PREFIX,
                "fill": _JUDGMENT,
                "passing": {"use_cache": False},
                "same": ["result", "version"],
                "value": "SELECT result, version FROM judgments WHERE id = %(id)s",
                "requests": 4,
            },
            "data": _DATA,
            "release": {"replicas": 3},
            "parity": {
                "home": {"kind": "settings", "env_file": str(lab.settings("home"))},
                "dr": {"kind": "settings", "env_file": str(lab.settings("dr"))},
                "own": ["DATABASE_URL"],
                "private_files": [str(lab.folder / ".pgpass")],
            },
            "certificates": {
                "service": {
                    "at": f"{HOST}:{lab.certificates.port}",
                    "name": NAME,
                    "ca_file": str(lab.certificates.ca_file),
                    "remaining": "14d",
                }
            },
            "outside": {
                "sent": {"mail": "SELECT count(*) FROM outbox WHERE sent >= %(since)s::timestamptz - '1h'::interval"}
            },
        },
    }


def _site(cluster: Cluster, secret: str, database: str) -> dict[str, str]:
    host = str(cluster.home).replace("/", "%2F")
    return {
        "database": f"postgresql://postgres@localhost:{cluster.port}/{database}?host={host}",
        "service_database": cluster.url(database, "service", secret),
    }


_JUDGMENT: dict[str, Any] = {
    "submit": "/api/v1/judgment/executions",
    "body": {"workflow_id": "line-quality", "input": {"temperature": 85}},
    "expect": {"result": "NORMAL"},
    "fields": ["version"],
    "id_field": "execution_id",
    "stored": "SELECT count(*) FROM judgments WHERE id = %(id)s",
}
_DECISIONS: dict[str, Any] = {
    "judgments": {
        name: {
            **_JUDGMENT,
            "body": {"workflow_id": name, "use_cache": False, "input": {"temperature": 95}},
            "expect": {"result": "STOP"},
            "delete": "/api/v1/judgment/executions/{id}",
        }
        for name in ("rule-only", "llm-only", "hybrid")
    },
    "messages": {
        "status": {
            "submit": "/api/v1/chat/messages",
            "body": {"text": "status of line 3"},
            "expect": {"intent": "machine_status"},
            "fields": ["reply"],
            "id_field": "message_id",
            "stored": "SELECT count(*) FROM messages WHERE id = %(id)s",
            "delete": "/api/v1/chat/messages/{id}",
        }
    },
    "charts": {"today": {"path": "/api/v1/bi/query?question=today"}},
}
_WORK: list[dict[str, Any]] = [
    {
        "name": name,
        "submit": "/api/v1/workflows",
        "body": {"workflow_id": name},
        "id_field": "instance_id",
        "status": "/api/v1/workflows/{id}",
        "succeeded": ["COMPLETED"],
        "failed": ["FAILED"],
        "delete": "/api/v1/workflows/{id}",
        "within": "2s",
    }
    for name in ("rca", "notification")
]
_DATA: dict[str, Any] = {
    "settled": "5s",
    "counts": {
        "judgments": {
            "sql": "SELECT count(*) FROM judgments WHERE at >= %(since)s AND at < %(until)s",
            "expected": ROWS,
            "tolerance": 0.2,
        }
    },
    "completed": {
        "sql": "SELECT status, count(*) FROM workflows WHERE at >= %(since)s AND at < %(until)s GROUP BY status",
        "least": 20,
    },
    "versions": {
        "sql": "SELECT DISTINCT version FROM judgments WHERE at >= %(since)s AND at < %(until)s",
        "expected": "v1.4.0",
        "last_good": "v1.3.0",
    },
    "totals": {"orders": "SELECT sum(amount) FROM orders WHERE at >= %(since)s AND at < %(until)s"},
    "reconciled": {"orders": {"sql": "SELECT id FROM orders", "queue": QUEUE}},
}
