"""What every probe has."""

from opsproof.errors import NotObserved
from opsproof.evidence.observer import Observer
from opsproof.probes.reason import Reason
from opsproof.profile.targets import Target


class Probe:
    """
    The client of one target. It reads; it never judges.

    Nothing is opened until the first question, and all questions come from one event loop.

    Args:
        name: Name of the target in the profile.
        target: The target as the profile describes it.
        observer: Asks on the probe's behalf, within budget and time limit, and keeps the evidence.
    """

    def __init__(self, name: str, target: Target, observer: Observer) -> None:
        self.name = name
        self.address = target.address
        self.observer = observer

    def __repr__(self) -> str:
        return f"<{self.name}: {self.address}>"

    @property
    def replays(self) -> bool:
        """True if answers come from an earlier run; nothing is sent then."""
        return self.observer.replays

    async def close(self) -> None:
        """Cancel what is under way and close every connection. A closed probe may be asked again."""
        await self.observer.close()
        await self._disconnect()

    async def _disconnect(self) -> None:
        """Close every connection."""

    def _error(self, reason: Reason, question: str) -> NotObserved:
        """The error of a question to this target."""
        where = self.observer.where(question)
        return reason.kind(reason.what, where=where, next_step=reason.next_step, target=self.name)
