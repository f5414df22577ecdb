"""Ask structured logs: one JSON object a line, in a file."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Any, BinaryIO, Self

from opsproof.errors import NotObserved, PreconditionMissing, Unreachable
from opsproof.evidence.observer import Observer, Question
from opsproof.probes.fields import has_value
from opsproof.probes.probe import Probe
from opsproof.probes.reason import Reason
from opsproof.profile.targets import LogFileTarget

_POLL_SECONDS = 0.05
_MOST_LINES = 1000
_LONGEST_LINE = 1_000_000


class LogLines(list[dict[str, Any]]):
    """
    Log lines that were found, oldest first.

    Attributes:
        unparsed: How many of the lines that were read are no JSON objects.
    """

    unparsed: int = 0

    def to_json(self) -> dict[str, Any]:
        """The lines as evidence keeps them."""
        return {"lines": list(self), "unparsed": self.unparsed}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """The lines as evidence kept them."""
        lines = cls(kept["lines"])
        lines.unparsed = kept["unparsed"]
        return lines


class LogFileProbe(Probe):
    """Looks for lines in a log file; of a long file it reads the end."""

    def __init__(self, name: str, target: LogFileTarget, observer: Observer) -> None:
        super().__init__(name, target, observer)
        self._target = target

    async def find(self, fields: Mapping[str, Any], *, within: float = 5.0, fresh: bool = False) -> LogLines:
        """
        The lines that have all these fields with these values.

        It looks again and again until there is such a line or the time is up, and follows the file when it is rotated.

        Args:
            fields: Values by dotted name: `{"request_id": "...", "http.status": 404}`.
            within: Seconds that a line may take to arrive.
            fresh: True to look even if this sweep has looked for it before.

        Returns:
            The lines, oldest first, 1000 at most; none if there is none when the time is up.

        Raises:
            NotObserved: The file cannot be read; says why.
        """
        text = "lines with " + " ".join(f"{name}={json.dumps(value)}" for name, value in fields.items())
        tests = " and ".join(f"{_jq_path(name)} == {json.dumps(value)}" for name, value in fields.items())
        by_hand = (
            f"tail -c {self._target.tail_bytes} {quote(str(self._target.path))}"
            f" | jq -cR {quote(f'fromjson? | select({tests})')}"
        )

        async def fetch() -> LogLines:
            return await self._find(_Search(fields), within, text)

        limit = within + self.observer.timeout
        found = await self.observer.ask(Question(text, by_hand), fetch, LogLines, fresh=fresh, timeout=limit)
        return LogLines.from_json({"lines": [dict(line) for line in found], "unparsed": found.unparsed})

    async def _find(self, search: _Search, within: float, question: str) -> LogLines:
        until = time.monotonic() + within
        tail = _Tail(self._target.path, self._target.tail_bytes)
        try:
            while True:
                await asyncio.to_thread(search.read, tail)
                if search.found or time.monotonic() >= until:
                    return search.found
                await asyncio.sleep(_POLL_SECONDS)
        except OSError as exc:
            raise self._unreadable(exc, question) from None
        finally:
            tail.close()

    def _unreadable(self, exc: OSError, question: str) -> NotObserved:
        where = f"Correct the path of {self.name} in the profile, or let the system log to it: {self._target.path}"
        if isinstance(exc, FileNotFoundError):
            return self._error(Reason(Unreachable, "the log file is not there", where), question)
        if isinstance(exc, PermissionError):
            what, where = "the log file may not be read", "Give the user that runs opsproof the right to read it."
            return self._error(Reason(PreconditionMissing, what, where), question)
        said = exc.strerror or type(exc).__name__
        return self._error(Reason(PreconditionMissing, f"the log file cannot be read: {said}", where), question)


class _Tail:
    """The end of a file, and what is written to it from then on, also when it is rotated or cut."""

    def __init__(self, path: Path, most_bytes: int) -> None:
        self._path = path
        self._most_bytes = most_bytes
        self._file: BinaryIO | None = None
        self._rest = b""

    def lines(self) -> list[bytes]:
        """
        The whole lines that are new since the last call.

        Raises:
            OSError: The file cannot be read.
        """
        if self._file is None:
            self._open(max(0, self._path.stat().st_size - self._most_bytes))
        lines = self._read()
        if self._is_replaced():
            lines += self._read()
            self.close()
            self._open(0)
            lines += self._read()
        return lines

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self, position: int) -> None:
        self._file = self._path.open("rb")
        self._rest = b""
        if position:
            self._file.seek(position - 1)
            self._file.readline(_LONGEST_LINE)

    def _read(self) -> list[bytes]:
        assert self._file is not None
        if os.fstat(self._file.fileno()).st_size < self._file.tell():
            self._file.seek(0)
            self._rest = b""
        *lines, rest = (self._rest + self._file.read(self._most_bytes)).split(b"\n")
        self._rest = rest[:_LONGEST_LINE]
        return lines

    def _is_replaced(self) -> bool:
        assert self._file is not None
        try:
            now = self._path.stat()
        except FileNotFoundError:
            # Between the two steps of a rotation there is no file of that name.
            return False
        return not os.path.samestat(now, os.fstat(self._file.fileno()))


class _Search:
    """Picks out the lines that have all fields."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.found = LogLines()
        self._fields = fields
        # A line without a value's plain characters cannot match, and need not be parsed.
        self._marks = [
            str(value).encode()
            for value in fields.values()
            if isinstance(value, str) and value.isascii() and value.replace("-", "").replace("_", "").isalnum()
        ]

    def read(self, tail: _Tail) -> None:
        """
        Read on.

        Raises:
            OSError: The file cannot be read.
        """
        for line in tail.lines():
            text = line.strip()
            if not text:
                continue
            if not (text.startswith(b"{") and text.endswith(b"}")):
                self.found.unparsed += 1
            elif all(mark in text for mark in self._marks) and len(self.found) < _MOST_LINES:
                self._match(text)

    def _match(self, text: bytes) -> None:
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            self.found.unparsed += 1
            return
        if all(has_value(line, name, value) for name, value in self._fields.items()):
            self.found.append(line)


def _jq_path(name: str) -> str:
    return "." + "".join(f"[{part}]" if part.isdecimal() else f"[{json.dumps(part)}]" for part in name.split("."))
