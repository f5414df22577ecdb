"""The files of a benchmark in a run folder."""

from collections.abc import Mapping
from pathlib import Path

from opsproof.benchmark.facts import BenchmarkFact
from opsproof.benchmark.files import BENCH_FILE
from opsproof.judge.limits import Lang


def benchmark_parts(fact: BenchmarkFact, lang: Lang) -> Mapping[str, str]:
    """The files of a benchmark, by name."""
    return {BENCH_FILE: fact.model_dump_json(indent=1) + "\n"}


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
