"""What the tests of the stack's life look at: processes and folders, and stacks that another process owns."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import opsproof
from opsproof.stack.process import belonging_to, wait_for

SOURCES = str(Path(opsproof.__file__).parent.parent)

OWNER = """
import json, sys, time
from opsproof.stack import Stack

def tell(line):
    print(json.dumps({"progress": line}), flush=True)

stack = Stack.start(json.loads(sys.argv[1]), name=sys.argv[2] or None, progress=tell)
print(json.dumps({"directory": str(stack.directory), "variables": stack.variables}), flush=True)
sys.stdin.read()
stack.stop()
"""
"""A program that owns a stack until its standard input ends."""


def environment(place: Path, **changes: str) -> dict[str, str]:
    """Environment of a Python process that keeps its stacks in `place`."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return kept | {"PYTHONPATH": SOURCES, "TMPDIR": str(place), "PYTHONDONTWRITEBYTECODE": "1"} | changes


def python(place: Path, code: str, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run Python code to its end."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment(place),
        capture_output=True,
        text=True,
        timeout=60,
        **options,
    )


@contextlib.contextmanager
def owner(place: Path, systems: list[str], name: str = "", **options: object) -> Iterator[subprocess.Popen[str]]:
    """Another process that owns a stack; killed at the end if it still lives."""
    argv = [sys.executable, "-c", OWNER, json.dumps(systems), name]
    options = {"env": environment(place)} | options
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def started(process: subprocess.Popen[str]) -> dict:
    """What an owner tells once its stack is ready: its folder and variables."""
    for line in process.stdout:
        if "directory" in (told := json.loads(line)):
            return told
    raise AssertionError(f"the owner ended with status {process.wait()} before its stack was ready")


def stacks_in(place: Path) -> list[Path]:
    """Folders of stacks below a TMPDIR."""
    return [path for path in place.glob("opsproof-*/*") if path.is_dir() and not path.name.startswith("bin-")]


def nothing_left(directory: Path) -> bool:
    """Whether, a moment later at most, neither a process nor a file of the stack is left."""
    return wait_for(lambda: not belonging_to(directory) and not directory.exists(), 5)
