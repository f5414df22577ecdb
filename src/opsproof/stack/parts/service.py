"""What the processes of one reference service have in common."""

import importlib.util
from pathlib import Path

from opsproof.stack.names import package_of
from opsproof.stack.parts.part import Plan
from opsproof.stack.parts.postgres import database_url
from opsproof.stack.parts.valkey import cache_url

CACHE_DATABASE = {"ingest": 0, "evaluation": 1, "storebridge": 2, "factory-ai": 3, "ops-assistant": 4}
CORE_PATH = {
    "ingest": "/api/v1/items",
    "evaluation": "/api/v1/jobs",
    "storebridge": "/v1/products",
    "factory-ai": "/api/v1/workflows",
    "ops-assistant": "/api/ops/history",
}
USERS_PER_SECOND = 4
VERSION = "1.0.0"
COMMIT = "3f1c2ab0d94e5f60718293a4b5c6d7e8f9012345"
DEFECTS_FILE = "defects.json"


def service_environment(plan: Plan, system: str) -> dict[str, str]:
    """Settings of a reference service; its API and its worker have the same."""
    return {
        "APP_VERSION": VERSION,
        "APP_COMMIT": COMMIT,
        "DATABASE_URL": database_url(plan, system),
        "REDIS_URL": cache_url(plan, CACHE_DATABASE[system]),
        "API_KEY": plan.secrets[f"{system}.api-key"],
        "PROBE_API_KEY": plan.secrets[f"{system}.probe-api-key"],
        "JWT_SECRET": plan.secrets[f"{system}.jwt"],
        "POSTGRES_PASSWORD": plan.secrets[f"{system}.database"],
        "MAX_REQUEST_BODY_BYTES": "65536",
        "MAX_REQUEST_BODY_SECONDS": "2",
        "INGEST_MAX_BATCH_ITEMS": "100",
        "JOB_RUNNER_MODE": "celery",
        "DEFECTS_FILE": str(plan.directory / DEFECTS_FILE),
        "USERS_PER_SECOND": str(USERS_PER_SECOND),
        "INSTANCE": f"{system}-1",
    }


def migrations_folder(system: str) -> Path:
    """Alembic's folder of a reference service."""
    spec = importlib.util.find_spec("opsproof.stack.services")
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) / package_of(system) / "migrations"
