"""Start, end, freeze and thaw one part of a stack; every step is noted in stack.json, whoever takes it."""

import os
import signal
import subprocess
from pathlib import Path

from opsproof.errors import StackError
from opsproof.stack.logs import open_log
from opsproof.stack.parts import Launch, Part, Plan
from opsproof.stack.process import MARK, Process, descendants, end, spawn, wait_for
from opsproof.stack.state import PartRecord, StackState, edit_state, read_state, write_private

_INHERITED = ("PATH", "LANG", "LC_ALL", "TMPDIR", "HOME")
_SECONDS_TO_SETTLE = 5.0
_SECONDS_FOR_A_TASK = 30.0


def first_start(part: Part, plan: Plan) -> Process:
    """
    Start a part for the first time.

    Raises:
        StackError: Its program cannot be run.
    """
    launch = part.launch(plan)
    record = PartRecord(
        name=part.name,
        argv=launch.argv,
        env=inherited(plan.directory) | launch.env,
        cwd=str(launch.cwd),
        user=launch.user,
        stop_signal=part.stop_signal,
        log=str(part.log(plan)),
        address=plan.address(part.name) if part.listens else "",
        process=Process(0, 0, ""),
    )
    with edit_state(plan.directory) as state:
        state.parts[part.name] = record
        _spawn(plan.directory, state, part.name)
    return record.process


def start_part(directory: Path, name: str) -> None:
    """Start a part that has ended, with the environment that the injected faults leave it; nothing if it runs."""
    with edit_state(directory) as state:
        if not _record(state, name, directory).process.alive():
            _spawn(directory, state, name)


def start_ended_parts(directory: Path) -> None:
    """Start every part that has ended, whatever ended it."""
    with edit_state(directory) as state:
        for name, record in state.parts.items():
            if not record.process.alive():
                _spawn(directory, state, name)


def end_part(directory: Path, name: str) -> None:
    """
    End a part and its children, frozen or not.

    Raises:
        StackError: It would not end.
    """
    record = _record(_state(directory), name, directory)
    children = descendants(record.process)
    for child in children:
        child.send(signal.SIGCONT)
    end([(record.process, record.stop_signal)])
    if left := end((child, signal.SIGTERM) for child in children):
        raise StackError(
            f"{name} would not end", where=f"pid {left[0].pid}", next_step=f"end it by hand: kill -KILL {left[0].pid}"
        )


def restart_part(directory: Path, name: str) -> None:
    """End a part and start it again, with the environment that the injected faults leave it."""
    end_part(directory, name)
    start_part(directory, name)


def freeze_part(directory: Path, name: str) -> None:
    """Stop a part and its children without ending them, as a stalled disk would (SIGSTOP), and see it happen."""
    process = _record(_state(directory), name, directory).process
    process.send(signal.SIGSTOP)  # first, so that it makes no more children
    wait_for(lambda: process.state() in ("T", ""), _SECONDS_TO_SETTLE)
    for child in descendants(process):
        child.send(signal.SIGSTOP)


def thaw_part(directory: Path, name: str) -> None:
    """Let a frozen part and its children go on."""
    process = _record(_state(directory), name, directory).process
    for one in (*descendants(process), process):
        one.send(signal.SIGCONT)


def spawn_helper(directory: Path, fault: str, argv: list[str], env: dict[str, str]) -> None:
    """Start a process that holds a fault in force, and note it with the fault."""
    with edit_state(directory) as state:
        log = directory / f"fault-{fault}.log"
        helper = spawn(argv, env=inherited(directory) | env, cwd=directory, log=log)
        state.faults[fault].helpers.append(helper)


def run_once(directory: Path, launch: Launch, log: Path) -> int:
    """Run a task to its end, at most 30 seconds; its exit status."""
    env = inherited(directory) | launch.env
    with open_log(log) as output:
        done = subprocess.run(
            launch.argv, env=env, cwd=launch.cwd, stdout=output, stderr=output, check=False, timeout=_SECONDS_FOR_A_TASK
        )
    return done.returncode


def part_state(record: PartRecord) -> str:
    """running, stopped or frozen."""
    found = record.process.state()
    if not found:
        return "stopped"
    return "frozen" if found in ("T", "t") else "running"


def _spawn(directory: Path, state: StackState, name: str) -> None:
    record = state.parts[name]
    env = state.environment_of(name)
    try:
        record.process = spawn(record.argv, env=env, cwd=Path(record.cwd), log=Path(record.log), user=record.user)
    except OSError as exc:
        raise StackError(
            f"{name} cannot be started: {exc.strerror}",
            where=record.argv[0],
            next_step="is it installed, and executable?",
        ) from exc
    write_private(directory / f"{name}.pid", f"{record.process.pid}\n")


def _state(directory: Path) -> StackState:
    state = read_state(directory)
    if state is None:
        raise StackError("the stack is gone", where=str(directory), next_step="start one: opsproof stack up")
    return state


def _record(state: StackState, name: str, directory: Path) -> PartRecord:
    if name not in state.parts:
        raise StackError(
            f"the stack has no part {name}", where=str(directory), next_step=f"it has {', '.join(state.parts)}"
        )
    return state.parts[name]


def inherited(directory: Path) -> dict[str, str]:
    """The little that parts need of our environment; the rest might hold secrets, and stack.json keeps it."""
    import opsproof

    sources = str(Path(opsproof.__file__ or "").resolve().parent.parent)
    env = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return env | {MARK: str(directory), "PYTHONPATH": sources, "PYTHONUNBUFFERED": "1"}
