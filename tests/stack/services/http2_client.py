"""One POST over HTTP/2 that reads while it writes: an early answer ends it."""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded, StreamReset

_STREAM = 1
_A_MOMENT = 0.001


@dataclass
class Answer:
    """An answer as httpx would tell it, as far as the tests ask."""

    status_code: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""

    def json(self) -> Any:
        return json.loads(self.content)


def post(url: str, headers: Mapping[str, str], body: bytes, *, announced: bool) -> Answer:
    """Send a body, with its content-length or without, and return what was answered."""
    parts = urlsplit(url)
    pseudo = [(":method", "POST"), (":scheme", "http"), (":authority", parts.netloc), (":path", parts.path)]
    length = [("content-length", str(len(body)))] if announced else []
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        http = H2Connection()
        http.initiate_connection()
        http.send_headers(_STREAM, pseudo + [(name.lower(), value) for name, value in headers.items()] + length)
        answer, ended, at = Answer(), False, 0
        while not ended:
            if at < len(body) and (room := min(http.local_flow_control_window(_STREAM), http.max_outbound_frame_size)):
                http.send_data(_STREAM, body[at : at + room], end_stream=at + room >= len(body))
                at += room
            connection.sendall(http.data_to_send())
            if at < len(body) and not select.select([connection], [], [], _A_MOMENT)[0]:
                continue
            received = connection.recv(65536)
            for event in http.receive_data(received):
                match event:
                    case ResponseReceived():
                        found = {name.decode(): value.decode() for name, value in event.headers}
                        answer.status_code, answer.headers = int(found.pop(":status")), found
                    case DataReceived():
                        answer.content += event.data
                        http.acknowledge_received_data(event.flow_controlled_length, _STREAM)
                    case StreamEnded() | StreamReset():
                        ended = True
            if answer.status_code:
                at = len(body)  # whoever has the answer sends no more
            ended = ended or not received
    return answer
