"""Numbers of a host, and the programs that may be run there to read them."""

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from opsproof.profile.targets import Section

READING_PROGRAMS = frozenset(
    {"cat", "df", "du", "findmnt", "free", "getconf", "ls", "lsblk", "nproc", "pgrep", "ps", "stat", "uptime", "wc"}
)
"""Programs none of whose options changes anything."""

_READABLE = ("/proc/", "/sys/")
"""What `cat` may show: the kernel's own numbers, which hold nobody's secrets."""


class HostNumber(Section):
    """A number of a host: exactly one of its keys; `pattern` belongs to `command`."""

    disk_used: str | None = Field(None, description="Share of the file system in use that holds this path, as df says.")
    memory_used: Literal[True] | None = Field(None, description="Share of the memory that is not available.")
    load: Literal[True] | None = Field(None, description="Load of the last minute for each processor.")
    file_age: str | None = Field(None, description="Seconds since this file was last written.")
    command: tuple[str, ...] | None = Field(
        None, description="A program that only reads, and its arguments; no shell: [pgrep, -c, postgres]."
    )
    pattern: str = Field(
        r"-?\d+(?:\.\d+)?", description="Regular expression that finds the number in the output; its group, if any."
    )

    @field_validator("command")
    @classmethod
    def _only_reads(cls, command: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if command is None:
            return None
        if not command or command[0] not in READING_PROGRAMS:
            raise ValueError(f"expected a program that only reads: {', '.join(sorted(READING_PROGRAMS))}")
        if command[0] == "cat" and not all(_is_readable(path) for path in command[1:]):
            raise ValueError(f"expected `cat` with files below {' or '.join(_READABLE)} alone")
        return command

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            groups = re.compile(pattern).groups
        except re.error as exc:
            raise ValueError(f"expected a regular expression: {exc}") from None
        if groups > 1:
            raise ValueError("expected a regular expression with one group at most")
        return pattern

    @model_validator(mode="after")
    def _one(self) -> Self:
        ways = ("disk_used", "memory_used", "load", "file_age", "command")
        if sum(getattr(self, way) is not None for way in ways) != 1:
            raise ValueError(f"expected exactly one of {', '.join(f'`{way}`' for way in ways)}")
        return self


def _is_readable(path: str) -> bool:
    return path.startswith(_READABLE) and ".." not in path.split("/")
