"""`opsproof bench`: show a benchmark again, and compare two."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from opsproof.errors import OpsproofError, PreconditionMissing

_ABOUT = """\
`pytest -m load` and `locust -f load/SYSTEM.py` leave a bench.json: the histograms of all times, the ledger of the
generators, and what the gates say of them (docs/benchmark-report.md). These commands read it; nothing is sent.
"""
_COMPARE = """\
Says of p50, p95, p99, mean and errors, of all requests and of each name that both have, whether the newer benchmark is
better, worse, or it cannot be told. Times are from the moment a request was due.

Each change has an interval, at 99 % for each of its ends. A number is worse only if its whole interval is: of
x1.05 .. x1.3 it is worse by at least 5 %. "x0.97 .. x1.08, cannot tell" is no proof that both are alike: it may be
worse by 8 %. More requests make intervals narrower. They are of these two runs: a machine that was busier during one of
them makes its times longer, too, so run both on the same quiet machine, more than once.

To have a release stopped by "at most 10 % worse", give a gate `worse: {ratio: 1.1}` in the profile, and `--baseline`
to the run.

Not compared are benchmarks of other plans (rate, duration, warm-up, time-out, writes), and none that is not believed
itself. Other generators (cores, versions, workers), profiles and hosts are warned of.
"""
_EXAMPLES = """\
examples:
  opsproof bench show reports/runs/latest
  opsproof bench compare reports/runs/20261121T101500Z-ab12cd reports/runs/latest
  opsproof bench compare before/bench.json after/bench-2.json --json | jq -r .answer
"""
_STATUS_OF_COMPARE = """
exit status: 0 no number is worse, 1 at least one is, 2 wrong usage, 6 nothing can be told: other plans, not believed,
too few requests, or a file that cannot be read
"""
_CANNOT_TELL = 6


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `opsproof bench`."""
    formatter = argparse.RawDescriptionHelpFormatter
    group = subparsers.add_parser(
        "bench",
        help="show a benchmark, compare two",
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=formatter,
    )
    commands = group.add_subparsers(title="commands", metavar="COMMAND", required=True)

    command = commands.add_parser(
        "show",
        help="print what a benchmark says, and write its page anew",
        description="Prints what a benchmark says, and writes its page (bench.html) anew beside it.",
        epilog="exit status: 0 it was shown, whatever it says, 1 it cannot be read or written, 2 wrong usage",
    )
    command.add_argument("file", type=Path, metavar="FILE", help="a bench.json, or a folder that has one")
    _add_lang(command)
    command.set_defaults(run=_show)

    command = commands.add_parser(
        "compare",
        help="better, worse or cannot tell, with intervals",
        description=_COMPARE,
        epilog=_EXAMPLES + _STATUS_OF_COMPARE,
        formatter_class=formatter,
    )
    command.add_argument("earlier", type=Path, metavar="EARLIER", help="a bench.json, or a folder that has one")
    command.add_argument("newer", type=Path, metavar="NEWER", help="the same, of what is asked about")
    command.add_argument("--json", action="store_true", help="print all numbers as JSON")
    _add_lang(command)
    command.set_defaults(run=_compare)


def _add_lang(command: argparse.ArgumentParser) -> None:
    command.add_argument("--lang", choices=("en", "ko"), default="en", help="default: en")


def _show(options: argparse.Namespace) -> int:
    return _with_libraries(_shown, options)


def _shown(options: argparse.Namespace) -> int:
    from opsproof.benchmark.files import BENCH_FILE, read_benchmark
    from opsproof.report.benchmarks.block import text_block
    from opsproof.report.benchmarks.document import document

    fact = read_benchmark(options.file)
    file: Path = options.file / BENCH_FILE if options.file.is_dir() else options.file
    page = file.with_suffix(".html")
    print(text_block(fact, options.lang, colour=_colour()))
    try:
        page.write_text(document(fact, options.lang), encoding="utf-8")
    except OSError as exc:
        raise OpsproofError(
            f"the page cannot be written: {exc.strerror}",
            where=str(page),
            next_step="Copy the file to where you may write, and show that one.",
        ) from None
    print(f"  {page}")
    return 0


def _compare(options: argparse.Namespace) -> int:
    try:
        return _with_libraries(_compared, options)
    except OpsproofError as exc:
        # 1 would say that something is worse.
        print(f"opsproof: {exc}", file=sys.stderr)
        return _CANNOT_TELL


def _compared(options: argparse.Namespace) -> int:
    from opsproof.benchmark.compared import compare_benchmarks
    from opsproof.benchmark.files import read_benchmark
    from opsproof.report.benchmarks.comparing import comparison_text

    fact = compare_benchmarks(read_benchmark(options.earlier), read_benchmark(options.newer))
    print(fact.model_dump_json(indent=2) if options.json else comparison_text(fact, options.lang, colour=_colour()))
    return fact.exit_status


def _with_libraries(command: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    try:
        return command(options)
    except ModuleNotFoundError as exc:
        raise PreconditionMissing(
            f"reading a benchmark needs {exc.name}",
            where="opsproof bench",
            next_step="pip install 'opsproof[load]'",
        ) from None


def _colour() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ
