"""bench.json: write it, and read it back."""

from pathlib import Path

from pydantic import ValidationError

from opsproof.benchmark.facts import BenchmarkFact
from opsproof.benchmark.histograms import times_of
from opsproof.errors import OpsproofError

BENCH_FILE = "bench.json"


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
        times_of(text for one in fact.requests for text in (one.good, one.bad, one.service))
        times_of(text for second in fact.seconds for text in second.times.values())
    except OSError as exc:
        raise OpsproofError(
            f"no benchmark: {exc.strerror}",
            where=str(file),
            next_step="Give a bench.json, or the folder of a run that has one.",
        ) from None
    except ValueError as exc:
        raise OpsproofError(
            f"not a benchmark that this opsproof can read: {_mistake(exc)}",
            where=str(file),
            next_step="Take the file as a run has written it.",
        ) from None
    return fact


def _mistake(exc: ValueError) -> str:
    if not isinstance(exc, ValidationError):
        return str(exc)
    first = exc.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the whole file'}: {first['msg']}"
