"""The guard of the reference service: what is too large is refused early and cleanly, however it is framed."""

import gzip
import http.client
import json
import zlib
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from reference_service import PATIENCE_SECONDS, eventually

LIMIT = 65536
BATCH = "/api/v1/items/batch"
ITEMS = "/api/v1/items"


@pytest.fixture
def tenant(ingest, request):
    name = f"test-{abs(hash(request.node.name)) % 10**9}"
    yield name
    ingest.http.delete(ITEMS, params={"tenant": name})


def stored(ingest, tenant):
    return ingest.sql("SELECT count(*) FROM items WHERE tenant = %s", tenant)[0][0]


def item(tenant, size=200, key="k"):
    body = {"tenant": tenant, "key": key, "payload": {"text": ""}}
    body["payload"]["text"] = "x" * (size - len(json.dumps(body)))
    return json.dumps(body).encode()


def begun(service, *headers, path=ITEMS):
    """A connection on which the head of a request was sent."""
    parts = urlsplit(service.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE_SECONDS)
    connection.putrequest("POST", path)
    connection.putheader("X-API-Key", service["API_KEY"])
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders()
    return closing(connection)


def resident_pages(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1])


def code_of(response):
    return json.loads(response.read())["error"]["code"]


@pytest.mark.parametrize("expectation", [(), (("Expect", "100-continue"),)], ids=["plain", "expect"])
def test_a_length_over_the_limit_is_refused_before_a_byte_of_the_body(ingest, expectation):
    """Early is cheap: the body is neither invited nor waited for, and the caller reads a whole answer."""
    with begun(ingest, ("Content-Length", str(LIMIT + 1)), *expectation, ("X-Request-Id", "early-1")) as connection:
        answer = connection.getresponse()

        assert (answer.status, answer.getheader("connection"), answer.getheader("x-request-id")) == (
            413,
            "close",
            "early-1",
        )
        assert code_of(answer) == "PAYLOAD_TOO_LARGE"


def test_chunks_over_the_limit_are_refused_while_more_could_come(ingest):
    """A body without a length must not be waited for to its end."""
    with begun(ingest, ("Transfer-Encoding", "chunked")) as connection:
        connection.send(b"%x\r\n%s\r\n" % (LIMIT + 1, b"x" * (LIMIT + 1)))

        assert connection.getresponse().status == 413


def test_a_refused_caller_that_goes_on_sending_gets_its_answer_and_no_reset(ingest):
    """A reset may overtake the answer; then nobody can tell a refusal from an outage."""
    with begun(ingest, ("Content-Length", "4000000")) as connection:
        for _ in range(40):
            connection.send(b"x" * 100_000)
        answer = connection.getresponse()

        assert (answer.status, code_of(answer)) == (413, "PAYLOAD_TOO_LARGE")


def test_a_refused_caller_that_never_stops_is_cut_off(ingest):
    """What is thrown away has a bound, too."""
    megabytes = 0
    with begun(ingest, ("Content-Length", str(10**12))) as connection, suppress(ConnectionError):
        for _ in range(10_000):
            connection.send(b"x" * 1_000_000)
            megabytes += 1

    assert megabytes < 100


@pytest.mark.parametrize(
    ("encoding", "packed"), [("gzip", gzip.compress), ("deflate", zlib.compress)], ids=["gzip", "deflate"]
)
def test_a_packed_body_counts_unpacked(ingest, tenant, encoding, packed):
    """Small on the wire, large inside is the cheapest attack there is."""
    headers = {"Content-Encoding": encoding}

    found = [
        ingest.http.post(ITEMS, content=packed(item(tenant, size)), headers=headers).status_code
        for size in (LIMIT + 1, 50_000_000, LIMIT)
    ]

    assert found == [413, 413, 201]
    assert stored(ingest, tenant) == 1


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        pytest.param("br", b"x", 415, id="not-known"),
        pytest.param("gzip, gzip", b"x", 415, id="twice"),
        pytest.param("gzip", b"no gzip", 400, id="not-packed"),
        pytest.param("gzip", gzip.compress(b"{}" * 100)[:-9], 400, id="cut-off"),
        pytest.param("gzip", gzip.compress(b"{}") + b"more", 400, id="trailing"),
        pytest.param("identity", b"{}", 422, id="identity"),
    ],
)
def test_a_body_that_cannot_be_unpacked_is_the_callers_error(ingest, encoding, body, status):
    """A caller's mistake counted as 5xx would burn the error budget."""
    assert ingest.http.post(ITEMS, content=body, headers={"Content-Encoding": encoding}).status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([("Content-Length", "-1")], id="negative"),
        pytest.param([("Content-Length", "5"), ("Content-Length", "6")], id="two"),
        pytest.param([("Content-Length", "5"), ("Transfer-Encoding", "chunked")], id="with-transfer-encoding"),
    ],
)
def test_a_length_that_cannot_be_trusted_is_refused_in_the_shape_of_all_errors(ingest, headers):
    """Two readings of one request are how requests are smuggled."""
    with begun(ingest, *headers) as connection:
        answer = connection.getresponse()

        assert (answer.status, answer.getheader("connection"), code_of(answer)) == (400, "close", "BAD_REQUEST")


