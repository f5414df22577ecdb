"""Locustfiles of this repository against services that have lost their data, or answer in another shape."""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from locustfile_runs import REPOSITORY, run_locust

PROFILE = """
system: {system}
environment: stub
title: {{en: Stub, ko: 스텁}}
targets:
  api: {{kind: http, url: "{url}"}}
load:
  rate: 20
  duration: 4s
  timeout: 3s
  gates:
    errors: {{title: {{en: e, ko: e}}, measure: errors, limit: < 50 %, runbook: [S-1], next_step: {{en: n, ko: n}}}}
"""
EMPTY = {
    "/api/v1/items": {"items": []},
    "/api/v1/stats": {"items": 0, "tenants": 0},
    "/api/v1/jobs": {"jobs": []},
    "/api/v1/evaluations": {"evaluations": []},
    "/v1/products": {"products": []},
    "/v1/jobs": {"jobs": [], "pagination": {"total": 0}},
    "/v1/manual-review": {"items": [], "pagination": {"total": 0}},
    "/v1/quotas": {"quotas": [{"api_name": name, "remaining": 1, "limit": 1} for name in ("domeggook", "naver")]},
    "/api/v1/judgment/executions": {"executions": []},
    "/api/v1/workflows": {"instances": []},
    "/api/v1/bi/query": {"chart": {"x": "a", "y": "b"}, "rows": [{"a": 1, "b": 2}]},
    "/api/v1/learning/rulesets": {"rulesets": [{"active": True}]},
    "/api/v1/learning/deployments": {"deployments": []},
}
BARE = EMPTY | {
    "/api/v1/items": {"items": [{"id": "1", "key": "k"}]},
    "/api/v1/jobs": {"jobs": [{"job_id": "1", "status": "queued"}]},
    "/api/v1/evaluations": {"evaluations": [{"run_id": "1", "status": "queued"}]},
    "/v1/products": {"products": [{"id": "1", "state": "REGISTERED"}]},
    "/v1/jobs": {"jobs": [{"id": "1", "status": "COMPLETED"}], "pagination": {"total": 1}},
    "/api/v1/judgment/executions": {"executions": [{"id": "1", "result": "NORMAL", "confidence": 0.9}]},
    "/api/v1/workflows": {"instances": [{"id": "1", "status": "done"}]},
}
"""Rows without the fields that tasks look at."""
SLOWLY = pytest.mark.skipif("OPSPROOF_ALL_FAULTS" not in os.environ, reason="takes long; OPSPROOF_ALL_FAULTS=1")
SYSTEMS = [
    "ingest",
    *(pytest.param(system, marks=SLOWLY) for system in ("evaluation", "storebridge", "factory-ai")),
]


@pytest.fixture
def stub() -> Iterator[ThreadingHTTPServer]:
    """Answers by `answers`, whatever is asked of a path."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = json.dumps(self.server.answers.get(self.path.partition("?")[0], {})).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def run(stub, tmp_path):
    """Run a system's locustfile against the stub."""

    def made(system, answers):
        stub.answers = answers
        folder = tmp_path / "profiles" / system
        folder.mkdir(parents=True)
        url = f"http://127.0.0.1:{stub.server_port}"
        (folder / "stub.yaml").write_text(PROFILE.format(system=system, url=url), encoding="utf-8")
        file = REPOSITORY / "load" / f"{system}.py"
        return run_locust(file, f"{system}/stub", tmp_path / "profiles", tmp_path / "reports", {})

    return made


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_service_that_has_lost_its_data_passes_nothing(run, system):
    """Every answer is good and quick, and there is nothing in it."""
    ran = run(system, EMPTY)

    assert (ran.exit_status, ran.errors) == (6, {}), ran.output
    assert [doubt["en"] for doubt in ran.fact.doubts if "did not do what they are for" in doubt["en"]], ran.output


@pytest.mark.parametrize("system", SYSTEMS)
def test_rows_without_what_a_task_looks_at_are_failures(run, system):
    """The target is wrong, and not the locustfile."""
    ran = run(system, BARE)

    assert ran.fact.workers[0].user_errors == {}, ran.output
    assert ran.errors
    assert [gate.answer for gate in ran.fact.gates] == ["FAIL"], ran.output
