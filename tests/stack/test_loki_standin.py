"""The stand-in of Loki, over the wire: it says what Loki would say, or refuses."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from opsproof.stack.ask import ask
from opsproof.stack.standins.streams import Stream, TooFarBack


class Served:
    """The stand-in over a folder of logs."""

    def __init__(self, url, folder):
        self.url = url
        self.folder = folder

    def write(self, *lines, job="shop-api", **fields):
        """Add lines of text, and one of JSON if it has fields."""
        stamped = [json.dumps({"ts": datetime.now(UTC).isoformat(), **fields})] if fields else []
        with (self.folder / f"{job}.log").open("a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in (*lines, *stamped)))

    def get(self, path, **parameters):
        """Status and body of an answer; the body is text where it is no success."""
        try:
            with urllib.request.urlopen(f"{self.url}/loki/api/v1/{path}?{urlencode(parameters)}") as answer:
                return answer.status, json.loads(answer.read())["data"]
        except urllib.error.HTTPError as exc:
            return exc.code, exc.read().decode()

    def lines(self, query, **parameters):
        """The lines of a log query, in the order of their times."""
        status, data = self.get("query_range", query=query, **parameters)
        assert status == 200, data
        return [line for _, line in sorted(value for stream in data["result"] for value in stream["values"])]

    def numbers(self, query):
        """The numbers of a metric query, by their labels."""
        status, data = self.get("query", query=query)
        assert status == 200, data
        return [(found["metric"], found["value"][1]) for found in data["result"]]


@contextmanager
def serving(folder):
    """The stand-in as a process, as the stack starts it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    argv = [sys.executable, "-m", "opsproof.stack.standins.loki", "--port", str(port), "--directory", str(folder)]
    process = subprocess.Popen(argv)
    try:
        served = Served(f"http://127.0.0.1:{port}", folder)
        for _ in range(600):
            answer = ask(f"{served.url}/ready")
            if answer is not None and answer.status == 200:
                break
            time.sleep(0.05)
        yield served
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def loki(tmp_path):
    """One over an empty folder."""
    with serving(tmp_path) as served:
        yield served


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """One over four lines that nobody adds to."""
    with serving(tmp_path_factory.mktemp("shop")) as served:
        served.write(number=1, level="info", http={"status": 200})
        served.write(number=2, level="error", http={"status": 500}, message="time out")
        served.write(number=3, level="warn", http={"status": 404}, message="slow", list=[1])
        served.write(number=4, level="error", http={"status": 503}, system="not the label", job="shop-worker")
        yield served


def test_a_line_is_counted_once_however_many_ask_at_once(loki):
    """A gate asks ten indicators at a time; a line that two of them read in was counted twice."""
    query = 'sum(count_over_time({job="shop-api"}[5m]))'
    for _ in range(8):
        loki.write(*(f'{{"ts": "{datetime.now(UTC).isoformat()}", "number": {number}}}' for number in range(6000)))
        with ThreadPoolExecutor(8) as people:
            list(people.map(lambda _: loki.get("query", query=query), range(16)))

    assert loki.numbers(query) == [({}, "48000")]


