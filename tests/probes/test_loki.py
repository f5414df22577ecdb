"""The probe of Loki, against the stack's stand-in; Loki itself cannot run here."""

import asyncio
import json
import uuid
from datetime import UTC, datetime

import pytest
from asking import a_probe, a_server, always, as_a_check, memory_of, response

from opsproof.errors import BadAnswer, NoData

SELECTOR = '{job="probe-api"}'


@pytest.fixture
def log(stack):
    """A log file that the stand-in takes for the stream of a service."""
    path = stack.directory / "probe-api.log"
    path.touch()

    def write(*lines, **fields):
        now = datetime.now(UTC).isoformat()
        texts = [*lines, *([json.dumps({"ts": now, **fields})] if fields else [])]
        with path.open("a", encoding="utf-8") as file:
            file.write("".join(f"{text}\n" for text in texts))

    return write


def asked(stack, question, *, memory=None, **target):
    """The answer to a question to the probe, and what was recorded."""

    async def run():
        recorder = as_a_check()
        url = stack.variables["LOKI_URL"] if memory is None else "http://127.0.0.1:9"
        probe = a_probe(name="logs", kind="loki", memory=memory, **({"url": url, "selector": SELECTOR} | target))
        try:
            return await question(probe), recorder
        finally:
            await probe.close()

    return asyncio.run(run())


def test_a_line_is_found_by_its_fields(stack, log):
    """The request id of a check, somewhere in the lines of many processes; text that looks alike is another line."""
    sent = uuid.uuid4().hex
    log("no JSON at all " + sent, message="GET", request_id=sent, status=404)
    log(message=f"about {sent}", request_id="another")

    found, _ = asked(stack, lambda probe: probe.find({"request_id": sent, "status": 404}, within=5))

    assert [line["message"] for line in found] == ["GET"]
    assert found.unparsed == 1


@pytest.mark.parametrize("value", ['said "no" to it', "한국어 주문", "a\\b\nc", "<b>&amp;</b>", "}", "500 {x}"])
def test_a_value_is_found_however_json_writes_it(stack, log, value):
    """Quotes, backslashes and Korean stand escaped in the line: a filter on the bare text would not see them."""
    mark = uuid.uuid4().hex
    log(message=value, mark=mark)

    found, _ = asked(stack, lambda probe: probe.find({"message": value, "mark": mark}, within=5))

    assert [line["mark"] for line in found] == [mark]


def test_what_may_hide_behind_the_limit_is_not_called_absent(stack, log):
    """Of a thousand lines that are alike the wanted one may be the next."""
    log(status=599)
    log(*(json.dumps({"ts": datetime.now(UTC).isoformat(), "status": 200}) for _ in range(1001)))

    with pytest.raises(NoData, match="not among the newest 1000 lines"):
        asked(stack, lambda probe: probe.find({"status": 599}, within=0, fresh=True))


def test_lines_are_counted_by_logql(stack, log):
    """Both kinds of filters; the regular expression is one."""
    mark = uuid.uuid4().hex
    for status in (500, 502, 404):
        log(message=f"Naver API {status} {mark}")

    query = f'{SELECTOR} |= "{mark}" |~ "Naver API 5[0-9]{{2}}"'
    count, recorder = asked(stack, lambda probe: probe.count(query, window=60))
    again, _ = asked(stack, lambda probe: probe.count(query, window=60), memory=memory_of(recorder))

    assert (count, again) == (2, 2)


def test_no_line_is_zero_where_the_stream_is_there(stack, log):
    """And no stream at all is no zero: the labels, or what ships the logs, are wrong."""
    log(message="something")

    count, _ = asked(stack, lambda probe: probe.count(f'{SELECTOR} |= "{uuid.uuid4().hex}"', window=60))

    assert count == 0
    with pytest.raises(NoData, match="no log stream of the last 1h matches"):
        asked(stack, lambda probe: probe.count('{job="nobody"} |= "x"', window=60))


def test_the_selector_is_told_from_the_rest_also_where_it_holds_a_bracket(stack, log):
    """`{` and `}` may stand in a label's value and in a line filter."""
    log(message="something")

    query = '{job=~"probe-ap[i]{1}"} |= "nothing {like} this"'
    count, _ = asked(stack, lambda probe: probe.count(query, window=60))

    assert count == 0


