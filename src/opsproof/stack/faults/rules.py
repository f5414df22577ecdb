"""The fault of alert rules that are not loaded: nobody is told, whatever the numbers say."""

import signal
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from opsproof.stack.faults.fault import Fault
from opsproof.stack.parts.prometheus import home_of, question
from opsproof.stack.stack import Stack


@dataclass(frozen=True)
class RulesMissing(Fault):
    """Prometheus has read its configuration again, and the rule files were not there."""

    name: str
    title: str
    systems: frozenset[str]
    group: str = "metrics"
    part: str = "prometheus"

    @override
    def inject(self, stack: Stack) -> None:
        _folder(stack).rename(_aside(stack))
        _folder(stack).mkdir()
        self._reload(stack)

    @override
    def in_force(self, stack: Stack) -> bool:
        return question(stack.plan, "rules").get("groups") == []

    @override
    def gone(self, stack: Stack) -> bool:
        expected = bool(list(_folder(stack).iterdir()))
        return bool(question(stack.plan, "rules").get("groups")) == expected

    @override
    def heal(self, stack: Stack) -> None:
        if _aside(stack).exists():
            if _folder(stack).exists():
                _folder(stack).rmdir()
            _aside(stack).rename(_folder(stack))
        self._reload(stack)

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        pid = stack.state.parts[self.part].process.pid
        return f"mv {_aside(stack)}/* {_folder(stack)}/ && kill -HUP {pid}"

    def _reload(self, stack: Stack) -> None:
        stack.state.parts[self.part].process.send(signal.SIGHUP)


def _folder(stack: Stack) -> Path:
    return home_of(stack.plan) / "rules"


def _aside(stack: Stack) -> Path:
    return home_of(stack.plan) / "rules-aside"
