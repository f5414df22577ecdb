"""Servers that opsproof did not write, as people run them; each on a free port of 127.0.0.1."""

from __future__ import annotations

import contextlib
import os
import pwd
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from opsproof.stack.ask import ask
from opsproof.stack.parts.edge import program
from opsproof.stack.ports import HOST, free_ports
from opsproof.stack.process import wait_for

LIMIT = 65536
_APPS = Path(__file__).parent
_SECONDS_TO_START = 60
_NGINX = """\
daemon off;
{user}worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e;
    client_max_body_size {limit};
    server {{
        listen {address};
        http2 on;
        location = /here {{ return 200 "here"; }}
        if ($http_content_encoding) {{ return 415; }}
        location = /items {{ {items} }}
    }}
    server {{
        listen {behind};
        client_max_body_size 0;
        return 201 "taken";
    }}
}}
"""


@dataclass(frozen=True)
class ThirdParty:
    """
    A server.

    Attributes:
        command: From its address, a second free address and its folder.
        hop: What its profile says of the way to it.
        takes: Forms of a body that it takes.
    """

    name: str
    command: Callable[[str, str, Path], list[str]]
    environment: dict[str, str] = field(default_factory=dict)
    hop: dict[str, object] = field(default_factory=dict)
    takes: tuple[str, ...] = ("json",)


def _nginx(items: str) -> Callable[[str, str, Path], list[str]]:
    def command(address: str, behind: str, folder: Path) -> list[str]:
        user = f"user {pwd.getpwuid(os.getuid()).pw_name};\n" if os.getuid() == 0 else ""
        (folder / "nginx.conf").write_text(
            _NGINX.format(user=user, limit=LIMIT, address=address, behind=behind, items=items.format(behind=behind))
        )
        return [str(program()), "-p", f"{folder}/", "-c", "nginx.conf", "-e", "stderr"]

    return command


def _uvicorn(address: str, behind: str, folder: Path) -> list[str]:
    host, _, port = address.rpartition(":")
    return [sys.executable, "-m", "uvicorn", "starlette_app:app", "--host", host, "--port", port, "--no-access-log"]


def _gunicorn(threads: int) -> Callable[[str, str, Path], list[str]]:
    def command(address: str, behind: str, folder: Path) -> list[str]:
        return [sys.executable, "-m", "gunicorn", "flask_app:app", "-b", address, "--threads", str(threads)]

    return command


_ANYTHING = ("json", "ndjson", "form", "multipart", "octets")
_OWN_LIMIT = {"LIMIT": str(LIMIT)}
_PLAIN = {"plain": True}

SERVERS = {
    server.name: server
    for server in (
        ThirdParty("nginx", _nginx("proxy_pass http://{behind};"), {}, _PLAIN | {"http2": True}, _ANYTHING),
        ThirdParty("nginx-static", _nginx('return 201 "taken";'), {}, _PLAIN | {"http2": True}, _ANYTHING),
        ThirdParty("uvicorn-starlette", _uvicorn, _OWN_LIMIT, _PLAIN),
        ThirdParty("gunicorn-flask-threads", _gunicorn(4), _OWN_LIMIT, _PLAIN),
        ThirdParty("gunicorn-flask", _gunicorn(1), _OWN_LIMIT, _PLAIN),
        ThirdParty("no-guard", _uvicorn, {}, _PLAIN),
    )
}


@contextlib.contextmanager
def running(server: ThirdParty, folder: Path) -> Iterator[str]:
    """The server, running in a folder of its own; gives its URL."""
    ports = free_ports(["front", "behind"], [])
    address, behind = (f"{HOST}:{port}" for port in ports.values())
    paths = {"PYTHONPATH": str(_APPS), "PATH": os.environ["PATH"], "HOME": str(folder)}
    with (
        (folder / "server.log").open("wb") as log,
        subprocess.Popen(
            server.command(address, behind, folder),
            env=paths | server.environment,
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as process,
    ):
        try:
            url = f"http://{address}"
            if not wait_for(lambda: _answers(url) or process.poll() is not None, _SECONDS_TO_START) or process.poll():
                raise AssertionError(f"{server.name} did not start:\n{(folder / 'server.log').read_text()}")
            yield url
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _answers(url: str) -> bool:
    answer = ask(f"{url}/here")
    return answer is not None and answer.status == 200
