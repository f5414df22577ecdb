"""A real sshd on 127.0.0.1 for the user who runs the tests, with keys of its own."""

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAM = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


@dataclass(frozen=True)
class Sshd:
    """A running sshd: its address, the key that it admits, the file that vouches for it, and its process."""

    url: str
    key: Path
    known_hosts: Path
    process: subprocess.Popen[str]


@contextmanager
def an_sshd(folder: Path) -> Iterator[Sshd]:
    """Start sshd in a folder of its own; ends it by its process id."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    known = folder / "known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    config = folder / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder / 'host'}\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {folder / 'user.pub'}\nPasswordAuthentication no\n"
    )
    if os.getuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)  # sshd run by root does not start without it
    process = subprocess.Popen([PROGRAM, "-D", "-e", "-f", str(config)], stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr:
            if "Server listening" in line:
                break
        yield Sshd(f"ssh://{getpass.getuser()}@127.0.0.1:{port}", folder / "user", known, process)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
