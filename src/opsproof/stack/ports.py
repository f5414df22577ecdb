"""Free ports of 127.0.0.1."""

import random
import socket
from collections.abc import Collection, Iterable
from pathlib import Path

from opsproof.errors import StackError

HOST = "127.0.0.1"
_PORTS = range(15_000, 65_000)
_TRIES = 2_000


def free_ports(names: Iterable[str], taken: Collection[int]) -> dict[str, int]:
    """
    One free port for each name.

    Taken, where it can be, from below the range from which the kernel gives ports to outgoing connections: nobody
    takes such a port by chance while the part that owns it is stopped by a fault.

    Args:
        taken: Ports that other stacks have, even if nothing listens there now.
    Raises:
        StackError: There is none.
    """
    outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    ports = range(_PORTS.start, outgoing) if outgoing > _PORTS.start + 1_000 else _PORTS
    chosen: dict[str, int] = {}
    for name in names:
        for _ in range(_TRIES):
            port = random.choice(ports)  # noqa: S311  # a port is no secret
            if port not in taken and port not in chosen.values() and is_free(port):
                chosen[name] = port
                break
        else:
            raise StackError(
                f"no free port for {name} after {_TRIES} tries",
                where=f"{HOST}, ports {ports.start} to {ports.stop - 1}",
                next_step="see what holds them: ss -ltnp",
            )
    return chosen


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            return False
    return True
