"""How far a question has come."""

from dataclasses import dataclass

from opsproof.errors import TimedOut, Unreachable
from opsproof.probes.reason import Reason


@dataclass(slots=True)
class Progress:
    """
    How far a question has come.

    Attributes:
        connecting: True while a connection is being made.
    """

    connecting: bool = False

    def overdue(self, seconds: float) -> Reason:
        """Why there is no answer when the time is up."""
        if self.connecting:
            return Reason(
                Unreachable,
                f"no connection within {seconds:g} s",
                "Check its address in the profile, and firewall and VPN between here and there; it may be frozen.",
            )
        return Reason(
            TimedOut,
            f"connected, but no whole answer within {seconds:g} s",
            "See whether the target is overloaded, frozen or waiting for something else; ask again by hand.",
        )
