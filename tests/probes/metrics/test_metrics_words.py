"""What the probe of Prometheus says where there is no number, and what the runbooks' own ratio says."""

import asyncio
import itertools
import json
import math
import time

import pytest
from asking import a_probe, a_server, as_a_check, memory_of, response
from prometheus_server import Written, prometheus

from opsproof.errors import BadAnswer, NoData, NotObserved, PreconditionMissing, Unreachable
from opsproof.profile.numbers import Increase, Quantile, Rate, Ratio

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

END = int(time.time()) // 60 * 60 - 7200
SECRET = "hunter2-planted-secret"
ERRORS = Ratio(of='http_requests_total{status=~"5.."}', over="http_requests_total", window=300)


def store():
    """A service with 0.1 % errors, and what else can be asked about."""
    target = {"job": "api", "instance": "a:1"}
    for tick in range(24):
        at = END - 15 * (23 - tick)
        values = {
            ("up", ""): 1,
            ("http_requests_total", "200"): 999 * tick,
            ("http_requests_total", "500"): tick,
            ("idle_total", "200"): 7,
            ("not_a_number", SECRET): math.nan,
            ("infinite", ""): math.inf,
        }
        for (name, status), value in values.items():
            yield Written(name, {**target, **({"status": status} if status else {})}, at, value)
        for end, share in (("1", 0.5), ("30", 0.9), ("+Inf", 1.0)):
            yield Written("seconds_bucket", {**target, "le": end}, at, 1000 * tick * share)
        yield Written("seconds_count", target, at, 1000 * tick)


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with prometheus(tmp_path_factory.mktemp("prometheus"), store()) as url:
        yield url


def number(url, question, *, at=END, max_age=60.0, empty=None, memory=None, secrets=()):
    """The sample or the error, and what the check that asked has seen."""

    async def main():
        recorder = as_a_check()
        metrics = a_probe(*secrets, kind="prometheus", url=f"{url}?time={at}", name="metrics", memory=memory)
        try:
            return await metrics.number(question, max_age=max_age, empty=empty), recorder
        except NotObserved as error:
            return error, recorder
        finally:
            await metrics.close()

    return asyncio.run(main())


def test_the_runbooks_own_ratio_cries_wolf_and_ours_does_not(url):
    """Divided label by label, errors are 100 % of the errors; of all requests they are 0.1 %."""
    theirs = 'rate(http_requests_total{status=~"5.."}[5m]) / rate(http_requests_total[5m])'

    assert number(url, theirs)[0].value == pytest.approx(1.0)
    assert number(url, ERRORS)[0].value == pytest.approx(0.001)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        pytest.param("no_such_metric", "there is no metric no_such_metric", id="no-metric"),
        pytest.param(
            'http_requests_total{code="5"}', "has no label code; it has: instance, job, status", id="no-label"
        ),
        pytest.param('http_requests_total{status="418"}', "but no series matches", id="no-series"),
        pytest.param('{job="nobody"}', "the query gives no series", id="no-name"),
        pytest.param("not_a_number", "NaN: nothing was divided by nothing", id="nan"),
        pytest.param("infinite", "+Inf: something was divided by nothing", id="inf"),
        pytest.param("-infinite", "-Inf: something was divided by nothing", id="minus-inf"),
        pytest.param(
            "http_requests_total", "2 series where one number was expected; they differ in status", id="several"
        ),
        pytest.param(Ratio(of="idle_total", over="idle_total", window=300), "there was no traffic", id="no-traffic"),
        pytest.param(Increase(of="nothing_total", window=300), "there is no metric nothing_total", id="form-no-metric"),
        pytest.param(
            Ratio(of='http_requests_total{code=~"5.."}', over="http_requests_total", window=300),
            "has no label code",
            id="form-no-label",
        ),
    ],
)
def test_what_is_no_number_is_told_in_its_own_words(url, question, words):
    """Whoever reads it at night must not look for the cause in the wrong place."""
    error, _ = number(url, question)

    assert isinstance(error, NoData)
    assert words in error.what
    assert error.next_step


