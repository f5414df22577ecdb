"""Benchmarks in the report of a run: verdict block, summary.md, Allure, files, schema, redaction."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from benchmark_builders import (
    GATES,
    GET,
    a_benchmark,
    a_benchmark_run,
    a_benchmark_view,
    a_gate,
    a_load,
    nothing_sent,
    slow,
)
from report_builders import an_outcome
from wcwidth import wcswidth

from opsproof.benchmark.facts import BenchmarkFact
from opsproof.benchmark.files import read_benchmark
from opsproof.benchmark.judged import everything_of
from opsproof.evidence.redaction import Redactor
from opsproof.judge.limits import Lang
from opsproof.report.benchmarks.markdown import benchmark_block
from opsproof.report.benchmarks.parts import write_benchmark
from opsproof.report.cleaning import clean_benchmark
from opsproof.report.console import WIDTH, verdict_block
from opsproof.report.folder import read_run, write_run
from opsproof.report.schema import bench_schema, run_schema
from opsproof.report.summary import summary

SECRET = "hunter2-Tr0ub4dor&3"
TIGHT = {**GATES, "p95": a_gate("p95", "<= 200 ms")}


def a_slow_one() -> BenchmarkFact:
    return a_benchmark(slow, load=a_load(gates=TIGHT), profile="ingest/dr")


def a_doubted_one() -> BenchmarkFact:
    return a_benchmark(worker={"late": 400})


ALL = (a_benchmark, a_slow_one, a_doubted_one, nothing_sent)


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
def test_the_block_is_readable_in_100_columns(make: Callable[[], BenchmarkFact], lang: Lang) -> None:
    lines = verdict_block(a_benchmark_view(make()), None, lang)

    assert max(wcswidth(line.text) for line in lines) <= WIDTH
    assert any(line.text.startswith("BENCHMARK" if lang == "en" else "벤치마크") for line in lines)


def test_the_block_says_answer_and_doubts_in_their_colours() -> None:
    found = {line.text.strip(): line.markup for line in verdict_block(a_benchmark_view(a_slow_one()), None)}
    (head,) = (text for text in found if text.startswith("BENCHMARK"))
    (gate,) = (text for text in found if text.startswith("p95"))

    assert head.startswith("BENCHMARK  FAIL: ingest/dr, 1,100 of 1,100 arrivals")
    assert found[head]["red"]
    assert found[gate]["red"]
    doubted = " ".join(line.text for line in verdict_block(a_benchmark_view(a_doubted_one()), None))
    assert "not believed  the generator itself sent 40 %" in doubted


def test_the_summary_has_the_gates_and_the_page() -> None:
    text = summary(a_benchmark_view(a_benchmark(), a_slow_one()))

    assert "## Benchmark: ✔ PASS: ingest/staging, 1,100 of 1,100 arrivals, 50/s over 22 s" in text
    assert "| The p95 (`p95`) | **✘ FAIL** |" in text
    assert "| \\<= 200 ms |" in text
    assert "[bench.html](bench.html)" in text
    assert "[bench-2.html](bench-2.html)" in text


def test_the_step_summary_links_no_file_that_is_not_there() -> None:
    assert "bench.html" not in summary(a_benchmark_view(a_benchmark()), pictures=False)


def test_the_summary_says_why_it_is_not_believed_in_both_languages() -> None:
    english, korean = ("\n\n".join(benchmark_block(a_doubted_one(), "", lang)) for lang in ("en", "ko"))

    assert "**Why it is not believed**\n\n- the generator itself sent 40 %" in english
    assert "**신뢰할 수 없는 이유**\n\n- 부하 생성기 자체가 40 %" in korean


def test_a_benchmark_without_requests_tells_no_numbers() -> None:
    (row,) = (line for line in summary(a_benchmark_view(nothing_sent())).splitlines() if "(`p95`)" in line)

    assert row == "| The p95 (`p95`) | **? INCONCLUSIVE** | – | \\<= 400 ms | – | 0 | – |"


def test_each_benchmark_has_files_of_its_own(tmp_path: Path) -> None:
    """So that any of them can be compared with one of another run."""
    facts = (a_benchmark(), a_slow_one())
    folder = write_run(a_benchmark_run(*facts), [], tmp_path, Redactor())

    assert sorted(path.name for path in folder.glob("bench*")) == [
        "bench-2.html",
        "bench-2.json",
        "bench.html",
        "bench.json",
    ]
    assert read_benchmark(folder) == facts[0]
    assert read_benchmark(folder / "bench-2.json") == facts[1]
    assert read_run(folder).benchmarks == facts
    assert "ingest/dr" in (folder / "bench-2.html").read_text("utf-8")


def test_a_run_without_benchmarks_has_none_of_it(tmp_path: Path) -> None:
    folder = write_run(a_benchmark_run(), [], tmp_path, Redactor())

    assert not [*folder.glob("bench*")]
    assert "Benchmark" not in (folder / "summary.md").read_text("utf-8")


def test_a_plain_locust_run_leaves_both_files(tmp_path: Path) -> None:
    folder = write_benchmark(tmp_path / "one", a_benchmark(), "ko")

    assert sorted(path.name for path in folder.iterdir()) == ["bench.html", "bench.json"]
    assert '<html lang="ko">' in (folder / "bench.html").read_text("utf-8")


@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
def test_files_follow_their_published_schemas(make: Callable[[], BenchmarkFact], tmp_path: Path) -> None:
    """Other programs rely on docs/bench.schema.json."""
    folder = write_run(a_benchmark_run(make()), [], tmp_path, Redactor())

    for name, schema in (("bench.json", bench_schema()), ("run.json", run_schema())):
        content = json.loads((folder / name).read_text("utf-8"), parse_constant=pytest.fail)
        jsonschema.Draft202012Validator(json.loads(schema)).validate(content)


def test_the_published_schema_is_the_one_of_the_model() -> None:
    """It is made by `python -m opsproof.report.schema docs/bench.schema.json`."""
    published = Path(__file__).parents[3] / "docs" / "bench.schema.json"

    assert published.read_text("utf-8") == bench_schema()


def test_allure_has_page_and_numbers_at_the_checks_of_the_benchmark(tmp_path: Path) -> None:
    """Of the check's own profile, and at no other check."""
    run = a_benchmark_run(a_benchmark(), a_slow_one())
    run = run.model_copy(update={"outcomes": (*run.outcomes, an_outcome(profile="ingest/dr"))})
    folder = write_run(run, [], tmp_path, Redactor()) / "allure-results"

    attached = {}
    for path in folder.glob("*-result.json"):
        result = json.loads(path.read_text("utf-8"))
        attached[result["name"]] = {one["name"]: one for one in result.get("attachments", [])}
    second = attached["load.gate_p95[ingest/dr]"]
    assert set(attached["load.gate_p95[ingest/staging]"]) == {"bench.html", "bench.json"}
    assert set(second) == {"bench-2.html", "bench-2.json"}
    assert attached["health.service_is_up[ingest/dr]"] == {}
    assert second["bench-2.html"]["type"] == "text/html"
    assert "ingest/dr" in (folder / second["bench-2.html"]["source"]).read_text("utf-8")


