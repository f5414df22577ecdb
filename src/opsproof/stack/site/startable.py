"""What is started as a whole, and ends as a whole."""

from types import TracebackType
from typing import Self


class Startable:
    """A context manager whose parts all run inside of the block, and none after it."""

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:  # also Ctrl-C: nothing that was started may stay
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every process of it; the files go with the grounds."""
        raise NotImplementedError

    def _start(self) -> None:
        """Start every part, and wait until it can be used. Raises StackError."""
        raise NotImplementedError
