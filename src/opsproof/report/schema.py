"""
The published JSON Schemas of run.json, verdict.json and bench.json.

`python -m opsproof.report.schema` prints that of run.json; `python -m opsproof.report.schema FILE` writes the one that
the file is named after: `run.schema.json`, `verdict.schema.json` or `bench.schema.json`.
"""

import json
import sys
from pathlib import Path

from pydantic import BaseModel

from opsproof.benchmark.facts import BenchmarkFact
from opsproof.report.canaries.verdict import VerdictFile
from opsproof.report.run import Run


def run_schema() -> str:
    """The JSON Schema of run.json, as text."""
    return _schema("run", Run)


def verdict_schema() -> str:
    """The JSON Schema of verdict.json, as text."""
    return _schema("verdict", VerdictFile)


def bench_schema() -> str:
    """The JSON Schema of bench.json, as text."""
    return _schema("bench", BenchmarkFact)


def _schema(name: str, model: type[BaseModel]) -> str:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:opsproof:{name}:1",
        **model.model_json_schema(mode="serialization"),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        path = Path(sys.argv[1])
        made = {"run": run_schema, "verdict": verdict_schema, "bench": bench_schema}
        path.write_text(made[path.name.removesuffix(".schema.json")](), encoding="utf-8")
    else:
        sys.stdout.write(run_schema())