def test_no_series_of_errors_is_a_share_of_zero(url):
    """A service that never failed has no series of failures."""
    form = Ratio(of='http_requests_total{status=~"9.."}', over="http_requests_total", window=300)

    assert number(url, form)[0].value == 0


def test_an_old_sample_is_no_answer(url):
    """The API gives the time of the question; the sample's own time counts."""
    error, _ = number(url, ERRORS, at=END + 100)

    assert isinstance(error, NoData)
    assert "100 s old, and older than 60 s is no answer" in error.what


def test_a_bad_query_is_told_in_prometheus_own_words(url):
    """A parser of ours cannot know what the server refuses."""
    error, _ = number(url, "http_requests_total * on (job) http_requests_total")

    assert isinstance(error, BadAnswer)
    assert "many-to-many matching not allowed" in error.what


def test_emptiness_counts_as_the_profile_says_only_while_something_is_watched(url, tmp_path):
    """`empty: 0` must not turn a server that has forgotten everything into a green check."""
    assert number(url, "no_such_metric", empty=0.0)[0].value == 0
    with prometheus(tmp_path / "empty") as blank:
        error, _ = number(blank, "no_such_metric", empty=0.0)

    assert isinstance(error, NoData)
    assert "holds no sample of any target" in error.what


TYPO = 'http_requets_total{status="500"}'


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(Increase(of=TYPO, window=300), id="increase"),
        pytest.param(Ratio(of=TYPO, over="http_requests_total", window=300), id="ratio-of"),
        pytest.param(Ratio(of="http_requests_total", over=TYPO, window=300), id="ratio-over"),
        pytest.param(Quantile(of="secnds", window=300), id="quantile"),
    ],
)
def test_emptiness_of_a_form_hides_no_metric_that_is_not_there(url, form):
    """A name that is spelled wrong would be 0 for ever."""
    error, _ = number(url, form, empty=0.0)
    here = by_scrape(form, empty=0.0)

    assert isinstance(error, NoData)
    assert isinstance(here, NoData)
    assert "there is no metric" in error.what
    assert "there is no metric" in here.what


def test_emptiness_of_a_form_is_about_labels_that_no_series_has_yet(url):
    """A metric without a single failure has no label for failures."""
    form = Increase(of='http_requests_total{code="500"}', window=300)

    for sample in (number(url, form, empty=0.0)[0], by_scrape(form, empty=0.0)):
        assert sample.value == 0
        assert "has no label code" in sample.note


def test_a_part_that_is_larger_than_the_whole_is_no_share(url):
    """3,650 % passed a limit of more than 80 %."""
    form = Ratio(of="http_requests_total", over='http_requests_total{status="500"}', window=300)

    for error in (number(url, form)[0], by_scrape(form)):
        assert isinstance(error, BadAnswer)
        assert "`over` does not include what `of` counts" in error.what


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(Rate(of="http_requests_total", window=15), id="rate"),
        pytest.param(Increase(of="http_requests_total", window=5), id="increase-of-no-sample"),
        pytest.param(Ratio(of='http_requests_total{status="500"}', over="http_requests_total", window=15), id="ratio"),
        pytest.param(Quantile(of="seconds", window=15), id="quantile"),
    ],
)
def test_a_window_of_one_sample_shows_nothing(url, form):
    """Between two scrapes of 15 s nothing seems to happen: 0 failures, 0 requests."""
    error, _ = number(url, form, at=END + 6)

    assert isinstance(error, NoData)
    assert f"the window of {form.window:g}s holds one sample" in error.what
    assert "four of Prometheus' scrape intervals" in error.next_step


def test_no_series_of_errors_is_no_window_of_one_sample(url):
    """What never happened has no samples at all."""
    assert number(url, Increase(of='http_requests_total{status="418"}', window=15), at=END + 6)[0].value == 0


