"""A connection whose every byte is ours: what is sent, what comes, and how it ends."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Sequence
from typing import Self

_READ = 64 * 1024
_SEND_BUFFER = 64 * 1024


class Connection:
    """
    A TCP connection, with TLS or without.

    asyncio's streams throw away what has come but was not read when a write fails; just that may be the answer.
    """

    def __init__(self, sock: socket.socket, tls: ssl.SSLContext | None, host: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        self._was_reset = False
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = tls.wrap_bio(self._incoming, self._outgoing, server_hostname=host) if tls else None

    @classmethod
    async def open(cls, host: str, port: int, tls: ssl.SSLContext | None) -> Self:
        """
        Connect.

        Raises:
            OSError: No address of the host takes a connection, or TLS fails.
        """
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        connection = cls(await _connected(found), tls, host)
        try:
            await connection._shake_hands()
        except BaseException:
            connection.close()
            raise
        return connection

    async def send(self, data: bytes) -> None:
        """
        Send all of it: to the kernel, which keeps only little for a peer that does not read.

        Raises:
            OSError: The peer takes nothing any more.
        """
        if self._tls is not None:
            self._tls.write(data)
            data = self._outgoing.read()
        try:
            await self._loop.sock_sendall(self._sock, data)
        except ConnectionResetError:
            self._was_reset = True
            raise
        await asyncio.sleep(0)

    async def receive(self) -> bytes:
        """
        What comes next; b"" at the end.

        Raises:
            OSError: The connection was reset.
        """
        while True:
            if self._tls is None:
                return await self._received()
            with contextlib.suppress(ssl.SSLWantReadError):
                try:
                    return self._tls.read(_READ)
                except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                    return b""
            if data := await self._received():
                self._incoming.write(data)
            else:
                self._incoming.write_eof()

    def end_sending(self) -> None:
        """Say that nothing more is sent; what comes can still be read."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Let go of it."""
        self._sock.close()

    async def _received(self) -> bytes:
        data = await self._loop.sock_recv(self._sock, _READ)
        if not data and self._was_reset:  # the kernel tells of a reset once: to whoever calls first
            raise ConnectionResetError
        return data

    async def _shake_hands(self) -> None:
        if self._tls is None:
            return
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._loop.sock_sendall(self._sock, self._outgoing.read())
                data = await self._loop.sock_recv(self._sock, _READ)
                if not data:
                    raise ConnectionResetError("closed during the TLS handshake") from None
                self._incoming.write(data)
            else:
                await self._loop.sock_sendall(self._sock, self._outgoing.read())
                return


async def _connected(found: Sequence[tuple[int, int, int, str, tuple[object, ...]]]) -> socket.socket:
    loop = asyncio.get_running_loop()
    last: OSError = OSError("the name of the host has no address")
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(sock, address)
        except OSError as exc:
            sock.close()
            last = exc
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise last
