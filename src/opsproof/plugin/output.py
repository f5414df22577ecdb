"""What a check prints and logs while it runs ahead lands in that check's report, and nowhere else."""

import io
import logging
import threading
from collections.abc import Callable

from opsproof.evidence.recorder import recording
from opsproof.evidence.redaction import Redactor

ROUTED = "_opsproof_routed"

in_debugger = threading.Event()
"""Set while a person is at pdb's prompt; what is written then is for the person."""


def route(stream: object) -> None:
    """Make a stream give what a check writes to the check's recorder; done once for every stream."""
    if stream is None or hasattr(stream, ROUTED) or not isinstance(stream, io.TextIOBase):
        return
    setattr(stream, "write", _routing(stream.write))  # noqa: B010 - an instance's own method hides its class's
    setattr(stream, ROUTED, True)


def _routing(write: Callable[[str], int]) -> Callable[[str], int]:
    def routed(text: str) -> int:
        recorder = recording.get()
        return write(text) if recorder is None or in_debugger.is_set() else recorder.output.write(text)

    return routed


class CheckLog(logging.Handler):
    """Keeps a check's log lines with what it prints."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line to the recorder of the check that logged it."""
        recorder = recording.get()
        if recorder is not None:
            recorder.output.write(self.format(record) + "\n")


class NotFromChecks(logging.Filter):
    """For pytest's own handlers: a check's lines are kept elsewhere, and nothing secret is logged."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        """Drop the lines of checks; redact the others."""
        if recording.get() is not None:
            return False
        record.msg, record.args = self._redactor.text(record.getMessage()), None
        return True
