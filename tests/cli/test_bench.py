"""`opsproof bench`: what is better, worse or not known, and what it says when it cannot compare."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmark_builders import GATES, GET, POST, a_benchmark, a_gate, a_load, fast, nothing_sent, slow

from opsproof.benchmark.compared import ComparisonFact, compare_benchmarks
from opsproof.benchmark.facts import NEVER_BEGUN, BenchmarkFact, RequestFact
from opsproof.cli import main

Compare = Callable[..., tuple[int, str]]


@pytest.fixture
def compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Compare:
    """Compare two benchmarks by the command; status, and what it printed."""

    def compared(earlier: BenchmarkFact, newer: BenchmarkFact, *options: str) -> tuple[int, str]:
        files = [tmp_path / f"{name}.json" for name in ("earlier", "newer")]
        for file, fact in zip(files, (earlier, newer), strict=True):
            file.write_text(fact.model_dump_json(), encoding="utf-8")
        status = main(["bench", "compare", *map(str, files), *options])
        return status, capsys.readouterr().out

    return compared


def row(text: str, *cells: str) -> str:
    return next(line for line in text.splitlines() if all(cell in line for cell in cells))


def test_a_clearly_slower_p95_is_worse(compare: Compare) -> None:
    """Three times as long: the interval says by how much at least."""
    status, text = compare(a_benchmark(fast), a_benchmark(slow, seed=3))

    assert status == 1
    assert text.startswith("COMPARED  WORSE: ingest/staging 2026-11-21 14:00:00 UTC (PASS) against ingest/staging")
    for measure in ("p50", "p95", "mean"):
        assert row(text, "all requests", measure).endswith("worse")
    assert row(text, "errors").endswith("cannot tell")
    (number,) = (one for one in comparison(slow, 2).numbers if one.measure == "p95")
    assert 2 < number.bounds.lower < 3 < number.bounds.upper < 4


def test_the_other_way_round_it_is_better(compare: Compare) -> None:
    status, text = compare(a_benchmark(slow), a_benchmark(fast, seed=2))

    assert status == 0
    assert row(text, "p95").endswith("better")
    assert "NOT WORSE" in text


def comparison(draw: Callable[[random.Random], float], seed: int) -> ComparisonFact:
    return compare_benchmarks(a_benchmark(fast), a_benchmark(draw, seed=seed))


def test_equal_targets_are_not_called_worse() -> None:
    """Twenty pairs, a hundred numbers: at most one by chance."""
    found = [comparison(fast, seed) for seed in range(2, 22)]

    assert sum(one.standing == "worse" for fact in found for one in fact.numbers) <= 1
    assert sum(fact.exit_status == 0 for fact in found) >= 19
    assert {len(fact.numbers) for fact in found} == {5}


def test_equal_targets_are_said_to_be_unknown_as_far_as_they_are(compare: Compare) -> None:
    """No number is worse, and that is no proof that both are alike."""
    status, text = compare(a_benchmark(fast), a_benchmark(fast, seed=2))

    assert status == 0
    assert row(text, "p95").endswith("cannot tell")
    assert "what cannot be told may still be worse by as much as its upper bound" in text


def test_more_errors_are_worse_and_told_in_points(compare: Compare) -> None:
    load = a_load(gates={**GATES, "errors": a_gate("errors", "< 20 %")})
    earlier, newer = a_benchmark(load=load), a_benchmark(seed=2, load=load, share_failed=0.1)

    status, text = compare(earlier, newer)

    share = newer.requests[0].failed / newer.requests[0].ended
    assert status == 1
    assert f"+{100 * share:.3g} points" in row(text, "errors")
    assert row(text, "errors").endswith("worse")


def test_requests_that_hang_are_worse_though_none_of_them_is_slow(compare: Compare) -> None:
    """100 of 1,100 never ended: p95 is not known to end at all."""
    status, text = compare(a_benchmark(), a_benchmark(seed=2, hanging=100))

    assert status == 1
    assert "∞" in row(text, "p95")
    assert row(text, "p95").endswith("worse")
    assert row(text, "errors").endswith("worse")


def test_arrivals_that_were_never_begun_are_no_errors_of_each_name(compare: Compare) -> None:
    """Of all requests they are; of which name they would have been, nobody knows."""
    names = (GET, POST)
    newer = a_benchmark(seed=2, names=names)
    never = RequestFact(name=NEVER_BEGUN, ages=(2.0,) * 200)

    _, text = compare(a_benchmark(names=names), newer.model_copy(update={"requests": (*newer.requests, never)}))

    assert row(text, "all requests", "errors").endswith("worse")
    for name in names:
        told = row(text, name, "errors")
        assert told.endswith("cannot tell")
        assert "+0 points" in told
        assert float(told.split()[-4].removeprefix("+")) > 25


def test_one_name_that_is_worse_is_found_among_others(compare: Compare) -> None:
    """Reads are as they were; the writes, one of four requests, take twice as long."""
    names = (GET, GET, GET, POST)
    earlier = a_benchmark(names=names, load=a_load(rate=200))
    times = iter(range(10**9))
    newer = a_benchmark(
        lambda rng: fast(rng) * (2 if next(times) % 4 == 3 else 1), seed=2, names=names, load=a_load(rate=200)
    )

    status, text = compare(earlier, newer)

    assert status == 1
    assert row(text, POST, "p50").endswith("worse")
    assert row(text, GET, "p50").endswith("cannot tell")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rate": 60}, "rate was 50, and is 60 now"),
        ({"duration": "30s"}, "duration was 22, and is 30 now"),
        ({"warm_up": "4s"}, "warm_up was 2, and is 4 now"),
        ({"timeout": "5s"}, "timeout was 10, and is 5 now"),
    ],
)
def test_other_plans_are_refused_with_what_differs(compare: Compare, changes: dict[str, object], said: str) -> None:
    """Though the numbers would look worse."""
    status, text = compare(a_benchmark(), a_benchmark(slow, seed=2, load=a_load(**changes)))

    assert status == 6
    assert "CANNOT TELL" in text
    assert f"why not: the plans differ: {said}" in text
    assert "p95" not in text


def test_writes_are_another_plan(compare: Compare) -> None:
    newer = a_benchmark(seed=2)
    writing = newer.model_copy(update={"plan": newer.plan.model_copy(update={"writes": True})})

    status, text = compare(a_benchmark(), writing)

    assert status == 6
    assert "writes was False, and is True now" in text


def test_a_benchmark_is_not_compared_with_itself(compare: Compare) -> None:
    """A pipeline that names one file twice would be green for ever."""
    status, text = compare(a_benchmark(), a_benchmark())

    assert status == 6
    assert "both are the same benchmark" in text


@pytest.mark.parametrize(("seeds", "which"), [((1, 2), "newer"), ((2, 1), "earlier")])
def test_what_is_not_believed_tells_nothing(compare: Compare, seeds: tuple[int, int], which: str) -> None:
    """A late generator makes times longer: that is not the target."""
    facts = {1: a_benchmark(fast), 2: a_benchmark(slow, seed=2, worker={"late": 500})}

    status, text = compare(*(facts[seed] for seed in seeds))

    assert status == 6
    assert f"why not: the {which} benchmark is not believed: the generator itself sent 50 %" in text


@pytest.mark.parametrize("order", [1, -1])
def test_nothing_that_was_sent_tells_nothing(compare: Compare, order: int) -> None:
    status, text = compare(*(a_benchmark(), nothing_sent(seed=2))[::order])

    assert status == 6
    assert "nothing was tested" in text
    assert "there are too few requests for bounds of any time" in text


def test_too_few_requests_tell_nothing(compare: Compare) -> None:
    """Four requests each, three times as slow: by chance, for all that anybody knows."""
    load = a_load(rate=1, duration="5s", warm_up="1s", gates={"pace": GATES["pace"]})

    status, text = compare(a_benchmark(load=load), a_benchmark(slow, seed=2, load=load))

    assert status == 6
    assert "too few requests" in text


def test_other_generators_and_places_are_warned_of(compare: Compare) -> None:
    environment = {"cores": "8", "python": "3.11.9", "locust": "2.47.1"}
    newer = a_benchmark(seed=2, environment=environment, host="http://10.0.0.9:8080")

    status, text = compare(a_benchmark(), newer)

    assert status == 0
    assert "warning: cores was 4, and is 8 now" in text
    assert "warning: locust was 2.47.0, and is 2.47.1 now" in text
    assert "warning: host was http://10.0.0.5:8080, and is http://10.0.0.9:8080 now" in text
    assert "python was" not in text
    assert "warning" not in compare(a_benchmark(), a_benchmark(seed=3))[1]


def test_another_mixture_of_requests_and_the_wrong_order_are_warned_of(compare: Compare) -> None:
    _, text = compare(a_benchmark(seed=2, names=(GET, POST)), a_benchmark())

    assert f"only the earlier benchmark has {POST}" in text
    assert "the second benchmark is older than the first" in text


def test_json_has_every_number(compare: Compare) -> None:
    """Also those that are not finite, as JSON allows."""
    status, text = compare(a_benchmark(), a_benchmark(slow, seed=2, hanging=100), "--json")
    told = json.loads(text, parse_constant=pytest.fail)

    assert (told["answer"], told["exit_status"], status) == ("worse", 1, 1)
    p95 = next(one for one in told["numbers"] if one["measure"] == "p95")
    assert p95["standing"] == "worse"
    assert p95["bounds"]["upper"] == "Infinity"
    assert p95["bounds"]["lower"] > 2
    assert ComparisonFact.model_validate_json(text).exit_status == 1


def test_korean(compare: Compare) -> None:
    status, text = compare(a_benchmark(), a_benchmark(slow, seed=2), "--lang", "ko")

    assert status == 1
    assert text.startswith("비교  나빠짐")
    assert row(text, "전체 요청", "p95").endswith("나빠짐")


@pytest.mark.parametrize("content", [None, "{", "{}", "[]", '{"schema_version": 2}'])
def test_a_file_that_cannot_be_read_is_never_worse(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 1 would say that the release is slower."""
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(a_benchmark().model_dump_json(), encoding="utf-8")
    if content is not None:
        bad.write_text(content, encoding="utf-8")

    status = main(["bench", "compare", str(good), str(bad)])

    told = capsys.readouterr()
    assert (status, told.out) == (6, "")
    assert str(bad) in told.err
    assert "next:" in told.err


