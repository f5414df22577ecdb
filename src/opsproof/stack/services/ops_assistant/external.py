"""
`python -m opsproof.stack.services.ops_assistant.external --port N`: the external API that the assistant's tools call.

A stand-in of the standard library: health page, status page, quota, and two lists that want a key. What it does wrong
stands in the part `assistant.external` of DEFECTS_FILE.
"""

from __future__ import annotations

import argparse
import hmac
import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from typing_extensions import override

_QUOTA = 1000
_LISTS = {"/v1/transactions": 20, "/v1/users": 12}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer one request."""
        path = self.path.partition("?")[0]
        defect = _defect()
        if path == "/health":
            status = defect.get("health_status") or 200
            self._send(status, {"status": "healthy" if status == 200 else "unhealthy"})
        elif path == "/status":
            incident = defect.get("incident")
            self._send(200, {"incidents": [incident] if incident else []})
        elif path == "/v1/quota":
            self._send(200, {"limit": _QUOTA, "remaining": _remaining(defect)})
        elif path in _LISTS:
            self._list(path, defect)
        else:
            self._send(404, {"error": "there is no such thing"})

    def _list(self, path: str, defect: dict[str, Any]) -> None:
        time.sleep(defect.get("seconds") or 0.0)
        expected = f"Bearer {os.environ.get('EXTERNAL_API_KEY', '')}"
        if not hmac.compare_digest(self.headers.get("authorization", "").encode(), expected.encode()):
            self._send(401, {"error": "Unauthorized"})
        elif _remaining(defect) == 0:
            self._send(429, {"error": "Too Many Requests"})
        elif status := defect.get("status"):
            self._send(status, {"error": "Permission denied" if status in (401, 403) else "failed"})
        else:
            self._send(200, {"rows": [{"id": number, "amount": 100 * number} for number in range(_LISTS[path])]})

    def _send(self, status: int, body: dict[str, Any]) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: every request would be a line."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: callers that give up while they wait are what the fault of slow answers is about."""


def _defect() -> dict[str, Any]:
    try:
        raw = json.loads(Path(os.environ.get("DEFECTS_FILE", "")).read_bytes())
    except (OSError, ValueError):
        return {}
    found = raw.get("assistant", {}).get("external")
    return found if isinstance(found, dict) else {}


def _remaining(defect: dict[str, Any]) -> int:
    remaining = defect.get("remaining")
    return _QUOTA if remaining is None else int(remaining)


def main() -> None:
    """Serve on 127.0.0.1 until a signal ends the process."""
    parser = argparse.ArgumentParser(prog="external", description="An external API that stands in for a real one.")
    parser.add_argument("--port", type=int, required=True)
    _Server(("127.0.0.1", parser.parse_args().port), _Handler).serve_forever()


if __name__ == "__main__":
    main()
