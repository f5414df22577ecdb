"""What is right when a body comes that is too large, by table: each way to be wrong is called by its name."""

import json
from dataclasses import replace

import pytest

from opsproof.judge.payload import Judge
from opsproof.probes.wire import WireAnswer
from opsproof.profile.payload import Hop, Payload
from opsproof.profile.payload_framing import MALFORMED

PAYLOAD = Payload.model_validate(
    {
        "max_body_bytes": 1000,
        "max_batch_items": 3,
        "endpoints": [{"name": "batch", "path": "/batch", "batch_field": "items"}],
        "hops": {"app": {"target": "api", "http2": True}},
        "request_id_header": "X-Request-Id",
        "request_id_field": "error.request_id",
        "early_bytes": 100,
    }
)
JUDGE = Judge(PAYLOAD, PAYLOAD.hops["app"], early_bytes=100, marker="marker-of-this-run")
CASES = {case.name: case for part in (PAYLOAD.plan.sizes["app-batch"],) for case in part.cases}
BATCHES = {case.name: case for case in PAYLOAD.plan.batches["app-batch"].cases}
ID = "id-1"
ERROR = {"error": {"code": "PAYLOAD_TOO_LARGE", "request_id": ID}}
REFUSED = WireAnswer(
    question="POST /batch",
    end="answered",
    status=413,
    headers={"content-type": "application/json", "x-request-id": ID},
    text=json.dumps(ERROR),
    elapsed=0.003,
    early=0,
    sent=0,
    whole=False,
    continued=False,
    after=0,
)
TAKEN = replace(REFUSED, status=201, text="{}", early=1000, sent=1000, whole=True, after=200)


def body(**changes):
    return json.dumps({"error": ERROR["error"] | changes})


@pytest.mark.parametrize(
    ("case", "seen"),
    [
        pytest.param("length limit+1", REFUSED, id="refused"),
        pytest.param("chunked limit+1", replace(REFUSED, early=1101), id="refused-early-enough"),
        pytest.param("form limit+1", replace(REFUSED, status=415, text="{}"), id="415-for-a-form-that-is-not-taken"),
        pytest.param("length limit+1", replace(REFUSED, after=200), id="connection-usable"),
        pytest.param("length 10x", replace(REFUSED, early=1100), id="an-eager-client-fills-buffers"),
        pytest.param("length limit", TAKEN, id="taken"),
        pytest.param("empty", replace(REFUSED, status=422), id="nothing-is-invalid"),
        pytest.param("form limit", replace(REFUSED, status=415), id="form-not-taken"),
    ],
)
def test_what_is_right_is_right(case, seen):
    assert JUDGE.of_size(CASES[case], seen, ID) == []


@pytest.mark.parametrize(
    ("case", "seen", "words"),
    [
        pytest.param("length limit+1", TAKEN, "gets 201 Created in 3 ms, not 413", id="guard-off"),
        pytest.param("length limit+1", replace(REFUSED, status=400), "gets 400 Bad Request in 3 ms, not 413", id="400"),
        pytest.param(
            "length limit+1", replace(REFUSED, status=500), "gets 500 Internal Server Error in 3 ms, not 413", id="500"
        ),
        pytest.param(
            "length limit+1",
            replace(REFUSED, end="reset", status=0),
            "gets a reset connection without an answer in 3 ms, not 413",
            id="reset",
        ),
        pytest.param(
            "length limit+1", replace(REFUSED, end="silent", status=0), "gets no answer at all in 3 ms", id="hang"
        ),
        pytest.param("length limit+1", replace(REFUSED, end="cut"), "cut off in the middle", id="cut"),
        pytest.param(
            "length limit+1",
            replace(REFUSED, text="<html>413", headers={"content-type": "text/html", "x-request-id": ID}),
            "gets 413 with error.code None, not PAYLOAD_TOO_LARGE (text/html)",
            id="a-proxys-page",
        ),
        pytest.param("length limit+1", replace(REFUSED, text=body(code="BAD")), "error.code 'BAD'", id="code"),
        pytest.param("length limit+1", replace(REFUSED, headers={}), "X-Request-Id None, not the 'id-1'", id="no-id"),
        pytest.param(
            "length limit+1", replace(REFUSED, text=body(request_id="x")), "error.request_id 'x'", id="another-id"
        ),
        pytest.param(
            "length limit+1",
            replace(REFUSED, text=body(detail='Traceback (most recent call last):\n  File "/app/x.py", line 3')),
            "with a stack trace",
            id="python-trace",
        ),
        pytest.param(
            "length limit+1",
            replace(REFUSED, text=body(detail="boom\n    at io.undertow.Handler.read(Handler.java:87)\n")),
            "with a stack trace",
            id="java-trace",
        ),
        pytest.param(
            "length limit+1", replace(REFUSED, text=body(sent="...marker-of-this-run")), "with the payload", id="echo"
        ),
        pytest.param(
            "length 2x",
            replace(REFUSED, early=101),
            "only after 101 bytes were accepted; it can be known after 0, and 100 may be",
            id="late-by-length",
        ),
        pytest.param(
            "chunked 2x", replace(REFUSED, early=1102), "can be known after 1001, and 1101", id="late-chunked"
        ),
        pytest.param("expect 2x", replace(REFUSED, continued=True), "gets 100 Continue, and only then", id="100"),
        pytest.param("length limit+1", replace(REFUSED, after=400), "a GET over it gets 400", id="connection-spoilt"),
        pytest.param("length limit+1", replace(REFUSED, after=-1), "a GET over it has no answer", id="connection-dead"),
        pytest.param("length limit", REFUSED, "though it is within the limit of 1000 bytes", id="off-by-one"),
        pytest.param("form limit", REFUSED, "though it is within the limit of 1000 bytes", id="form-off-by-one"),
        pytest.param("form limit", TAKEN, "gets 201 Created in 3 ms, not 4xx", id="form-that-is-not-taken"),
        pytest.param("empty", REFUSED, "nothing is not too large", id="empty"),
    ],
)
def test_each_way_to_be_wrong_is_named(case, seen, words):
    wrong = JUDGE.of_size(CASES[case], seen, ID)

    assert words in "; ".join(wrong)


