"""The files of a benchmark in a run folder."""

from collections.abc import Mapping
from pathlib import Path

from opsproof.benchmark.facts import BenchmarkFact
from opsproof.benchmark.files import BENCH_FILE
from opsproof.judge.limits import Lang
from opsproof.report.run import Run

PAGE_FILE = "bench.html"


def benchmark_files(number: int) -> tuple[str, str]:
    """
    The names of a benchmark's page and numbers: `bench.html` and `bench.json`, then `bench-2.html` and `bench-2.json`.

    Args:
        number: Its place in the run, from 0 on.
    """
    page, numbers = Path(PAGE_FILE), Path(BENCH_FILE)
    suffix = f"-{number + 1}" if number else ""
    return f"{page.stem}{suffix}{page.suffix}", f"{numbers.stem}{suffix}{numbers.suffix}"


def benchmark_parts(fact: BenchmarkFact, lang: Lang, number: int = 0) -> Mapping[str, str]:
    """
    The files of a benchmark, by name.

    Args:
        fact: The benchmark, redacted.
        lang: The operator's language.
        number: Its place in the run, from 0 on.
    """
    from opsproof.report.benchmarks.document import document

    page, numbers = benchmark_files(number)
    return {numbers: fact.model_dump_json(indent=1) + "\n", page: document(fact, lang)}


def run_parts(run: Run) -> Mapping[str, str]:
    """
    The files of all benchmarks of a run, by name; none without a benchmark.

    Args:
        run: The run, redacted.
    """
    return {
        name: text
        for number, fact in enumerate(run.benchmarks)
        for name, text in benchmark_parts(fact, run.lang, number).items()
    }


def write_benchmark(folder: Path, fact: BenchmarkFact, lang: Lang) -> Path:
    """
    Write the files of a benchmark that no run of pytest asked for.

    Args:
        folder: Of this benchmark alone; is made.
        fact: The benchmark, redacted.
        lang: The operator's language.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in benchmark_parts(fact, lang).items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder
