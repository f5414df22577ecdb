"""
Measure the payload checks against the ingest service of the embedded stack, directly and through nginx.

With the service's own limit of 64 KiB, and with a limit of 100 MB: what a check holds in memory must not follow the
size of what it sends. Every run is verified: exit status 0, every check passed. What is told: the whole process, from
the interpreter's start to its end, the peak memory of it and its children, and what was sent.
"""

import argparse
import os
import platform
import re
import statistics
import sys
import tempfile
from pathlib import Path

from measuring.process import Ran, run

from opsproof.report.folder import read_run
from opsproof.stack import Stack
from opsproof.stack.faults import injected
from opsproof.stack.faults.settings import SettingsChanged

REPOSITORY = Path(__file__).parents[1]
LARGE = 100_000_000
LARGE_ANSWER = "10s"  # the service parses and stores 100 MB
LARGE_LIMIT = SettingsChanged(
    "large-limit",
    "bodies of up to 100 MB are taken, for as long as they need",
    frozenset({"ingest"}),
    lambda: {"MAX_REQUEST_BODY_BYTES": str(LARGE), "MAX_REQUEST_BODY_SECONDS": "60", "STATEMENT_SECONDS": "30"},
)
WAYS = {"directly": ["-k=app"], "directly and through nginx": []}


def main() -> int:
    """Measure, and print a table in Markdown; 1 if a run did not pass."""
    options = _options()
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print(
        "| limit | way | checks | sent at most | whole process | peak memory |\n| --- | --- | --: | --- | --: | --: |"
    )
    with Stack.start(["ingest"]) as stack, tempfile.TemporaryDirectory(prefix="opsproof-bench-") as folder:
        passed = [_measure(stack, Path(folder), way, options.rounds) for way in WAYS]
        with injected(LARGE_LIMIT, stack):
            expected = [f"--expect=payload.max_body_bytes={LARGE}", f"--expect=payload.answer_within={LARGE_ANSWER}"]
            passed.append(_measure(stack, Path(folder), "directly", options.rounds, *expected))
    return 0 if all(passed) else 1


def _measure(stack: Stack, folder: Path, way: str, rounds: int, *expected: str) -> bool:
    """One line of the table; whether every run passed."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "payload_guard", *WAYS[way], *expected]
    command += [f"--stack={stack.name}", "--profile=ingest/embedded", "--allow-writes=embedded", "--lang=en"]
    runs: list[Ran] = []
    for _ in range(rounds):
        ran = run(
            [*command, f"--rootdir={REPOSITORY}", f"--reports={folder}/reports", f"{REPOSITORY}/checks"],
            folder,
            dict(os.environ) | {"PYTHONPATH": str(REPOSITORY / "src")},
        )
        if ran.status:
            print(f"the run did not pass:\n{ran.output[-3000:]}", file=sys.stderr)
            return False
        runs.append(ran)
    outcomes = read_run(folder / "reports" / "latest").outcomes
    sent = re.search(r"send (.+?) \(", runs[-1].output)
    seconds = [ran.wall for ran in runs]
    peak = max((ran.peak or 0) for ran in runs) / 1_000_000
    limit = "100 MB" if expected else "64 KiB"
    spread = f"{statistics.median(seconds):.1f} s ({min(seconds):.1f} to {max(seconds):.1f})"
    print(f"| {limit} | {way} | {len(outcomes)} | {sent[1] if sent else ''} | {spread} | {peak:.0f} MB |", flush=True)
    return True


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="runs of each kind (default: 3)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