def test_no_secret_reaches_a_file(tmp_path: Path) -> None:
    """Neither by a path nor by an error nor by a worker; the request keeps its gate and its times."""
    name = f"GET /items?key={SECRET}"
    load = a_load(gates={**GATES, "own": a_gate("p95", "<= 400 ms", name)})
    fact = a_benchmark(
        load=load,
        names=(name,),
        share_failed=0.1,
        error=f"401 for {SECRET}",
        worker={"user_errors": {f"KeyError: {SECRET}": 1}},
        host=f"http://ops:{SECRET}@10.0.0.5",
    )
    assert SECRET in fact.model_dump_json()

    folder = write_run(a_benchmark_run(fact), [], tmp_path, Redactor([SECRET]))

    files = [path for path in folder.rglob("*") if path.is_file()]
    assert not [path.name for path in files if SECRET in path.read_text("utf-8")]
    read = read_benchmark(folder)
    assert everything_of(read.requests).total == 1000
    assert [gate.request for gate in read.gates if gate.name == "own"] == [read.requests[0].name]
    assert f"Percentiles over time: {read.requests[0].name}" in (folder / "bench.html").read_text("utf-8")


def test_redaction_leaves_histograms_as_they_are() -> None:
    """A short secret may stand in base64 by chance; a histogram with a mask in it is none."""
    fact = a_benchmark()
    texts = [fact.requests[0].good, *(second.times[""] for second in fact.seconds)]
    pieces = {piece for text in texts for piece in re.split(r"[+/=]", text) if piece}

    cleaned = clean_benchmark(fact, Redactor(pieces))

    assert cleaned.requests == fact.requests
    assert cleaned.seconds == fact.seconds
    assert clean_benchmark(fact, Redactor([GET])).requests[0].name == "***"


@pytest.mark.parametrize(
    ("field", "text", "why"),
    [("good", "HISTFAAA", "a histogram"), ("good", "<b>", "requests.0.good"), ("ended", "x", "requests.0.ended")],
)
def test_a_file_that_was_changed_is_told(field: str, text: str, why: str, tmp_path: Path) -> None:
    """With the place, and never by a traceback."""
    content = json.loads(a_benchmark().model_dump_json())
    content["requests"][0][field] = text
    (tmp_path / "bench.json").write_text(json.dumps(content), encoding="utf-8")

    with pytest.raises(Exception, match=why) as raised:
        read_benchmark(tmp_path)
    assert type(raised.value).__name__ == "OpsproofError"
    assert "Take the file as a run has written it." in str(raised.value)
