"""The Celery worker of the evaluation service."""

import sys

from typing_extensions import override

from opsproof.stack.ask import ask
from opsproof.stack.parts.part import Launch, Part, Plan
from opsproof.stack.parts.service import CACHE_DATABASE, service_environment
from opsproof.stack.parts.valkey import cache_url

QUEUE = "evaluation"
_PING_SECONDS = 1.0


class EvaluationWorker(Part):
    """Ready when its API sees it (`background_tasks` of /health/detailed is healthy) and it answers Celery's ping."""

    name = "evaluation-worker"
    needs = ("valkey",)
    lets_go_first = ("postgres",)
    listens = False

    @override
    def launch(self, plan: Plan) -> Launch:
        argv = [sys.executable, "-m", "celery", "-A", "opsproof.stack.services.evaluation.worker", "worker"]
        argv += ["-P", "solo", "-Q", QUEUE, "-n", "worker1@%h", "--loglevel", "INFO"]
        return Launch(argv, plan.directory, service_environment(plan, "evaluation"))

    @override
    def missing(self, plan: Plan) -> str:
        answer = ask(f"http://{plan.address('evaluation-api')}/health/detailed")
        if answer is None or answer.status not in (200, 503):
            return "/health/detailed is not answered"
        found = answer.json() or {}
        status = found.get("components", {}).get("background_tasks", {}).get("status")
        if status != "healthy":
            return f"/health/detailed says background_tasks: {status}"
        return "" if _answers_ping(cache_url(plan, CACHE_DATABASE["evaluation"])) else "Celery's ping is not answered"

    @override
    def variables(self, plan: Plan) -> dict[str, str]:
        return {
            "EVALUATION_BROKER_URL": cache_url(plan, CACHE_DATABASE["evaluation"]),
            "EVALUATION_WORKER_LOG_FILE": str(self.log(plan)),
        }


def _answers_ping(broker: str) -> bool:
    """Whether a worker hears what is broadcast; after a loss of the broker it reports its life before it does."""
    from celery import Celery
    from kombu.exceptions import OperationalError
    from redis.exceptions import RedisError

    app = Celery("opsproof-stack", broker=broker, set_as_current=False)
    app.conf.broker_transport_options = {"socket_connect_timeout": _PING_SECONDS, "socket_timeout": _PING_SECONDS}
    try:
        return bool(app.control.ping(timeout=_PING_SECONDS, limit=1))
    except (OperationalError, RedisError, OSError):
        return False
    finally:
        app.close()
