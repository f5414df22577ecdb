"""bench.json: write it, and read it back."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from opsproof.benchmark.facts import BenchmarkFact, Histogram
from opsproof.benchmark.histograms import decoded
from opsproof.errors import OpsproofError

BENCH_FILE = "bench.json"
LOCUSTS_OWN = "locust.html"
"""Locust's own report, beside ours: its percentiles are rounded, and of service times."""
PARENT = "OPSPROOF_BENCH_PARENT"
"""Variable with the id of the process that waits for a benchmark: without it, the load ends."""


def read_benchmark(path: Path) -> BenchmarkFact:
    """
    Read a benchmark.

    Args:
        path: A bench.json, or a folder that has one.

    Raises:
        OpsproofError: There is none, or it cannot be read.
    """
    file = path / BENCH_FILE if path.is_dir() else path
    try:
        fact = BenchmarkFact.model_validate_json(file.read_bytes())
        for histogram in _histograms(fact):
            decoded(histogram)
    except OSError as exc:
        raise OpsproofError(
            f"no benchmark: {exc.strerror}",
            where=str(file),
            next_step="Give a bench.json, or the folder of a run that has one.",
        ) from None
    except ValueError as exc:
        raise OpsproofError(
            f"not a benchmark that this opsproof can read: {_told(exc)}",
            where=str(file),
            next_step="Take the file as a run has written it.",
        ) from None
    return fact


def _histograms(fact: BenchmarkFact) -> Iterator[Histogram]:
    for request in fact.requests:
        yield from (request.good, request.bad, request.service)
    for second in fact.seconds:
        yield from second.times.values()


def _told(exc: ValueError) -> str:
    if not isinstance(exc, ValidationError):
        return str(exc)
    first = exc.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the whole file'}: {first['msg']}"
