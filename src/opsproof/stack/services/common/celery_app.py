"""A system's Celery application, as the API (which sends) and the worker (which works) both see it."""

from __future__ import annotations

from celery import Celery

from opsproof.stack.services.common.celery_names import CeleryNames


def build_queue(names: CeleryNames, redis_url: str, *, results: bool) -> Celery:
    """
    The application; only JSON is sent or accepted.

    Args:
        names: What the system's API and worker share.
        redis_url: The broker, and the result backend too.
        results: Whether this process stores or reads results. The API does neither: it would hold one subscription
            for every job that it sends.
    """
    queue = Celery(names.system, broker=redis_url, backend=redis_url if results else None)
    queue.conf.update(
        task_default_queue=names.queues[0],
        task_serializer="json",
        result_serializer="json",
        accept_content=["json"],
        result_expires=300,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"visibility_timeout": 10, "socket_timeout": 2, "socket_connect_timeout": 1},
        redis_socket_timeout=2,
        redis_socket_connect_timeout=1,
        worker_consumer="opsproof.stack.services.common.celery_consumer:PromptConsumer",
    )
    return queue