def test_streams_are_told_by_their_labels(loki):
    """What the profiles select by."""
    loki.write(message="a")
    loki.write(message="b", job="shop-worker")

    status, streams = loki.get("series", **{"match[]": '{system="shop"}'})

    assert status == 200
    assert sorted(streams, key=lambda one: one["job"]) == [
        {"app": "shop-api", "job": "shop-api", "system": "shop", "component": "api"},
        {"app": "shop-worker", "job": "shop-worker", "system": "shop", "component": "worker"},
    ]
    assert loki.get("labels") == (200, ["app", "component", "job", "system"])
    assert loki.get("series", **{"match[]": '{system="other"}'}) == (200, [])


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ('{job="shop-api"}', [1, 2, 3]),
        ('{job!="shop-api", system="shop"}', [4]),
        ('{job=~"shop-.*"}', [1, 2, 3, 4]),
        ('{job=~"shop"}', []),
        ('{system="shop", job!~".*-worker"}', [1, 2, 3]),
        ('{system="shop"} |= "time out"', [2]),
        ('{system="shop"} != "time out" != "slow"', [1, 4]),
        ('{system="shop"} |~ "time.?out|slow"', [2, 3]),
        ("{system=`shop`} !~ `time.?out|slow`", [1, 4]),
        ('{system="shop"} | json | level="error"', [2, 4]),
        ('{system="shop"} | json | level!="error"', [1, 3]),
        ('{system="shop"} | json | level=~"err.*|warn"', [2, 3, 4]),
        ('{system="shop"} | json | http_status >= 500', [2, 4]),
        ('{system="shop"} | json | http_status = 404', [3]),
        ('{system="shop"} | json | http_status > 404 | http_status < 503', [2]),
        ('{system="shop"} | json | nobody > 0', []),
        ('{system="shop"} | json | nobody = ""', [1, 2, 3, 4]),
        ('{system="shop"} | json | system_extracted="not the label"', [4]),
    ],
)
def test_selectors_filters_and_labels_pick_lines_as_in_loki(shop, query, numbers):
    """A label's regular expression is about all of its value, a line's about any part of it."""
    assert [json.loads(line)["number"] for line in shop.lines(query)] == numbers


def test_numbers_are_sums_by_labels_and_rates(loki):
    """What has no line has no number, and not 0."""
    for level in ("error", "error", "info"):
        loki.write(level=level)
    loki.write(level="error", job="shop-worker")

    errors = '{system="shop"} | json | level="error" [50s]'
    by_component = sorted(loki.numbers(f"sum by (component) (count_over_time({errors}))"), key=str)
    of_each = loki.numbers('count_over_time({job="shop-worker"} |= "error" [1m])')

    assert by_component == [({"component": "api"}, "2"), ({"component": "worker"}, "1")]
    assert sorted(loki.numbers(f"sum(count_over_time({errors})) by (component)"), key=str) == by_component
    assert loki.numbers(f"sum(rate({errors}))") == [({}, "0.06")]
    assert of_each == [({"app": "shop-worker", "job": "shop-worker", "system": "shop", "component": "worker"}, "1")]
    assert loki.numbers('sum(count_over_time({system="shop"} |= "nowhere" [1m]))') == []


def test_a_line_that_is_no_json_fails_a_number_and_not_a_list(loki):
    """As in Loki: a count that leaves out what it could not read would be a wrong one."""
    loki.write("Traceback (most recent call last):", level="error")

    status, said = loki.get("query", query='sum(count_over_time({job="shop-api"} | json [1m]))')

    assert loki.numbers('sum(count_over_time({job="shop-api"} | json | __error__="" [1m]))') == [({}, "1")]
    assert loki.lines('{job="shop-api"} | json | __error__!=""') == ["Traceback (most recent call last):"]
    assert (status, said.split(" for series")[0]) == (400, "pipeline error: 'JSONParserErr'")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "shop",
        "{}",
        '{job="shop-api"',
        '{job="shop-api",}',
        "{job='shop-api'}",
        '{job=~".*"}',
        '{job!="shop-api"}',
        '{job=~"["}',
        r'{job="shop-api"} |~ "\d"',
        '{job="shop-api"} |~ "(?!info)"',
        r'{job="shop-api"} |~ `(a)\1`',
        '{job="shop-api"} |~ "a++"',
        '{job="shop-api"} |= 500',
        '{job="shop-api"} | logfmt',
        '{job="shop-api"} | json level="level"',
        '{job="shop-api"} | json | line_format "{{.message}}"',
        '{job="shop-api"} | json | duration > 10s',
        '{job="shop-api"} | json | level="error" or level="warn"',
        '{job="shop-api"} |= "a" or "b"',
        '{job="shop-api"} |= ip("127.0.0.1")',
        '{job="shop-api"} # with a comment',
    ],
)
def test_what_is_not_understood_is_refused_and_never_guessed(shop, query):
    """A stand-in that guesses would prove nothing. Loki's errors are plain text with status 400."""
    status, said = shop.get("query_range", query=query)

    assert status == 400
    assert "parse error" in said


