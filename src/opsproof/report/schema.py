"""The published JSON Schema of run.json: `python -m opsproof.report.schema [FILE]` prints it, or writes it."""

import json
import sys
from pathlib import Path

from opsproof.report.run import Run


def run_schema() -> str:
    """The JSON Schema of run.json, as text."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:opsproof:run:1",
        **Run.model_json_schema(mode="serialization"),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(run_schema(), encoding="utf-8")
    else:
        sys.stdout.write(run_schema())
