"""How far a request has come, and why it came no further."""

from dataclasses import dataclass

from opsproof.errors import NotObserved, TimedOut, Unreachable


@dataclass(frozen=True, slots=True)
class Reason:
    """Why there is no answer: the class of error, its words, and what to do."""

    kind: type[NotObserved]
    what: str
    next_step: str


@dataclass(slots=True)
class Progress:
    """
    How far a request has come.

    Attributes:
        connecting: True while a connection is being made.
        new_connection: True if it goes over a connection that was made for it.
        status: Status code of the answer that has begun, or 0.
        bytes: Bytes of its body that have come.
    """

    connecting: bool = False
    new_connection: bool = False
    status: int = 0
    bytes: int = 0

    def overdue(self, seconds: float) -> Reason:
        """Why there is no answer when the time is up."""
        if self.connecting:
            return Reason(
                Unreachable,
                f"no connection within {seconds:g} s",
                "Check the url of the profile, and firewall and VPN between here and there.",
            )
        if self.status:
            return Reason(
                TimedOut,
                f"the answer did not end within {seconds:g} s: status {self.status} and {self.bytes} bytes had come",
                "See whether the target streams here without end, or is overloaded; ask again by hand.",
            )
        return Reason(
            TimedOut,
            f"connected, but no answer within {seconds:g} s",
            "See whether the target is overloaded, frozen or waiting for something else; ask again by hand.",
        )
