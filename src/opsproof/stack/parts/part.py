"""What every part of the stack is made of: one class a kind of process, one module a class."""

import signal
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from opsproof.stack.ports import HOST


@dataclass(frozen=True)
class Plan:
    """
    What is settled before the first process starts.

    Args:
        directory: The stack's folder.
        systems: Systems that the stack runs.
        ports: Port by part.
        secrets: Random credentials by name (see `credentials`).
    """

    directory: Path
    systems: tuple[str, ...]
    ports: Mapping[str, int]
    secrets: Mapping[str, str]

    def address(self, part: str) -> str:
        """host:port of a part."""
        return f"{HOST}:{self.ports[part]}"

    def has(self, part: str) -> bool:
        """Whether the stack has a part that listens; it is left out where this machine has no program for it."""
        return part in self.ports


@dataclass(frozen=True)
class Launch:
    """
    How to start a process.

    Args:
        env: Added to the little that every part inherits.
        user: (uid, gid) to run as; None for the owner of the stack.
    """

    argv: list[str]
    cwd: Path
    env: dict[str, str] = field(default_factory=dict)
    user: tuple[int, int] | None = None


class Part(ABC):
    """
    One process of the stack.

    Attributes:
        name: Name in stack.json, in `parts()` and of the log file.
        needs: Parts that must answer before this one is prepared; fewer means a faster start.
        lets_go_first: Parts whose preparation this one must not slow down, because everybody waits for them in the end.
        listens: Whether it needs a port.
        once: Whether it is a task that ends by itself (with status 0) instead of a server.
        stop_signal: What asks it to end in order.
    """

    name: str
    needs: tuple[str, ...] = ()
    lets_go_first: tuple[str, ...] = ()
    listens: bool = True
    once: bool = False
    stop_signal: int = signal.SIGTERM

    @property
    def port_names(self) -> tuple[str, ...]:
        """The names in `Plan.ports` of what it listens on; its own name is the first."""
        return (self.name,) if self.listens else ()

    def absent(self) -> str:
        """Why this machine cannot run it, and what to do about it; the stack then starts without. "" when it can."""
        return ""

    def prepare(self, plan: Plan) -> None:
        """Make what must be there before the first start (folders, files, an empty database cluster)."""
        return

    @abstractmethod
    def launch(self, plan: Plan) -> Launch:
        """How to start it."""

    @abstractmethod
    def missing(self, plan: Plan) -> str:
        """What keeps it from being ready, asked for real; "" when it is ready. Answers within about 2 seconds."""

    def provision(self, plan: Plan) -> None:
        """Make what can only be made once it answers, on the first start (roles, databases)."""
        return

    def variables(self, plan: Plan) -> dict[str, str]:
        """What profiles may refer to; also asked of a part that was left out (see `Plan.has`)."""
        return {}

    def log(self, plan: Plan) -> Path:
        """Where its output goes."""
        return plan.directory / f"{self.name}.log"
