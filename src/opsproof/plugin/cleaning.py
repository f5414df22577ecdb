"""Cleaning up what a check wrote, and seeing that it is gone."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass
class CleanUp:
    """What a check must take back, whatever becomes of it."""

    _steps: list[tuple[str, Callable[[], Awaitable[object]], Callable[[], Awaitable[bool]]]] = field(
        default_factory=list
    )

    def add(self, what: str, remove: Callable[[], Awaitable[object]], gone: Callable[[], Awaitable[bool]]) -> None:
        """
        Register something that was, or is about to be, written.

        Args:
            what: Its name, as a person would look for it.
            remove: Takes it away.
            gone: Asks the target whether it is gone.
        """
        self._steps.append((what, remove, gone))

    async def run(self) -> list[str]:
        """Take everything back, the last first; returns what is still there, with the reason."""
        left = []
        while self._steps:
            what, remove, gone = self._steps.pop()
            try:
                await remove()
                if not await gone():
                    left.append(f"{what} is still there")
            except Exception as exc:  # noqa: BLE001 - the other steps must run, and the reason is reported
                left.append(f"{what}: {type(exc).__name__}: {exc}")
        return left


cleaning: ContextVar[CleanUp | None] = ContextVar("opsproof_cleaning", default=None)
"""The clean-up of the check whose code is running, if it writes."""