def test_the_newest_lines_are_kept_when_there_are_more_than_the_limit(stack, log):
    """Loki's own default of 100 lines hides the rest."""
    mark = uuid.uuid4().hex
    for number in range(150):
        log(message=f"{mark} {number}")

    query = f'{SELECTOR} |= "{mark}"'
    every, _ = asked(stack, lambda probe: probe.lines(query, window=60))
    some, _ = asked(stack, lambda probe: probe.lines(query, window=60, limit=2))

    assert (len(every), every.cut) == (150, False)
    assert some.cut
    assert [json.loads(line)["message"].split()[1] for line in some] == ["148", "149"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ('{job="probe-api"', "parse error"),
        ('{job="probe-api"} | logfmt | status = 500', "does not know"),
        ("sum by (job) (rate(x[5m]))", "parse error"),
    ],
)
def test_a_query_that_is_not_understood_is_refused_in_lokis_words(stack, log, query, words):
    """A stand-in that guesses would prove nothing; and Loki tells errors as plain text."""
    with pytest.raises(BadAnswer, match=words):
        asked(stack, lambda probe: probe.count(query, window=60))


def test_what_is_no_loki_is_said(stack):
    """A wrong url must not read as `no lines`."""
    with pytest.raises(BadAnswer):
        asked(stack, lambda probe: probe.count(SELECTOR, window=60), url=stack.variables["INGEST_URL"])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"status": "success"}, "data of an unknown form where"),
        ({"status": "success", "data": []}, "data of an unknown form where"),
        ({"status": "success", "data": {"resultType": "matrix", "result": []}}, "matrix where"),
        ({"status": "success", "data": {"resultType": "vector", "result": None}}, "vector of an unknown form"),
        ({"status": "success", "data": {"resultType": "vector", "result": [{"value": [1, "NaN"]}]}}, "unknown form"),
        ({"status": "success", "data": {"resultType": "vector", "result": [7]}}, "unknown form"),
        ({"status": "error"}, "without the API's envelope"),
    ],
)
def test_an_answer_of_another_form_is_said_in_words(body, words):
    """A proxy, or a release of tomorrow; a traceback tells nobody what to do."""

    async def run():
        as_a_check()
        async with a_server(always(response(json.dumps(body).encode()))) as server:
            probe = a_probe(name="logs", kind="loki", url=server.url, selector=SELECTOR)
            try:
                await probe.count(SELECTOR, window=60)
            finally:
                await probe.close()

    with pytest.raises(BadAnswer, match=words):
        asyncio.run(run())


def test_lines_of_another_form_are_said_in_words():
    """The same for lines."""
    result = [{"stream": {}, "values": [["soon", "text"]]}]
    body = {"status": "success", "data": {"resultType": "streams", "result": result}}

    async def run():
        as_a_check()
        async with a_server(always(response(json.dumps(body).encode()))) as server:
            probe = a_probe(name="logs", kind="loki", url=server.url, selector=SELECTOR)
            try:
                await probe.lines(SELECTOR, window=60)
            finally:
                await probe.close()

    with pytest.raises(BadAnswer, match="streams of an unknown form"):
        asyncio.run(run())


def test_a_tenant_is_sent():
    """A Loki of many tenants answers 401 `no org id` without it."""

    async def run():
        as_a_check()
        empty = {"status": "success", "data": {"resultType": "streams", "result": []}}
        async with a_server(always(response(json.dumps(empty).encode()))) as server:
            probe = a_probe(name="logs", kind="loki", url=server.url, selector=SELECTOR, tenant="shop")
            lines = await probe.lines(SELECTOR, window=60)
            await probe.close()
            return lines, server.requests[0].headers

    lines, headers = asyncio.run(run())

    assert (lines, lines.cut) == ([], False)
    assert headers["x-scope-orgid"] == "shop"


def test_a_planted_secret_is_in_no_observation(stack, log):
    """A log line may hold anything."""
    mark = uuid.uuid4().hex
    log(message=f"{mark} password=hunter2secret")

    async def run():
        recorder = as_a_check()
        url = stack.variables["LOKI_URL"]
        probe = a_probe("hunter2secret", name="logs", kind="loki", url=url, selector=SELECTOR)
        await probe.lines(f'{SELECTOR} |= "{mark}"', window=60)
        await probe.close()
        return recorder

    recorder = asyncio.run(run())

    assert recorder.observations
    assert "hunter2secret" not in json.dumps([one.to_json() for one in recorder.observations])
