"""The Celery worker of a system."""

import importlib
import sys

from typing_extensions import override

from opsproof.loading import load_celery
from opsproof.stack.ask import ask
from opsproof.stack.names import SUPERVISOR, package_of, prefix_of
from opsproof.stack.parts.part import Launch, Part, Plan
from opsproof.stack.parts.service import CACHE_DATABASE, service_environment
from opsproof.stack.parts.valkey import cache_url
from opsproof.stack.services.common.celery_names import CeleryNames

_PING_SECONDS = 1.0


class CeleryWorker(Part):
    """
    Ready when its API sees it (`background_tasks` of /health/detailed is healthy) and it answers Celery's ping.

    Args:
        system: Its folder has the modules `worker` and `queue_names`.
        pool: `solo` does one task at a time and answers no ping meanwhile; `threads` does several, and answers.
        concurrency: How many tasks at a time.
    """

    needs = ("valkey",)
    lets_go_first = ("postgres",)
    listens = False

    def __init__(self, system: str, *, pool: str = "solo", concurrency: int = 1) -> None:
        self.system = system
        self.name = f"{system}-worker"
        self._pool = ["-P", pool, "-c", str(concurrency)]

    @override
    def launch(self, plan: Plan) -> Launch:
        package = f"opsproof.stack.services.{package_of(self.system)}"
        names: CeleryNames = importlib.import_module(f"{package}.queue_names").NAMES
        argv = [sys.executable, "-m", "celery", "-A", f"{package}.worker", "worker", *self._pool]
        argv += ["-Q", ",".join(names.queues), "-n", "worker1@%h", "--loglevel", "INFO"]
        return Launch(argv, plan.directory, service_environment(plan, self.system))

    @override
    def missing(self, plan: Plan) -> str:
        url = f"http://{plan.address(f'{self.system}-api')}/health/detailed"
        answer = ask(url, headers={"User-Agent": SUPERVISOR})
        if answer is None or answer.status not in (200, 503):
            return "/health/detailed is not answered"
        found = answer.json() or {}
        status = found.get("components", {}).get("background_tasks", {}).get("status")
        if status != "healthy":
            return f"/health/detailed says background_tasks: {status}"
        return "" if _answers_ping(cache_url(plan, CACHE_DATABASE[self.system])) else "Celery's ping is not answered"

    @override
    def variables(self, plan: Plan) -> dict[str, str]:
        prefix = prefix_of(self.system)
        return {
            f"{prefix}_BROKER_URL": cache_url(plan, CACHE_DATABASE[self.system]),
            f"{prefix}_WORKER_LOG_FILE": str(self.log(plan)),
        }


def _answers_ping(broker: str) -> bool:
    """Whether a worker hears what is broadcast; after a loss of the broker it reports its life before it does."""
    celery = load_celery()
    from kombu.exceptions import OperationalError
    from redis.exceptions import RedisError

    app = celery("opsproof-stack", broker=broker, set_as_current=False)
    app.conf.broker_transport_options = {"socket_connect_timeout": _PING_SECONDS, "socket_timeout": _PING_SECONDS}
    try:
        return bool(app.control.ping(timeout=_PING_SECONDS, limit=1))
    except (OperationalError, RedisError, OSError):
        return False
    finally:
        app.close()