@pytest.mark.parametrize(
    "query",
    [
        'count_over_time({job="shop-api"})',
        'count_over_time({job="shop-api"}[5])',
        'count_over_time({job="shop-api"}[0s])',
        'sum(count_over_time({job="shop-api"}[5m])',
        'sum(count_over_time({job="shop-api"}[5m])) > 1',
        'sum without (job) (count_over_time({job="shop-api"}[5m]))',
        'avg(count_over_time({job="shop-api"}[5m]))',
        'bytes_over_time({job="shop-api"}[5m])',
        'sum({job="shop-api"})',
        '{job="shop-api"}',
    ],
)
def test_a_number_that_cannot_be_given_is_refused(shop, query):
    """The same for numbers, and for lines where a number is asked."""
    status, said = shop.get("query", query=query)

    assert status == 400
    assert said


def test_parameters_that_are_no_good_are_refused(shop):
    """As Loki does; a silent default would answer another question."""
    query = '{job="shop-api"}'
    for wrong in ({"limit": "0"}, {"limit": "-1"}, {"direction": "up"}, {"start": "soon"}, {"since": "long"}):
        assert shop.get("query_range", query=query, **wrong)[0] == 400, wrong
    assert shop.get("query_range", query=f"sum(count_over_time({query}[5m]))")[0] == 400
    assert shop.get("series")[0] == 400


def test_limit_direction_and_times_cut_as_in_loki(loki):
    """100 lines without a limit, the newest first; times come from the lines."""
    now = datetime.now(UTC)
    for minute in range(150):
        loki.write(json.dumps({"ts": (now - timedelta(seconds=minute)).isoformat(), "age": minute}))
    loki.write(json.dumps({"ts": (now - timedelta(hours=2)).isoformat(), "age": "two hours"}))
    query = '{job="shop-api"}'

    def ages(**parameters):
        return [json.loads(line)["age"] for line in loki.lines(query, **parameters)]

    assert ages() == list(reversed(range(100)))
    assert ages(limit=2) == [1, 0]
    assert ages(limit=2, direction="forward") == [149, 148]
    assert ages(since="3h", limit=1, direction="forward") == ["two hours"]
    start, end = (int((now - timedelta(seconds=age)).timestamp() * 1e9) for age in (3, 1))
    assert ages(start=start, end=end + 1000) in ([3, 2, 1], [2, 1])
    assert ages(start=(now - timedelta(seconds=2.5)).isoformat()) == [2, 1, 0]
    assert loki.numbers(f"sum(count_over_time({query}[1h]))") == [({}, "150")]


def test_a_file_that_grows_is_cut_or_is_replaced_is_followed(loki):
    """A line counts when it is whole; a rotation neither loses what comes after it nor counts a line again."""
    query = '{job="shop-api"}'
    log = loki.folder / "shop-api.log"
    loki.write("one")
    with log.open("a") as file:
        file.write("half")
    assert loki.lines(query) == ["one"]
    loki.write(" and half")
    assert loki.lines(query) == ["one", "half and half"]

    log.rename(loki.folder / "shop-api.log.1")
    assert loki.lines(query) == ["one", "half and half"]
    loki.write("new")
    assert loki.lines(query) == ["one", "half and half", "new"]

    log.write_text("")
    assert len(loki.lines(query)) == 3
    loki.write("cut")
    assert loki.lines(query)[-1] == "cut"


def test_what_is_forgotten_is_refused(tmp_path, monkeypatch):
    """Memory is bounded; a count of what is left would be too small, and green."""
    monkeypatch.setattr("opsproof.stack.standins.streams._MOST_LINES", 3)
    path = tmp_path / "shop-api.log"
    path.write_text("".join(f'{{"ts": "2026-01-01T00:00:0{second}+00:00"}}\n' for second in range(5)))
    stream = Stream(path, {"job": "shop-api"})

    stream.read_on()
    second = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())

    assert len(list(stream.between((second + 2) * 10**9, (second + 9) * 10**9))) == 3
    with pytest.raises(TooFarBack, match="shop-api: only the newest 3 lines are kept"):
        stream.between((second + 1) * 10**9, (second + 9) * 10**9)
