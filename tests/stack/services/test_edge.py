"""nginx before the ingest service: each way to stand before it does what its name says."""

import json
import os

import http2_client
import httpx
import pytest

from opsproof.stack.control import freeze_part, thaw_part
from opsproof.stack.parts.edge import Edge
from opsproof.stack.parts.postgres_programs import unprivileged_user
from opsproof.stack.process import descendants

LIMIT = 65536
ITEMS = "/api/v1/items"
ALL = ("EDGE", "EDGE_STREAMING", "EDGE_ABOVE", "EDGE_ABOVE_STREAMING", "EDGE_BELOW")


@pytest.fixture
def tenant(ingest, request):
    name = f"test-{abs(hash(request.node.name)) % 10**9}"
    yield name
    ingest.http.delete(ITEMS, params={"tenant": name})


@pytest.fixture(params=["http/1.1", "http/2"])
def through(request, ingest):
    """Sends a body through a way to the service, in one version of HTTP."""

    def send(hop, body, *, announced=True):
        url = f"{ingest[f'{hop}_URL']}{ITEMS}"
        headers = {"X-API-Key": ingest["API_KEY"], "Content-Type": "application/json", "X-Request-Id": "edge-1"}
        if request.param == "http/2":
            return http2_client.post(url, headers, body, announced=announced)
        return httpx.post(url, content=body if announced else iter([body]), headers=headers, timeout=10)

    return send


def item(tenant, size, key):
    body = {"tenant": tenant, "key": key, "payload": {"text": ""}}
    body["payload"]["text"] = "x" * (size - len(json.dumps(body)))
    return json.dumps(body).encode()


@pytest.mark.parametrize("hop", ALL)
def test_the_limit_of_a_way_holds_to_the_byte(ingest, through, tenant, hop):
    """Off by one at the proxy looks like off by one of the service."""
    limit = LIMIT // 2 if hop == "EDGE_BELOW" else LIMIT

    answers = [through(hop, item(tenant, limit + more, f"{hop}{more}")) for more in (0, 1)]
    chunked = through(hop, item(tenant, limit + 1, "chunked"), announced=False)

    assert [answer.status_code for answer in (*answers, chunked)] == [201, 413, 413]
    for refused in (answers[1], chunked):
        error = refused.json()["error"]
        assert (error["code"], error["path"], error["method"]) == ("PAYLOAD_TOO_LARGE", ITEMS, "POST")
        assert (error["request_id"], refused.headers["x-request-id"]) == ("edge-1", "edge-1")
    assert ingest.sql("SELECT count(*) FROM items WHERE tenant = %s", tenant)[0][0] == 1


@pytest.mark.parametrize(
    ("hop", "by_the_service"),
    [("EDGE", False), ("EDGE_STREAMING", False), ("EDGE_ABOVE", True), ("EDGE_ABOVE_STREAMING", True)],
)
def test_who_refuses_is_told_by_whose_version_is_in_the_answer(through, hop, by_the_service):
    """A profile says which hop has to hold; both must be there to be told apart."""
    assert ("x-app-version" in through(hop, b"x" * (LIMIT + 1)).headers) is by_the_service


def test_what_is_far_over_the_limit_is_refused_where_the_service_alone_would_have_to(through):
    """An edge with a limit above the service's still has one."""
    answer = through("EDGE_ABOVE", b"x" * (16 * LIMIT + 1))

    assert (answer.status_code, "x-app-version" in answer.headers) == (413, False)


def test_a_request_id_that_is_not_sane_is_replaced_by_the_edge_too(ingest):
    """It lands in a JSON text and in two logs."""
    headers = {"X-API-Key": ingest["API_KEY"], "X-Request-Id": 'a"b'}
    answer = httpx.post(f"{ingest['EDGE_URL']}{ITEMS}", content=b"x" * (LIMIT + 1), headers=headers)

    assert answer.json()["error"]["request_id"] == answer.headers["x-request-id"] != 'a"b'


def test_the_edge_answers_and_logs_by_itself(ingest):
    """It is ready before the service is, and says what it refused."""
    freeze_part(ingest.stack.directory, "ingest-api")
    try:
        assert Edge("ingest").missing(ingest.stack.plan) == ""
        headers = {"X-Request-Id": "edge-log-1"}
        refused = httpx.post(f"{ingest['EDGE_URL']}/nowhere", content=b"x" * (LIMIT + 1), headers=headers)
    finally:
        thaw_part(ingest.stack.directory, "ingest-api")

    lines = [json.loads(line) for line in open(ingest["EDGE_LOG_FILE"], encoding="utf-8")]  # noqa: SIM115
    (line,) = [line for line in lines if line["request_id"] == "edge-log-1"]
    assert (refused.status_code, line["status"], line["path"]) == (413, 413, "/nowhere")


def test_nobody_who_serves_bodies_is_root(ingest):
    """It reads what strangers send."""
    workers = descendants(ingest.stack.state.parts["ingest-edge"].process)

    owners = {(found.st_uid, found.st_gid) for worker in workers for found in [os.stat(f"/proc/{worker.pid}")]}
    assert owners == {unprivileged_user() or (os.getuid(), os.getgid())}
