"""HTTP/1.1 as uvicorn speaks it, with the documented error body, and a way to fail below HTTP."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import uuid
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

_NO_LINGER = struct.pack("ii", 1, 0)


class Protocol(H11Protocol):
    """
    Refuses what is no HTTP in the shape of all errors.

    `scope["state"]["reset"]` resets the connection, which no answer of an application can.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, {**app_state, "reset": self._reset}, _loop)

    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be understood, and close."""
        request_id = uuid.uuid4().hex
        error = {
            "error_id": uuid.uuid4().hex,
            "code": "BAD_REQUEST",
            "message": msg,
            "path": "",
            "method": "",
            "request_id": request_id,
        }
        body = json.dumps({"error": error}).encode()
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "X-Request-Id": request_id,
            "Connection": "close",
        }
        for event in (
            h11.Response(status_code=400, headers=list(headers.items()), reason=b"Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _reset(self) -> None:
        connection: socket.socket = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.transport.abort()
