"""The probe of Loki, against the stack's stand-in; Loki itself cannot run here."""

import asyncio
import json
import uuid
from datetime import UTC, datetime

import pytest
from asking import a_probe, as_a_check, memory_of

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
    with pytest.raises(NoData, match="no log stream of the last hour matches"):
        asked(stack, lambda probe: probe.count('{job="nobody"} |= "x"', window=60))


def test_the_newest_lines_are_kept_when_there_are_more_than_the_limit(stack, log):
    """Loki's own default of 100 lines hides the rest."""
    mark = uuid.uuid4().hex
    for number in range(150):
        log(message=f"{mark} {number}")

    query = f'{SELECTOR} |= "{mark}"'
    every, _ = asked(stack, lambda probe: probe.lines(query, window=60))
    some, _ = asked(stack, lambda probe: probe.lines(query, window=60, limit=2))

    assert len(every) == 150
    assert [json.loads(line)["message"].split()[1] for line in some] == ["148", "149"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ('{job="probe-api"', "parse error"),
        ('{job="probe-api"} | json | status = 500', "does not know"),
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
