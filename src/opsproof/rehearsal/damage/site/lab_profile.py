"""What a lab's profile says of its site, as YAML would have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opsproof.rehearsal.damage.site.service import PREFIX, QUEUE
from opsproof.stack.clusters import Cluster
from opsproof.stack.ports import HOST

if TYPE_CHECKING:
    from opsproof.rehearsal.damage.site.lab import SiteLab

NAME = "api.rehearsal.test"
SERVICE = "_postgresql._tcp.db.rehearsal.test"
ALIAS = "www.rehearsal.test"
HOME_ADDRESS = "127.0.0.3"
"""Of this machine as well, and nobody listens there."""


def profile_of(lab: SiteLab) -> dict[str, Any]:
    """The section `rehearsals`."""
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
DECISIONS: dict[str, Any] = {
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
WORK: list[dict[str, Any]] = [
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
            "expected": 1000,
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
