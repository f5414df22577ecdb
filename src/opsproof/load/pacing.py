"""
What is changed in Locust's classes of this process: tasks wait for arrivals, and requests are seen when they are sent.

Locust has an event for a request that ended, and none for one that begins; and its users wait between their own tasks,
so that a slow target gets less load. Both are why its numbers look better than what people had to wait.
"""

from collections.abc import Mapping
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

import gevent
from locust.clients import HttpSession, absolute_http_url_regexp
from locust.contrib.fasthttp import FastHttpSession
from locust.exception import StopUser
from locust.user.task import LOCUST_STATE_STOPPING, TaskSet

from opsproof.load.generator import Generator


def pace(generator: Generator, address: str, headers: Mapping[str, str], defaults: Mapping[str, Any]) -> None:
    """
    Let a generator pace all tasks and see all requests of this process; once.

    Args:
        generator: Who does.
        address: Of the target.
        headers: Sent with every request to the target that does not set them itself.
        defaults: Arguments of a request by HttpUser that does not name them: `timeout`, `verify`.
    """
    _pace_tasks(generator)
    _see_requests(FastHttpSession, generator, address, headers, {})
    _see_requests(HttpSession, generator, address, headers, defaults)


def _pace_tasks(generator: Generator) -> None:
    locust: Any = TaskSet
    execute = locust.execute_next_task

    @wraps(execute)
    def execute_next_task(tasks: TaskSet) -> None:
        task = tasks._task_queue[0]
        if isinstance(task, type) and issubclass(task, TaskSet):
            execute(tasks)
            return
        arrival, raised = generator.take_arrival(tasks), True
        try:
            execute(tasks)
            raised = False
        finally:
            generator.finish_arrival(arrival, raised=raised)

    def wait(tasks: TaskSet) -> None:
        """Arrivals say when to go on; only see whether the user is to end, and let others run."""
        gevent.sleep(0)
        if tasks.user._state == LOCUST_STATE_STOPPING:
            raise StopUser

    locust.execute_next_task = execute_next_task
    locust.wait = wait


def _see_requests(
    session: Any,
    generator: Generator,
    address: str,
    headers: Mapping[str, str],
    defaults: Mapping[str, Any],
) -> None:
    request: Any = session.request

    @wraps(request)
    def seen(self: Any, method: str, url: str, name: str | None = None, **kwargs: Any) -> Any:
        if headers and _goes_to(url, address):
            kwargs["headers"] = {**headers, **(kwargs.get("headers") or {})}
        for key, value in defaults.items():
            kwargs.setdefault(key, value)
        generator.send(f"{method} {name or self.request_name or url}")
        return request(self, method, url, name, **kwargs)

    session.request = seen


def _goes_to(url: str, address: str) -> bool:
    """False if it is an absolute url that leads elsewhere: nobody else gets the credentials."""
    if not absolute_http_url_regexp.match(url):
        return True
    there, ours = urlsplit(url), urlsplit(address)
    return (there.scheme, there.netloc) == (ours.scheme, ours.netloc)
