"""Cleaning up what a check wrote, and seeing that it is gone."""

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

from opsproof.errors import OpsproofError


@dataclass
class CleanUp:
    """
    What a check must take back, whatever becomes of it.

    Attributes:
        left: What is still there after cleaning up, or may be, with the reason.
        seen: True if something was seen to be still there.
    """

    left: list[str] = field(default_factory=list)
    seen: bool = False
    _steps: list[tuple[str, Callable[[], object], Callable[[], object]]] = field(default_factory=list)

    def add(self, what: str, remove: Callable[[], object], gone: Callable[[], object]) -> None:
        """
        Register something that was, or is about to be, written.

        Args:
            what: Its name, as a person would look for it.
            remove: Takes it away; what it returns is awaited where it can be.
            gone: Asks the target whether it is gone; true, or an awaitable of it.
        """
        self._steps.append((what, remove, gone))

    async def run(self) -> None:
        """Take everything back, the last first."""
        while self._steps:
            what, remove, gone = self._steps[-1]
            try:
                await _outcome(remove)
                if not await _outcome(gone):
                    self.seen = True
                    self.left.append(f"{what} is still there")
            except Exception as exc:  # noqa: BLE001 - the other steps must run, and the reason is reported
                self.left.append(f"{what} ({told(exc)})")
            self._steps.pop()

    @property
    def pending(self) -> list[str]:
        """What has not been taken back yet."""
        return [what for what, _, _ in self._steps]

    def give_up(self, why: str) -> None:
        """Note what has not been taken back, with the reason."""
        self.left += [f"{what}: {why}" for what, _, _ in reversed(self._steps)]
        self._steps.clear()


def told(error: BaseException) -> str:
    """An error in a line: what it says, without where and what next."""
    return error.what if isinstance(error, OpsproofError) else str(error) or type(error).__name__


async def _outcome(step: Callable[[], object]) -> object:
    result = step()
    return await result if inspect.isawaitable(result) else result


cleaning: ContextVar[CleanUp | None] = ContextVar("opsproof_cleaning", default=None)
"""The clean-up of the check whose code is running, if it writes."""
