"""What became of a request on the wire, the same live and from evidence."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, Literal, Self

from opsproof.probes.fields import FieldMissing, field

End = Literal["answered", "reset", "closed", "garbled", "silent", "cut"]
"""
How it ended: a whole answer; the connection was reset before one; it was closed before one; what came is no HTTP;
nothing came in time; an answer began and did not come to its end.
"""

KEPT_BYTES = 1024
"""How much of an answer's body is kept."""

_ENDS = {
    "reset": "a reset connection without an answer",
    "closed": "a closed connection without an answer",
    "garbled": "something that is no HTTP",
    "silent": "no answer at all",
}


@dataclass(frozen=True, slots=True)
class WireAnswer:
    """
    What became of a request.

    Attributes:
        question: What was sent.
        end: How it ended.
        status: Status code, or 0.
        headers: Header values by lower-case name.
        text: The beginning of the body.
        elapsed: Seconds from the head of the request to the head of the answer, or to the end.
        early: Bytes of the body that had been sent when the answer began, or at the end.
        sent: Bytes of the body that were sent in all.
        whole: True if the whole body was sent.
        continued: True if `100 Continue` came.
        after: What came of the connection: status of a GET that was sent over it next; 0 if it was closed, -1 if it was
            open and silent, -2 if something else than HTTP followed; None if it was not tried.
    """

    question: str
    end: End
    status: int
    headers: Mapping[str, str]
    text: str
    elapsed: float
    early: int
    sent: int
    whole: bool
    continued: bool
    after: int | None

    @property
    def ok(self) -> bool:
        """True for a whole answer with a status from 200 to 299."""
        return self.end == "answered" and 200 <= self.status < 300

    @property
    def says(self) -> str:
        """`413 Request Entity Too Large after 0 bytes in 3 ms`, or how it ended without an answer."""
        time = f"in {self.elapsed * 1000:.0f} ms"
        if self.end == "answered":
            return f"{self.status_line} {time}"
        if self.end == "cut":
            return f"{self.status_line}, cut off in the middle, {time}"
        return f"{_ENDS[self.end]} {time}"

    @property
    def status_line(self) -> str:
        """`413 Request Entity Too Large`."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return str(self.status)

    def field(self, name: str) -> Any:
        """A part of the JSON body by its dotted name; None if the body is no JSON or has no such part."""
        try:
            return field(json.loads(self.text), name)
        except (ValueError, RecursionError, FieldMissing):
            return None

    def to_json(self) -> dict[str, Any]:
        """The answer as evidence keeps it."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """The answer as evidence kept it."""
        return cls(**kept)
