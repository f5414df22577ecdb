"""What a task takes for a failed request: Locust against a server that answers in many ways."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from locustfile_runs import run_locust

LOCUSTFILE = """
from locust import FastHttpUser, task

from opsproof.load import attach, body_of

attach()

PATHS = ("good", "empty", "other-status", "page", "list", "null", "lacking", "wrong", "silent", "gone", "unlooked")

def _wrong(body):
    return "" if body["rows"][0]["id"] == 7 else "another row"

class User(FastHttpUser):
    @task
    def ask(self):
        for path in PATHS:
            answer = self.client.get(f"/{path}", name=path, catch_response=True)
            body = body_of(answer, None if path in ("empty", "unlooked") else _wrong, 204 if path == "empty" else 200)
            assert (body is not None) == (path == "good"), path
"""
PROFILE = """
system: shop
environment: staging
title: {en: Shop, ko: 상점}
targets:
  api: {kind: http, url: "${SHOP_URL}"}
load:
  rate: 2
  duration: 3s
  timeout: 1s
  gates:
    errors: {title: {en: e, ko: e}, measure: errors, limit: < 90 %, runbook: [S-1], next_step: {en: n, ko: n}}
"""
ANSWERS = {
    "good": (200, b'{"rows": [{"id": 7}]}'),
    "empty": (204, b""),
    "other-status": (202, b'{"rows": [{"id": 7}]}'),
    "page": (200, b"<html><h1>Log in</h1></html>"),
    "list": (200, b"[]"),
    "null": (200, b"null"),
    "lacking": (200, b'{"unexpected": true}'),
    "wrong": (200, b'{"rows": [{"id": 8}]}'),
    "unlooked": (200, b"whatever"),
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.path[1:]
        if path == "silent":
            time.sleep(2)
        if path not in ANSWERS:
            self.close_connection = True
            self.connection.close()
            return
        status, body = ANSWERS[path]
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

    def finish(self):
        """A connection that was closed above has nothing to be finished."""


@pytest.fixture
def server():
    """Answers each path in its own way; closes the connection on what it does not know."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_only_what_was_asked_for_is_no_failure(server, tmp_path):
    """No answer raises in a task, each failure says what was wrong, and a body that nobody looks at may be anything."""
    (tmp_path / "shop.py").write_text(LOCUSTFILE)
    (tmp_path / "profiles" / "shop").mkdir(parents=True)
    (tmp_path / "profiles" / "shop" / "staging.yaml").write_text(PROFILE)

    run = run_locust(
        tmp_path / "shop.py", "shop/staging", tmp_path / "profiles", tmp_path / "reports", {"SHOP_URL": server}
    )

    assert run.fact.workers[0].user_errors == {}, run.output
    errors = {name.removeprefix("GET "): _text(texts) for name, texts in run.errors.items()}
    unanswered = {name: errors.pop(name) for name in ("silent", "gone")}
    assert errors == {
        "other-status": "CatchResponseError: status 202 instead of 200",
        "page": "CatchResponseError: the body is no JSON",
        "list": "CatchResponseError: the body has another shape: TypeError",
        "null": "CatchResponseError: the body has another shape: TypeError",
        "lacking": "CatchResponseError: the body has another shape: KeyError",
        "wrong": "CatchResponseError: another row",
    }
    assert [text for text in unanswered.values() if "CatchResponseError" in text] == []
    whole = {one.name.removeprefix("GET ") for one in run.fact.requests if one.ended and not one.failed}
    assert whole == {"good", "empty", "unlooked"}


def _text(texts: set[str]) -> str:
    """The one text, without what Python says in its own words."""
    (text,) = texts
    return text.partition("(")[0]