@pytest.mark.parametrize(
    "framing", [("Content-Length", "100"), ("Transfer-Encoding", "chunked")], ids=["length", "chunks"]
)
def test_a_body_that_does_not_come_gets_408_and_holds_up_nobody(ingest, framing):
    """A few bytes a second from one caller must not be everybody's outage."""
    with begun(ingest, framing) as connection:
        connection.send(b"1\r\n{\r\n")
        assert ingest.http.get("/api/v1/stats").status_code == 200
        answer = connection.getresponse()

        assert (answer.status, answer.getheader("connection"), code_of(answer)) == (408, "close", "REQUEST_TIMEOUT")


def test_lines_are_taken_as_a_batch_and_counted_as_one(ingest, tenant):
    """Another way in must have the same limit."""
    headers = {"Content-Type": "application/x-ndjson"}

    def post(count):
        lines = b"".join(item(tenant, key=str(number)) + b"\n" for number in range(count))
        return ingest.http.post(BATCH, content=lines, headers=headers)

    assert (post(101).status_code, stored(ingest, tenant)) == (413, 0)
    assert (post(100).status_code, stored(ingest, tenant)) == (201, 100)


@pytest.mark.parametrize("path", [ITEMS, BATCH], ids=["one", "batch"])
@pytest.mark.parametrize(
    "media_type", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/csv"]
)
def test_another_media_type_gets_415_but_first_413(ingest, path, media_type):
    """The guard comes before any reading of what was sent."""
    headers = {"Content-Type": media_type}

    sizes = (10, LIMIT + 1)
    found = [ingest.http.post(path, content=b"x" * size, headers=headers).status_code for size in sizes]
    chunked = ingest.http.post(path, content=iter([b"x" * LIMIT, b"x"]), headers=headers).status_code

    assert (found, chunked) == ([415, 413], 413)


def test_a_batch_is_counted_before_its_items_are_looked_at(ingest):
    """What is too long must not cost the work of reading it, and is told its length first."""
    assert ingest.http.post(BATCH, json={"items": [1] * 101}).status_code == 413
    assert ingest.http.post(BATCH, json={"items": [1] * 100}).status_code == 422


def test_refusals_leave_nothing_in_memory(ingest):
    """A leak of the size of each refused body is an outage that somebody else can cause."""
    pid = Path(ingest["PID_FILE"]).read_text().strip()
    body = [b"x" * 50_000] * 20

    def growth():
        before = resident_pages(pid)
        for _ in range(20):
            assert ingest.http.post(ITEMS, content=iter(body)).status_code == 413
        return resident_pages(pid) - before

    assert eventually(lambda: growth() < 250)  # 1 MB; the bodies would be 20


def test_an_early_answer_leaves_a_short_body_to_the_server_and_the_connection_usable(ingest):
    """Closing after each refused credential would cost every caller a connection."""
    parts = urlsplit(ingest.url)
    with closing(http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE_SECONDS)) as connection:
        connection.connect()
        first = connection.sock
        statuses = []
        for _ in range(2):
            connection.request("POST", ITEMS, b"x" * 1000)
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)

        assert statuses == [401, 401]
        assert connection.sock is first


def test_each_wrong_refusal_is_wrong_in_its_own_way_and_leaves_what_is_within_alone(ingest, tenant):
    """A defect that also broke the rest would prove any check."""
    over, within = item(tenant, LIMIT + 1, "over"), item(tenant, LIMIT, "within")
    found = {}
    for refusal in ("read-whole", "keep", "echo", "store", "truncate"):
        with ingest.defects(refusal=refusal):
            refused = ingest.http.post(ITEMS, content=iter([over]))
            taken = ingest.http.post(ITEMS, content=iter([within]))
        found[refusal] = (refused.status_code, "xxx" in refused.text, taken.status_code, stored(ingest, tenant))
        ingest.http.delete(ITEMS, params={"tenant": tenant})

    assert found == {
        "read-whole": (413, False, 201, 1),
        "keep": (413, False, 201, 1),
        "echo": (413, True, 201, 1),
        "store": (413, False, 201, 2),
        "truncate": (201, False, 201, 2),
    }
