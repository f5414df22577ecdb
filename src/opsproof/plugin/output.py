"""What a check prints and logs while it runs ahead lands in that check's report, and nowhere else."""

import contextlib
import io
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opsproof.evidence.recorder import recording
from opsproof.evidence.redaction import Redactor

ROUTED = "_opsproof_routed"

in_debugger = threading.Event()
"""Set while a person is at pdb's prompt; what is written then is for the person."""


def route(stream: object, redactor: Redactor | None = None) -> None:
    """
    Make a stream give what a check writes to the check's recorder; done once for every stream.

    Args:
        stream: Standard output or error, as it is now.
        redactor: Masks what others write; given where the stream is not captured.
    """
    if stream is None or hasattr(stream, ROUTED) or not isinstance(stream, io.TextIOBase):
        return
    setattr(stream, "write", _routing(stream.write, redactor))  # noqa: B010 - an instance's own method hides its class's
    setattr(stream, ROUTED, True)


def _routing(write: Callable[[str], int], redactor: Redactor | None) -> Callable[[str], int]:
    def routed(text: str) -> int:
        recorder = recording.get()
        if recorder is not None and not in_debugger.is_set():
            return recorder.output.write(text)
        return write(text if redactor is None else redactor.text(text))

    return routed


@contextlib.contextmanager
def check_logs(config: pytest.Config, redactor: Redactor) -> Iterator[None]:
    """
    Give every check its own log lines, from the first check that runs ahead to the last.

    pytest's own handlers get none of them: it knows only one test at a time, and installs its handlers, and the level
    that was asked for, only while it runs that one.
    """
    root, own = logging.getLogger(), CheckLog()
    plugin: Any = config.pluginmanager.get_plugin("logging-plugin")
    names = ("caplog_handler", "report_handler", "log_cli_handler", "log_file_handler")
    for handler in [*root.handlers, *(getattr(plugin, name) for name in names if plugin)]:
        handler.addFilter(NotFromChecks(redactor))
    before, asked = root.level, plugin.log_level if plugin else None
    if asked is not None:
        root.setLevel(min(before, asked))
    root.addHandler(own)
    try:
        yield
    finally:
        root.removeHandler(own)
        root.setLevel(before)


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
    """For all other handlers: a check's lines are kept elsewhere, and nothing secret is logged."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        """Drop the lines of checks; redact the others."""
        if recording.get() is not None:
            return False
        record.msg, record.args = self._redactor.text(record.getMessage()), None
        return True
