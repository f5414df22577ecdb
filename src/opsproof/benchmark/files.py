"""bench.json: write it, and read it back."""

from pathlib import Path

from pydantic import ValidationError

from opsproof.benchmark.facts import BenchmarkFact
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
        return BenchmarkFact.model_validate_json(file.read_bytes())
    except OSError as exc:
        raise OpsproofError(
            f"no benchmark: {exc.strerror}",
            where=str(file),
            next_step="Give a bench.json, or the folder of a run that has one.",
        ) from None
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole file"
        raise OpsproofError(
            f"not a benchmark that this opsproof can read: {place}: {first['msg']}",
            where=str(file),
            next_step="Take the file as a run has written it.",
        ) from None