def test_a_share_counts_what_was_born_and_what_was_there_alike(tmp_path):
    """Errors of a new series count whole; were the requests extrapolated, 6 % of errors would be told as 5.5 %."""
    target = {"job": "api", "instance": "a:1"}
    samples = [Written("up", target, END - 15 * tick, 1) for tick in range(10)]
    samples += [
        Written("http_requests_total", {**target, "status": "200"}, END - 15 * tick, 1000 - 94 * tick)
        for tick in range(10)
    ]
    samples += [
        Written("http_requests_total", {**target, "status": "500"}, END - 15 * tick, 24 - 6 * tick) for tick in range(4)
    ]
    with prometheus(tmp_path / "born", samples) as url:
        share, _ = number(url, Ratio(of=ERRORS.of, over=ERRORS.over, window=60), at=END + 7)

    assert share.value == pytest.approx(0.06)


def by_scrape(form, empty=None):
    """The sample or the error from two readings of a service with one error in a thousand."""

    async def main():
        reads = itertools.count(1)

        async def serve(request, writer):
            read = next(reads)
            text = f'http_requests_total{{status="200"}} {999 * read}\nhttp_requests_total{{status="500"}} {read}\n'
            writer.write(response(f"# TYPE http_requests_total counter\n{text}".encode()))

        async with a_server(serve) as server:
            as_a_check()
            metrics = a_probe(kind="scrape", url=f"{server.url}/metrics", name="metrics", span=0.001)
            try:
                return await metrics.number(form, max_age=60, empty=empty)
            except NotObserved as error:
                return error
            finally:
                await metrics.close()

    return asyncio.run(main())


def test_a_server_that_is_down_is_unreachable(tmp_path):
    """Nothing is said about the service then."""
    with prometheus(tmp_path / "down") as gone:
        pass
    error, _ = number(gone, "up")

    assert isinstance(error, Unreachable)


def test_a_quantile_beyond_the_last_bucket_says_so(url):
    """p95 of a histogram that ends at 30 s is at least 30 s, and may be anything above."""
    sample, _ = number(url, Quantile(of="seconds", q=0.95, window=300))

    assert (sample.value, sample.at_least) == (30, True)
    assert "at least 30: it lies beyond the histogram's last bucket" in sample.note


def test_a_quantile_is_that_of_prometheus(url):
    """The same interpolation as histogram_quantile."""
    theirs = "histogram_quantile(0.8, sum by (le) (rate(seconds_bucket[5m])))"

    assert number(url, Quantile(of="seconds", q=0.8, window=300))[0].value == pytest.approx(
        number(url, theirs)[0].value
    )


@pytest.mark.parametrize("question", [ERRORS, "not_a_number", "no_such_metric"], ids=["number", "nan", "none"])
def test_a_replay_says_the_same(url, question):
    """Evidence is judged again without the server; and no secret of a label is in it."""
    live, recorder = number(url, question, secrets=(SECRET,))
    again, _ = number("http://127.0.0.1:1", question, memory=memory_of(recorder), secrets=(SECRET,))

    shown = [str(one).replace("http://127.0.0.1:1,", "") for one in (live, again)]
    assert shown[0].partition(" at http")[0] == shown[1].partition(" at http")[0]
    assert SECRET not in json.dumps([one.to_json() for one in recorder.observations]) + str(live)


def test_two_readings_are_shared_in_a_sweep_and_made_anew_in_the_next():
    """Every sweep of a window has its own span; without it the second sweep would compare a moment with itself."""

    async def main():
        values = itertools.count(100, 10)

        async def serve(request, writer):
            writer.write(response(f"# TYPE x_total counter\nx_total {next(values)}\n".encode()))

        async with a_server(serve) as server:
            as_a_check()
            metrics = a_probe(kind="scrape", url=f"{server.url}/metrics", name="metrics", span=0.3)
            rates = []
            for _ in range(2):
                form = Rate(of="x_total", window=60)
                both = await asyncio.gather(*(metrics.number(form, max_age=60) for _ in range(2)))
                later = await metrics.number(form, max_age=60)
                assert {one.value for one in both} == {later.value}
                rates.append(later.value)
                metrics.observer.new_sweep()
            with pytest.raises(PreconditionMissing, match="only a Prometheus can answer PromQL"):
                await metrics.number("x_total", max_age=60)
            await metrics.close()
            return rates, len(server.requests)

    rates, requests = asyncio.run(main())

    assert requests == 4
    assert all(0 < rate <= 10 / 0.29 for rate in rates)
