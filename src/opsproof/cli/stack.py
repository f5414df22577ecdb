"""`opsproof stack`: run the embedded stack in the foreground, look at it, break it, mend it."""

import argparse
import difflib
import os
import signal
import sys
import time
from collections.abc import Callable
from itertools import groupby
from typing import TYPE_CHECKING

from opsproof.errors import StackError

if TYPE_CHECKING:
    from opsproof.stack import Stack

_WATCH_SECONDS = 0.5
_RED, _GREEN = 31, 32

_ABOUT = """\
The embedded stack is a small copy of the systems that the runbooks describe: real PostgreSQL, Valkey, HTTP services
and a worker, on free ports of 127.0.0.1, without Docker. It starts in seconds and leaves nothing behind.
"""
_EXAMPLES = """\
examples:
  opsproof stack up                     start it; stays in the foreground until Ctrl-C
  opsproof stack status                 what runs where, and what is broken on purpose   (in another terminal)
  opsproof stack fault                  which faults there are
  opsproof stack fault redis-stopped    break it; then run the checks and read what they say
  opsproof stack heal                   mend everything
  opsproof stack down                   stop it

exit status: 0 done, 1 could not be done, 2 wrong usage
"""
_STATUS = "Shows what runs where, and what is broken on purpose."
_DOWN = "Stops the stack, whoever started it, and removes its files."
_UP = """\
Starts the stack and keeps it until Ctrl-C or `opsproof stack down`. Checks that run meanwhile use it instead of
starting one of their own, so they start faster, and you can break it under them.
"""
_FAULT = """\
Breaks the running stack for real and returns once the fault is seen in force. It stays until `opsproof stack heal`.

Train on it: break something, run the checks, and see whether the report leads you to the cause.
"""
_HEAL = """\
Mends one fault, or all, and returns once they are seen gone and, with the last one, the stack is ready again.
If that fails, it says how to undo the fault by hand.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `stack` and its subcommands; each sets `run`, a function from the arguments to the exit status."""
    stack = _command(subparsers, "stack", "run, break and mend the embedded stack", _ABOUT, epilog=_EXAMPLES)
    commands = stack.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _named(_command(commands, "up", "start it, in the foreground", _UP), _up)
    _named(_command(commands, "status", "show its parts and faults", _STATUS), _status)
    _named(_command(commands, "down", "stop it", _DOWN), _down)
    fault = _command(commands, "fault", "break it", _FAULT)
    fault.add_argument("fault", nargs="?", metavar="NAME", help="the fault; left out: list them")
    fault.add_argument("--list", action="store_true", help="list the faults")
    _named(fault, _fault)
    heal = _command(commands, "heal", "mend it", _HEAL)
    heal.add_argument("fault", nargs="?", metavar="NAME", help="the fault to mend; left out: all of them")
    _named(heal, _heal)


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, title: str, about: str, epilog: str = ""
) -> argparse.ArgumentParser:
    formatter = argparse.RawDescriptionHelpFormatter
    return commands.add_parser(name, help=title, description=about, epilog=epilog, formatter_class=formatter)


def _named(parser: argparse.ArgumentParser, run: Callable[[argparse.Namespace], int]) -> None:
    parser.add_argument("--name", default="default", help="which stack, where several run (default: %(default)s)")
    parser.set_defaults(run=run)


def _up(arguments: argparse.Namespace) -> int:
    from opsproof.stack import Stack

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # as Ctrl-C
    begun = time.monotonic()
    try:
        stack = Stack.start(name=arguments.name, progress=lambda line: print(f"  {line}", flush=True))
    except KeyboardInterrupt:
        print("interrupted; nothing is left running", file=sys.stderr)
        return 1
    try:
        print(f"{_coloured('ready', _GREEN)} after {time.monotonic() - begun:.1f} s\n")
        _print_parts(stack)
        print(_hints(stack), flush=True)
        _watch(stack)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # an impatient second Ctrl-C must not leave half of it
        print("\nstopping")
        stack.stop()
    else:
        print("stopped by another process")
    return 0


def _watch(stack: "Stack") -> None:
    """Wait until another process stops the stack."""
    from opsproof.stack.process import collect_ended

    while stack.directory.exists():
        collect_ended()
        time.sleep(_WATCH_SECONDS)


def _status(arguments: argparse.Namespace) -> int:
    stack = _running(arguments.name)
    state = stack.state
    print(f"stack {stack.name}, started by pid {state.owner.pid}, {'ready' if state.ready else 'still starting'}\n")
    _print_parts(stack)
    print(f"\nvariables: {stack.variables_file}")
    for note in state.faults.values():
        print(f"{_coloured('fault', _RED)} {note.name}, injected at {note.injected_at}")
    return 0