def test_show_prints_the_block_and_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a file by its own name, so that several of a run keep theirs."""
    (tmp_path / "bench-2.json").write_text(a_benchmark().model_dump_json(), encoding="utf-8")

    status = main(["bench", "show", str(tmp_path / "bench-2.json"), "--lang", "ko"])

    told = capsys.readouterr().out
    assert status == 0
    assert told.startswith("벤치마크")
    assert told.endswith(f"  {tmp_path / 'bench-2.html'}\n")
    assert '<html lang="ko">' in (tmp_path / "bench-2.html").read_text("utf-8")


def test_show_says_where_it_cannot_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bench.json").write_text(a_benchmark().model_dump_json(), encoding="utf-8")
    (tmp_path / "bench.html").mkdir()

    status = main(["bench", "show", str(tmp_path)])

    assert status == 1
    assert "the page cannot be written" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "bench.html")


@pytest.mark.parametrize("words", [["bench"], ["bench", "compare", "one"], ["bench", "show"]])
def test_wrong_usage_ends_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)

    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_help_says_what_the_statuses_mean(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["bench", "compare", "--help"])

    told = " ".join(capsys.readouterr().out.split())
    assert "0 no number is worse, 1 at least one is, 2 wrong usage, 6 nothing can be told" in told
    assert "no proof that both are alike" in told
