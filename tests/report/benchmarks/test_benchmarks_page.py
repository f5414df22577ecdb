"""bench.html: what its reader sees, and what a target can put into it."""

import re
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from benchmark_builders import (
    GATES,
    GET,
    POST,
    a_benchmark,
    a_gate,
    a_load,
    fast,
    histogram,
    nothing_sent,
    slow,
)
from hypothesis import given, settings
from nasty_text import nasty_text

from opsproof.benchmark.facts import NEVER_BEGUN, BenchmarkFact, RequestFact, SecondFact
from opsproof.benchmark.histograms import merged
from opsproof.judge.limits import Lang
from opsproof.report.benchmarks.course import course
from opsproof.report.benchmarks.document import document
from opsproof.report.benchmarks.numbers import lines, quantile
from opsproof.report.benchmarks.spectrum import spectrum, told_quantiles
from opsproof.report.benchmarks.timeline import timeline


class Seen(HTMLParser):
    """Tags and texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.names: set[str] = set()
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def text_of(fact: BenchmarkFact, lang: Lang = "en") -> str:
    return re.sub(r"\s+", " ", " ".join(Seen(document(fact, lang)).texts))


def table_row(page: str, name: str) -> list[str]:
    """The cells of the row that begins so."""
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    found = [[unescape(re.sub(r"<[^>]*>", "", cell)) for cell in re.findall(r"<td>(.*?)</td>", row)] for row in rows]
    return next(cells for cells in found if cells and cells[0] == name)


def lines_of(svg: str, kind: str) -> list[list[tuple[float, float]]]:
    """The places of each line of a class; of a dot alone, too."""
    drawn = [
        [(float(x), float(y)) for x, y in (place.split(",") for place in points.split())]
        for points in re.findall(rf'<polyline class="{kind}" points="([^"]*)"', svg)
    ]
    dots = re.findall(rf'<circle class="{kind}" cx="([\d.]+)" cy="([\d.]+)"', svg)
    return drawn + [[(float(x), float(y))] for x, y in dots]


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ["PASS", "Percentiles over time", "Spectrum of percentiles", "Requests by name", "Generators", "Plan"]),
        ("ko", ["PASS", "시간에 따른 백분위수", "백분위수 스펙트럼", "이름별 요청", "부하 생성기", "계획"]),
    ],
)
def test_it_stands_alone_and_has_every_part(lang: Lang, words: list[str]) -> None:
    """Nothing is fetched: no script, no style and no picture of another place."""
    page = document(a_benchmark(), lang)
    seen = Seen(page)

    assert not [word for word in words if word not in page]
    assert not seen.tags & {"script", "link", "img", "iframe", "object", "a"}
    assert not seen.names & {"src", "href", "onclick", "onload"}
    assert f'<html lang="{lang}">' in page


def test_gates_have_limit_value_bounds_and_answer() -> None:
    page = document(a_benchmark(slow, load=a_load(gates={**GATES, "p95": a_gate("p95", "<= 200 ms")})), "en")

    title, answer, value, limit, bounds, requests, missing = table_row(page, "The p95 (p95)")
    assert (answer, limit, requests, missing) == ("✘ FAIL", "<= 200 ms", "1,000", "–")
    low, high = (float(one.removesuffix(" ms")) for one in bounds.split(" .. "))
    assert 200 < low < float(value.removesuffix(" ms")) < high
    assert title


def test_what_would_settle_a_gate_is_told() -> None:
    fact = a_benchmark(load=a_load(rate=20), share_failed=0.015)

    cells = table_row(document(fact, "en"), "The errors (errors)")

    assert cells[1] == "? INCONCLUSIVE"
    assert re.fullmatch(r"[\d,]+ more good requests", cells[6])


def test_why_it_is_not_believed_comes_before_the_gates() -> None:
    """A late generator makes every number doubtful."""
    fact = a_benchmark(worker={"late": 400, "told_its_end": False})
    text = text_of(fact)

    assert fact.answer == "INCONCLUSIVE"
    assert text.index("Why it is not believed") < text.index("Gates")
    assert "the generator itself sent 40 % of the arrivals" in text
    assert "1 of 1 workers were lost: local" in text
    assert "no: lost" in text
    assert "Why it is not believed" not in text_of(a_benchmark())


def test_without_requests_no_number_is_invented() -> None:
    """And there is no picture of nothing."""
    fact = nothing_sent()
    page = document(fact, "en")

    assert "<svg" not in page
    assert "there is no time to show" in page
    assert table_row(page, "The p95 (p95)")[1:5] == ["? INCONCLUSIVE", "–", "<= 400 ms", "–"]
    assert table_row(page, "all requests") == ["all requests", "0", "0", "0", "–", "–", "–", "–", "–"]
    assert not re.search(r"\d m?s\b", text_of(fact).partition("Requests by name")[2].partition("Errors")[0])


def test_a_second_without_an_ended_request_is_a_gap() -> None:
    """A stall is no second of 0 ms; what waited is hatched."""
    whole, torn = (timeline(a_benchmark(without=seconds), "", "en") for seconds in ((), (8, 9, 10)))

    assert len(lines_of(whole, "p95")) == 1
    first, second = lines_of(torn, "p95")
    assert (len(first), len(second)) == (8, 11)
    width = first[1][0] - first[0][0]
    assert second[0][0] - first[-1][0] == pytest.approx(4 * width, abs=0.5)
    assert torn.count('class="waiting"') == 3
    assert 'class="waiting"' not in whole


def test_seconds_that_are_missing_are_a_gap() -> None:
    """A worker that was lost tells nothing any more."""
    fact = a_benchmark()
    fact = fact.model_copy(update={"seconds": fact.seconds[:5] + fact.seconds[12:]})

    assert [len(piece) for piece in lines_of(timeline(fact, "", "en"), "p50")] == [5, 10]


def test_a_second_that_stands_alone_is_a_dot() -> None:
    """A line needs two."""
    fact = a_benchmark(without=[*range(9), *range(10, 22)])

    assert [len(piece) for piece in lines_of(timeline(fact, "", "en"), "p99")] == [1]


def test_percentiles_of_a_second_are_those_of_its_requests() -> None:
    fact = a_benchmark()
    moment = course(fact, "")[3]
    taken = sorted([0.01] * 90 + [0.2] * 6 + [1.0] * 4)
    one = SecondFact(second=0, times={"": histogram(taken)})
    (other,) = course(fact.model_copy(update={"seconds": (one,)}), "")

    assert other.times == pytest.approx((0.01, 0.2, 1.0), rel=0.001)
    assert (moment.planned, moment.begun, moment.failed) == (50, 50, 0)


def test_long_benchmarks_are_drawn_by_several_seconds_together() -> None:
    """Their requests are counted together: ten fast seconds beside one slow one are no average of percentiles."""
    times = {"": histogram([0.01] * 99)}, {"": histogram([1.0] * 11)}
    seconds = tuple(SecondFact(second=n, planned=9, times=times[n % 4 == 3]) for n in range(960))
    moments = course(a_benchmark().model_copy(update={"seconds": seconds}), "")

    assert len(moments) == 240
    assert {(one.end - one.begin, one.planned) for one in moments} == {(4, 9)}
    assert moments[0].times == pytest.approx((0.01, 0.01, 1.0), rel=0.001)


def test_two_workers_give_the_percentile_of_all_their_requests() -> None:
    """Histograms are added up; an average of both p95 would be another number."""
    quick, late = [0.01 + n / 1e5 for n in range(900)], [0.5 + n / 1e3 for n in range(100)]
    pooled = sorted(quick + late)[950 - 1]
    both = RequestFact(name=GET, good=merged([histogram(quick), histogram(late)]), ended=1000)
    averaged = (sorted(quick)[855 - 1] + sorted(late)[95 - 1]) / 2

    (line,) = lines(a_benchmark().model_copy(update={"requests": (both,)}))

    assert quantile(line.times, 0.95) == pytest.approx(pooled, rel=0.001)
    assert abs(averaged - pooled) > 0.2


def test_the_spectrum_has_the_corrected_time_beside_the_other() -> None:
    """Every tenth request waited 2 s to be sent: that is seen in the response time alone."""
    fact = a_benchmark(wait=2.0)
    svg, page = spectrum(fact, "en"), document(fact, "en")
    (response,), (service,) = lines_of(svg, "response"), lines_of(svg, "service")

    _, due, sent = table_row(page, "p95")
    assert 2000 < float(due.removesuffix(" ms").replace(",", "")) < 2300
    assert float(sent.removesuffix(" ms")) < 150
    assert response[-1][1] < service[-1][1] - 50
    assert all(after[1] <= before[1] + 0.11 for line in (response, service) for before, after in pairwise(line))
    assert table_row(page, "p50")[1:][0].split()[0] != "2,000"


def test_the_spectrum_ends_where_requests_end() -> None:
    """100 of 1,100 never ended: nobody knows a percentile beyond p90."""
    fact = a_benchmark(hanging=100)
    svg, page = spectrum(fact, "en"), document(fact, "en")
    (response,), (service,) = lines_of(svg, "response"), lines_of(svg, "service")

    assert response[-1][0] < service[-1][0] - 50
    assert 'class="never"' in svg
    assert "100 never ended" in svg
    assert table_row(page, "p99")[1] == "∞"
    name, ended, failed, unfinished, mean, p50, p95, p99, most = table_row(page, GET)
    assert (ended, failed, unfinished) == ("1,000", "0", "100")
    assert (p95, p99, most) == ("∞", "∞", "∞")
    assert mean.startswith("≥ ")
    assert re.fullmatch(r"[\d.]+ ms", p50)
    assert "they had waited for 3,000 ms at most" in page
    assert name


@pytest.mark.parametrize(("requests", "last"), [(0, None), (1, None), (2, 0.5), (99, 0.95), (100, 0.99), (1000, 0.999)])
def test_percentiles_that_the_requests_do_not_have_are_not_told(requests: int, last: float | None) -> None:
    """Of 99 requests none is beyond p99."""
    assert next(reversed(told_quantiles(requests)), None) == last


def test_requests_are_told_by_name_and_good_ones_apart() -> None:
    """Fast refusals hide no slow answer."""
    fact = a_benchmark(names=(GET, POST), share_failed=0.1)
    page = document(fact, "en")

    whole, one = table_row(page, "all requests"), table_row(page, POST)
    good, failed = table_row(page, f"{POST}: good"), table_row(page, f"{POST}: failed")
    assert int(whole[1].replace(",", "")) == 1000
    assert int(one[1]) == int(good[1]) + int(failed[1]) == 500
    assert one[2] == failed[2] != "0"
    assert one[3] == "0"


def test_arrivals_that_were_never_begun_have_a_row_and_no_time() -> None:
    fact = a_benchmark()
    never = RequestFact(name=NEVER_BEGUN, ages=(2.0,) * 200)
    cells = table_row(
        document(fact.model_copy(update={"requests": (*fact.requests, never)}), "en"), "never begun: no user was free"
    )

    assert cells[1:] == ["0", "0", "200", "≥ 2,000 ms", "∞", "∞", "∞", "∞"]


def test_errors_are_told_by_text_the_most_frequent_first() -> None:
    fact = a_benchmark(share_failed=0.1, worker={"user_errors": {"KeyError: 'id'": 3}})
    page = document(fact, "en").partition("<h2>Errors</h2>")[2].partition("<h2>")[0]

    found = re.findall(r"<td>(\d+)</td>\n<td>(.*?)</td>\n<td>(.*?)</td>", page)
    assert [(count, error) for count, _, error in found] == [
        (str(fact.requests[0].failed), "HTTPError: 500 Internal Server Error"),
        ("3", "KeyError: 'id'"),
    ]
    assert found[1][1] == "outside of a request"
    assert "No request failed." in document(a_benchmark(), "en")


def test_limits_are_lines_at_their_place() -> None:
    """On the scale of the times: between a line that is faster and one that is slower."""
    gates = {**GATES, "mean": a_gate("mean", "<= 2 s")}
    svg = timeline(a_benchmark(load=a_load(gates=gates)), "", "en")
    ys = [float(y) for y in re.findall(r'<line class="limit" [^>]*? y1="([\d.]+)"', svg)]
    (line,) = lines_of(svg, "p95")

    assert ys == sorted(ys)
    assert len(ys) == 2
    assert max(ys) < min(y for _, y in line)
    assert "p95 &lt;= 400 ms" in svg
    assert "mean &lt;= 2 s" in svg


def test_a_gate_of_one_name_has_a_picture_of_its_own() -> None:
    gates = {**GATES, "post": a_gate("p95", "<= 300 ms", POST)}
    page = document(a_benchmark(names=(GET, POST), load=a_load(gates=gates)), "en")

    assert page.count("<svg") == 3
    assert f"Percentiles over time: {POST}" in page
    assert page.count("p95 &lt;= 300 ms") == 1


def test_planned_and_begun_are_beside_the_times() -> None:
    fact = a_benchmark(share_failed=0.05)
    svg = timeline(fact, "", "en")

    assert svg.count('class="begun"') == 22
    assert svg.count('class="planned"') == 1
    assert svg.count('class="failed"') == sum(bool(second.failed) for second in fact.seconds) > 0
    assert "no request failed" in timeline(a_benchmark(), "", "en")


def test_arrivals_that_were_not_begun_are_a_gap_below_the_plan() -> None:
    """The line is the plan, the area what was begun: both on one scale."""
    fact = a_benchmark()
    halved = fact.seconds[5].model_copy(update={"planned": 25, "begun": 10})
    svg = timeline(fact.model_copy(update={"seconds": (*fact.seconds[:5], halved, *fact.seconds[6:])}), "", "en")
    (path,) = re.findall(r'<path class="planned" d="([^"]*)"', svg)
    plan = [float(y) for y in re.findall(r"M[\d.]+ ([\d.]+)H", path)]
    bars = re.findall(r'class="begun"[^>]* y="(\S+)"[^>]* height="(\S+)"', svg)
    begun = [(float(y), float(height)) for y, height in bars]

    (top, full), (_, low) = begun[4], begun[5]
    assert low == pytest.approx(full / 5, abs=0.11)
    assert plan[4] == pytest.approx(top, abs=0.11)
    assert plan[5] == pytest.approx(top + full / 2, abs=0.11)


@settings(max_examples=40, deadline=None)
@given(name=nasty_text, error=nasty_text, worker=nasty_text, host=nasty_text)
def test_markup_of_a_target_is_text(name: str, error: str, worker: str, host: str) -> None:
    """Names, errors and hosts come from outside; so does what a gate says of them."""
    load = a_load(rate=30, duration="14s", gates={**GATES, "own": a_gate("p50", "<= 1 s", name)})
    fact = a_benchmark(fast, load=load, names=(name or "x",), share_failed=0.2, error=error, host=host)
    fact = fact.model_copy(update={"workers": (fact.workers[0].model_copy(update={"name": worker}),)})

    known = Seen(document(a_benchmark(load=a_load(gates={**GATES, "own": a_gate("p50", "<= 1 s", GET)})), "en"))
    seen = Seen(document(fact, "en"))

    assert seen.tags <= known.tags
    assert seen.names <= known.names