def _down(arguments: argparse.Namespace) -> int:
    from opsproof.stack.directory import reap

    if arguments.name in [path.name for path in reap()]:
        print(f"stack {arguments.name} had been abandoned by its owner; it is cleaned up")
        return 0
    stack = _running(arguments.name)
    stack.stop()
    print(f"stack {stack.name} is stopped, and its files are removed")
    return 0


def _fault(arguments: argparse.Namespace) -> int:
    from opsproof.stack.faults import FAULTS, inject

    if arguments.list or arguments.fault is None:
        _print_faults()
        return 0
    if (status := _unknown(arguments.fault)) is not None:
        return status
    stack, fault = _running(arguments.name), FAULTS[arguments.fault]
    inject(fault, stack)
    print(f"{_coloured('in force', _RED)}: {fault.name}, {fault.title}")
    print(f"mend it with: opsproof stack heal {fault.name}{_name_option(stack)}")
    return 0


def _heal(arguments: argparse.Namespace) -> int:
    from opsproof.stack.faults import FAULTS, heal

    if arguments.fault is not None and (status := _unknown(arguments.fault)) is not None:
        return status
    stack = _running(arguments.name)
    injected = list(stack.state.faults)
    if arguments.fault is not None and arguments.fault not in injected:
        print(
            f"the fault {arguments.fault} is not injected; injected: {', '.join(injected) or 'none'}", file=sys.stderr
        )
        return 1
    waiting = [arguments.fault] if arguments.fault else injected[::-1]
    if not waiting:
        print("nothing to heal")
    failures: dict[str, StackError] = {}
    for name in [*waiting, *waiting]:  # twice: one fault may keep another from being healed
        if name in stack.state.faults:
            try:
                heal(FAULTS[name], stack)
                failures.pop(name, None)
                print(f"{_coloured('healed', _GREEN)}: {name}")
            except StackError as exc:
                failures[name] = exc
    for failure in failures.values():
        print(f"opsproof: {failure}", file=sys.stderr)
    return 1 if failures else 0


def _unknown(name: str) -> int | None:
    """Exit status 2, and what the caller may have meant, if there is no such fault."""
    from opsproof.stack.faults import FAULTS

    if name in FAULTS:
        return None
    near = difflib.get_close_matches(name, FAULTS, n=3)
    guess = f"did you mean {', '.join(near)}?" if near else "see them all: opsproof stack fault --list"
    print(f"opsproof: there is no fault {name!r}; {guess}", file=sys.stderr)
    return 2


def _running(name: str) -> "Stack":
    from opsproof.stack import Stack

    stacks = {stack.name: stack for stack in Stack.running()}
    if name not in stacks:
        others = f"running: {', '.join(stacks)} (choose with --name)" if stacks else "start one: opsproof stack up"
        raise StackError(f"no stack named {name} is running", where="this user's stacks", next_step=others)
    return stacks[name]


def _print_parts(stack: "Stack") -> None:
    rows = [("part", "state", "pid", "address", "log")]
    rows += [(part.name, part.state, str(part.pid), part.address, str(part.log)) for part in stack.parts()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [text.ljust(width) for text, width in zip(row, widths, strict=True)]
        if row[1] in ("stopped", "frozen"):
            cells[1] = _coloured(cells[1], _RED)
        print("  ".join(cells).rstrip())


def _hints(stack: "Stack") -> str:
    option = _name_option(stack)
    return f"""
in another terminal:
  check it      pytest -m smoke{option.replace("--name", "--stack")}
  break it      opsproof stack fault redis-stopped{option}
  see faults    opsproof stack fault --list
  mend it       opsproof stack heal{option}
  use it        . {stack.variables_file}
  stop it       opsproof stack down{option}, or Ctrl-C here
"""


def _name_option(stack: "Stack") -> str:
    return "" if stack.name == "default" else f" --name {stack.name}"


def _print_faults() -> None:
    from opsproof.stack.faults import FAULTS

    width = max(map(len, FAULTS))
    for group, faults in groupby(FAULTS.values(), key=lambda fault: fault.group):
        print(f"{group}:")
        for fault in faults:
            systems = "" if len(fault.systems) > 1 else f" ({', '.join(fault.systems)} only)"
            print(f"  {fault.name.ljust(width)}  {fault.title}{systems}")


def _coloured(text: str, colour: int) -> str:
    plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ
    return text if plain else f"\033[{colour}m{text}\033[0m"
