"""Why a question has no answer."""

from typing import NamedTuple

from opsproof.errors import NotObserved


class Reason(NamedTuple):
    """
    Why a question has no answer.

    Attributes:
        kind: Class of the error.
        what: What is wrong, in an operator's words.
        next_step: What to do about it.
    """

    kind: type[NotObserved]
    what: str
    next_step: str
