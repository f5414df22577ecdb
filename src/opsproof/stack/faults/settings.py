"""Faults of settings: APIs run with another environment, or callers have other credentials."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from opsproof.stack.ask import ask
from opsproof.stack.control import restart_part
from opsproof.stack.faults.fault import Fault
from opsproof.stack.names import prefix_of
from opsproof.stack.stack import Stack, write_variables
from opsproof.stack.state import StackState, edit_state

Settings = Mapping[str, str | None]


def unchanged(system: str, settings: Settings) -> dict[str, str]:
    """Callers keep the variables that they have."""
    return {}


@dataclass(frozen=True)
class SettingsChanged(Fault):
    """
    The APIs run with changed environment variables, seen in /proc/PID/environ of an API that answers.

    Args:
        settings: Makes the changes for one system; None takes a variable away.
        variables: Makes what callers get instead, from the system and its changed settings.
    """

    name: str
    title: str
    systems: frozenset[str]
    settings: Callable[[], Settings]
    variables: Callable[[str, Settings], dict[str, str]] = unchanged
    group: str = "settings"

    @override
    def inject(self, stack: Stack) -> None:
        with edit_state(stack.directory) as state:
            note = state.faults[self.name]
            for system in sorted(self.systems.intersection(state.systems)):
                changes = self.settings()
                note.env[f"{system}-api"] = dict(changes)
                note.variables |= self.variables(system, changes)
            write_variables(stack.directory, state)
        self._restart(stack)

    @override
    def in_force(self, stack: Stack) -> bool:
        state = stack.state
        return bool(state.faults[self.name].env) and self._apis_run_as_noted(stack, state)

    @override
    def gone(self, stack: Stack) -> bool:
        state = stack.state
        return not state.faults[self.name].env and self._apis_run_as_noted(stack, state)

    @override
    def heal(self, stack: Stack) -> None:
        with edit_state(stack.directory) as state:
            note = state.faults[self.name]
            note.env, note.variables = {}, {}
            write_variables(stack.directory, state)
        self._restart(stack)

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        return f"opsproof stack down --name {stack.name}, then start it again"

    def _apis(self, state: StackState) -> list[str]:
        return [f"{system}-api" for system in state.systems if system in self.systems]

    def _restart(self, stack: Stack) -> None:
        for part in self._apis(stack.state):
            restart_part(stack.directory, part)

    def _apis_run_as_noted(self, stack: Stack, state: StackState) -> bool:
        return all(
            _environment(state.parts[part].process.pid) == state.environment_of(part)
            and ask(f"http://{state.parts[part].address}/health/live") is not None
            for part in self._apis(state)
        )


@dataclass(frozen=True)
class CallersChanged(Fault):
    """
    Callers have other credentials; the services are untouched. Seen as the services' refusal (401).

    Args:
        path: By system, a path that wants a credential.
        variables: Makes what callers get instead, from the system and its JWT secret.
    """

    name: str
    title: str
    systems: frozenset[str]
    path: Mapping[str, str]
    variables: Callable[[str, str], dict[str, str]]
    group: str = "settings"

    @override
    def inject(self, stack: Stack) -> None:
        with edit_state(stack.directory) as state:
            for system in sorted(self.systems.intersection(state.systems)):
                state.faults[self.name].variables |= self.variables(system, state.secrets[f"{system}.jwt"])
            write_variables(stack.directory, state)

    @override
    def in_force(self, stack: Stack) -> bool:
        return all(status == 401 for status in self._statuses(stack))

    @override
    def gone(self, stack: Stack) -> bool:
        return all(status not in (0, 401) for status in self._statuses(stack))

    @override
    def heal(self, stack: Stack) -> None:
        with edit_state(stack.directory) as state:
            state.faults[self.name].variables = {}
            write_variables(stack.directory, state)

    @override
    def undo_by_hand(self, stack: Stack) -> str:
        return f"opsproof stack down --name {stack.name}, then start it again"

    def _statuses(self, stack: Stack) -> list[int]:
        variables = stack.variables
        statuses = []
        for system in sorted(self.systems.intersection(stack.state.systems)):
            prefix = prefix_of(system)
            token = variables[f"{prefix}_OPERATOR_TOKEN"]
            url = f"{variables[f'{prefix}_URL']}{self.path[system]}"
            answer = ask(url, headers={"Authorization": f"Bearer {token}"})
            statuses.append(answer.status if answer else 0)
        return statuses


def _environment(pid: int) -> dict[str, str]:
    """Environment of a process; empty when it is gone."""
    try:
        raw = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return {}
    pairs = (entry.decode(errors="replace").partition("=") for entry in raw.split(b"\0") if entry)
    return {name: value for name, _, value in pairs}