def test_a_plain_page_is_right_where_the_profile_says_so():
    """A proxy that refuses by itself answers with its own page; it may still not echo, and not come late."""
    judge = replace(JUDGE, hop=Hop(target="edge", plain=True))
    page = replace(REFUSED, text="<html>413", headers={"content-type": "text/html"})

    assert judge.of_size(CASES["length limit+1"], page, ID) == []
    assert judge.of_size(CASES["length limit+1"], replace(page, early=1001), ID)


def test_a_proxy_that_continues_by_itself_may():
    judge = replace(JUDGE, hop=Hop(target="edge", continues=True))

    assert judge.of_size(CASES["expect 2x"], replace(REFUSED, continued=True), ID) == []


@pytest.mark.parametrize(
    ("case", "seen", "right"),
    [
        ("items", TAKEN, True),
        ("items", REFUSED, False),
        ("items+1", REFUSED, True),
        ("items+1", replace(REFUSED, status=422, text="{}"), True),
        ("items+1", replace(REFUSED, text="{}"), False),
        ("items+1", TAKEN, False),
        ("items+1", replace(REFUSED, status=500), False),
        ("items of limit+1 bytes together", replace(REFUSED, status=422), False),
        ("empty list", replace(REFUSED, status=422), True),
        ("empty list", TAKEN, False),
        ("one key twice", TAKEN, True),
        ("one key twice", replace(REFUSED, status=409), True),
        ("one key twice", replace(REFUSED, status=500), False),
    ],
)
def test_a_list_is_judged_by_what_is_too_much_of_it(case, seen, right):
    assert (JUDGE.of_batch(BATCHES[case], seen, ID) == []) is right


@pytest.mark.parametrize(
    ("name", "seen", "right"),
    [
        ("negative Content-Length", replace(REFUSED, status=400), True),
        ("negative Content-Length", replace(REFUSED, end="closed", status=0), False),
        ("negative Content-Length", TAKEN, False),
        ("negative Content-Length", replace(REFUSED, status=500), False),
        ("unknown Transfer-Encoding", replace(REFUSED, status=501), True),
        ("Content-Length with Transfer-Encoding", TAKEN, True),
        ("chunks without an end", replace(REFUSED, end="closed", status=0), True),
        ("chunks without an end", replace(REFUSED, end="reset", status=0), False),
    ],
)
def test_framing_that_is_wrong_is_refused_or_closed(name, seen, right):
    case = next(case for case in MALFORMED if case.name == name)

    assert (JUDGE.of_framing(case, seen, may_take=case.may_take) == []) is right


@pytest.mark.parametrize(
    ("seen", "within", "right"),
    [
        (replace(REFUSED, status=408, elapsed=3.0), 5.0, True),
        (replace(REFUSED, end="closed", status=0, elapsed=3.0), 5.0, True),
        (replace(REFUSED, status=408, elapsed=6.0), 5.0, False),
        (replace(REFUSED, end="silent", status=0, elapsed=6.0), 5.0, False),
        (replace(REFUSED, end="silent", status=0, elapsed=6.0), None, True),
        (replace(REFUSED, status=504, elapsed=3.0), None, False),
    ],
)
def test_a_slow_body_is_ended_in_time_where_the_profile_says_when(seen, within, right):
    assert (JUDGE.of_slow(seen, within, 6.0) == []) is right
