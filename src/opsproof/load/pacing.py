"""
What is changed in Locust's classes of this process: tasks wait for arrivals, and requests are seen when they are sent.

Locust has an event for a request that ended, and none for one that begins; and its users wait between their own tasks,
so that a slow target gets less load. Both are why its numbers look better than what people had to wait.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

import gevent
from locust.clients import HttpSession, absolute_http_url_regexp
from locust.contrib.fasthttp import FastHttpSession
from locust.env import Environment
from locust.exception import StopUser
from locust.user.task import LOCUST_STATE_STOPPING, TaskSet

from opsproof.errors import Refused
from opsproof.load.answers import NothingToDo
from opsproof.load.generator import Generator

_QUESTIONS = ("GET", "HEAD", "OPTIONS")


class UntaggedChange(Exception):
    """A task without the tag `read` is about to change something, where there may be no writes."""


def pace(
    generator: Generator,
    address: str,
    headers: Mapping[str, str],
    defaults: Mapping[str, Any],
    may_change: Callable[[], bool],
) -> None:
    """
    Let a generator pace all tasks and see all requests of this process; once.

    Args:
        generator: Who does.
        address: Of the target.
        headers: Sent with every request to the target that does not set them itself.
        defaults: Arguments of a request by HttpUser that does not name them: `timeout`, `verify`.
        may_change: Whether what this greenlet sends now may be other than GET, HEAD and OPTIONS.
    """
    _pace_tasks(generator)
    _see_requests(FastHttpSession, generator, address, headers, {}, may_change)
    _see_requests(HttpSession, generator, address, headers, defaults, may_change)


def _pace_tasks(generator: Generator) -> None:
    locust: Any = TaskSet
    execute = locust.execute_next_task

    @wraps(execute)
    def execute_next_task(tasks: TaskSet) -> None:
        task = tasks._task_queue[0]
        if isinstance(task, type) and issubclass(task, TaskSet):
            execute(tasks)
            return
        arrival = generator.take_arrival(tasks, frozenset(getattr(task, "locust_tag_set", ())))
        raised, idle = True, ""
        try:
            execute(tasks)
            raised = False
        except NothingToDo as exc:
            idle = str(exc)
            raise
        finally:
            generator.finish_arrival(arrival, raised=raised, idle=idle)

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
    may_change: Callable[[], bool],
) -> None:
    request: Any = session.request

    @wraps(request)
    def seen(self: Any, method: str, url: str, name: str | None = None, **kwargs: Any) -> Any:
        if headers and _goes_to(url, address):
            kwargs["headers"] = {**headers, **(kwargs.get("headers") or {})}
        for key, value in defaults.items():
            kwargs.setdefault(key, value)
        if method.upper() not in _QUESTIONS and not may_change():
            raise UntaggedChange(f"{method} {name or url}: tag the task `write`, or `read` if it changes nothing")
        generator.send(f"{method} {name or self.request_name or url}")
        return request(self, method, url, name, **kwargs)

    session.request = seen


def _goes_to(url: str, address: str) -> bool:
    """False if it is an absolute url that leads elsewhere: nobody else gets the credentials."""
    if not absolute_http_url_regexp.match(url):
        return True
    there, ours = urlsplit(url), urlsplit(address)
    return (there.scheme, there.netloc) == (ours.scheme, ours.netloc)


def leave_out_without_tasks(environment: Environment, chosen: str) -> None:
    """
    Leave out users of whose tasks none may run: all write, where there may be no writes, or the operator chose others.

    Args:
        environment: Locust's.
        chosen: The options by which the operator left tasks out, or "".

    Raises:
        Refused: No user is left.
    """
    environment._filter_tasks_by_tags()
    environment.user_classes[:] = [user for user in environment.user_classes if user.tasks]
    if not environment.user_classes and chosen:
        raise Refused(
            f"no user has a task that may run: {chosen} leaves out all of them",
            where=chosen,
            next_step="Correct the tag, also in LOCUST_TAGS and LOCUST_EXCLUDE_TAGS; without them all tasks take part.",
        )
    if not environment.user_classes:
        raise Refused(
            "no user has a task that may run: all have the tag write",
            where="--allow-writes",
            next_step="Repeat the environment's name to let them take part: --allow-writes ENVIRONMENT",
        )


def users_in_words(environment: Environment) -> str:
    """Which users take part, and with which tasks, in a line."""
    return "; ".join(
        f"{user.__name__} ({user.weight}): {', '.join(sorted(getattr(task, '__name__', '?') for task in user.tasks))}"
        for user in environment.user_classes
    )
