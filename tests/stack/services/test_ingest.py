"""The ingest service: what it stores, what it refuses, and its rate limit."""

import json

import pytest
from reference_service import eventually

LIMIT = 65536


@pytest.fixture
def tenant(ingest, request):
    name = f"test-{abs(hash(request.node.name)) % 10**9}"
    yield name
    ingest.http.delete("/api/v1/items", params={"tenant": name})


def stored(ingest, tenant):
    return ingest.sql("SELECT count(*) FROM items WHERE tenant = %s", tenant)[0][0]


def item_of_size(tenant, size):
    body = {"tenant": tenant, "key": "k", "payload": {"text": ""}}
    body["payload"]["text"] = "x" * (size - len(json.dumps(body)))
    return json.dumps(body).encode()


def in_chunks(body, size=1000):
    yield from (body[start : start + size] for start in range(0, len(body), size))


def test_a_key_is_stored_once(ingest, tenant):
    """A client that repeats a request after a timeout must not double its data."""
    body = {"tenant": tenant, "key": "one", "payload": {"n": 1}}

    first, second = (ingest.http.post("/api/v1/items", json=body) for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert ingest.http.get(f"/api/v1/items/{first.json()['id']}").json()["payload"] == {"n": 1}
    assert ingest.http.delete("/api/v1/items", params={"tenant": tenant}).json() == {"deleted": 1}


@pytest.mark.parametrize("chunked", [False, True], ids=["content-length", "chunked"])
def test_a_body_at_the_limit_is_stored_and_one_byte_more_is_refused(ingest, tenant, chunked):
    """Off by one at the limit is the guard's usual defect, and chunked bodies its usual hole."""
    for size, status in ((LIMIT + 1, 413), (LIMIT, 201)):
        body = item_of_size(tenant, size)
        answer = ingest.http.post("/api/v1/items", content=in_chunks(body) if chunked else body)
        assert answer.status_code == status
        assert stored(ingest, tenant) == (1 if status == 201 else 0)


def test_a_huge_chunked_body_gets_its_answer_and_the_connection_goes_on(ingest, tenant):
    """A refusal that looks like a broken connection cannot be told from an outage."""
    answer = ingest.http.post("/api/v1/items", content=in_chunks(b"x" * 5_000_000, 50_000))

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert ingest.http.get("/version").status_code == 200


def test_a_batch_over_the_limit_stores_nothing(ingest, tenant):
    """Half a batch is worse than none."""
    items = [{"tenant": tenant, "key": str(number), "payload": {}} for number in range(101)]

    refused = ingest.http.post("/api/v1/items/batch", json={"items": items})
    assert (refused.status_code, refused.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert stored(ingest, tenant) == 0

    accepted = ingest.http.post("/api/v1/items/batch", json={"items": items[:100]})
    assert (accepted.status_code, accepted.json()["accepted"]) == (201, 100)
    assert stored(ingest, tenant) == 100


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        pytest.param(b"{", 400, "BAD_REQUEST", id="no-json"),
        pytest.param(b"[" * 60000, 400, "BAD_REQUEST", id="deeply-nested"),
        pytest.param(b"[]", 422, "INVALID", id="a-list"),
        pytest.param(b'{"tenant": "t", "key": 1, "payload": {}}', 422, "INVALID", id="wrong-type"),
        pytest.param(b'{"tenant": "t", "key": "k", "payload": {"a": "\\u0000"}}', 422, "INVALID", id="nul"),
        pytest.param(b'{"tenant": "\\ud800", "key": "k", "payload": {}}', 422, "INVALID", id="lone-surrogate"),
        pytest.param(b'{"tenant": "t", "key": "k", "payload": {"a": NaN}}', 422, "INVALID", id="nan"),
    ],
)
def test_a_body_that_cannot_be_used_is_the_callers_error(ingest, body, status, code):
    """A caller's mistake counted as 5xx would burn the error budget."""
    answer = ingest.http.post("/api/v1/items", content=body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize("limit", ["0", "-1", "x", "201", "9" * 5000], ids=["0", "negative", "word", "over", "huge"])
def test_a_list_limit_out_of_range_is_refused(ingest, limit):
    """An unbounded list is a way to bring the database down."""
    assert ingest.http.get("/api/v1/items", params={"limit": limit}).status_code == 422


def test_the_probe_key_reaches_its_rate_limit(ingest):
    """A check must be able to see a 429 without a thousand requests."""
    probe = {"X-API-Key": ingest["PROBE_API_KEY"]}

    refused = eventually(
        lambda: (found := ingest.anybody.get("/api/v1/limits", headers=probe)).status_code == 429 and found
    )

    assert refused.json()["error"]["code"] == "RATE_LIMITED"
    assert int(refused.headers["retry-after"]) >= 1
    assert ingest.http.get("/api/v1/limits").headers["x-ratelimit-limit"] == "1000"
