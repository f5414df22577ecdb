"""What a task makes of an answer: one that is not what was asked for is a failed request, whatever its status."""

import random
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from locust.exception import RescheduleTask

Row = TypeVar("Row")


class NothingToDo(RescheduleTask):
    """
    Raised by a task that cannot do what it is for: there is nothing that it could look at.

    The load is then another one than was planned, and a benchmark in which that happens often passes nothing.

    Args:
        why: In few words, without ids: "there is no item".
    """


def one_of(rows: Sequence[Row], why_none: str) -> Row:
    """
    One of the rows of an answer, by chance.

    Args:
        rows: To choose from.
        why_none: What it means if there are none.

    Raises:
        NothingToDo: There are none.
    """
    if not rows:
        raise NothingToDo(why_none)
    return random.choice(rows)  # noqa: S311


def body_of(answer: Any, wrong: Callable[[Any], str] | None = None, status: int = 200) -> Any:
    """
    The body of an answer. The request fails if the status is another one, the body is no JSON, or it is wrong.

    Nothing is raised for what a target answers: an error in a task would stand for the generator, not for the target.

    Args:
        answer: Of a request with `name=` and `catch_response=True`.
        wrong: Says in few words what is wrong with the body; "" if nothing. Without ids: failures are counted by their
            text. It may take the body for well formed; an error while it looks says that it is not. Left out, the body
            does not matter.
        status: That a good answer has.

    Returns:
        The body; None if the request failed, or the body does not matter.
    """
    with answer as response:
        if not response.status_code:  # no answer at all; Locust knows why
            return None
        if response.status_code != status:
            response.failure(f"status {response.status_code} instead of {status}")
            return None
        if wrong is None:
            return None
        try:
            body = response.json()
        except (TypeError, ValueError):
            response.failure("the body is no JSON")
            return None
        try:
            said = wrong(body)
        except (AttributeError, LookupError, TypeError) as error:
            said = f"the body has another shape: {error!r}"
        if said:
            response.failure(said)
            return None
        return body
