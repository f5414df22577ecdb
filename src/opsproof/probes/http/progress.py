"""How far a request has come."""

from dataclasses import dataclass

from typing_extensions import override

from opsproof.errors import TimedOut
from opsproof.probes.progress import Progress
from opsproof.probes.reason import Reason


@dataclass(slots=True)
class RequestProgress(Progress):
    """
    How far a request has come.

    Attributes:
        new_connection: True if it goes over a connection that was made for it.
        status: Status code of the answer that has begun, or 0.
        bytes: Bytes of its body that have come.
    """

    new_connection: bool = False
    status: int = 0
    bytes: int = 0

    @override
    def overdue(self, seconds: float) -> Reason:
        if self.connecting or not self.status:
            return Progress.overdue(self, seconds)
        return Reason(
            TimedOut,
            f"the answer did not end within {seconds:g} s: status {self.status} and {self.bytes} bytes had come",
            "See whether the target streams here without end, or is overloaded; ask again by hand.",
        )
