"""
Measure the gate beside its peers, in one run, against one local server.

opsproof, the same checks as plain pytest with one shared httpx client, the same with two processes, newman with the
same requests, and the requests alone (the limit). They run in turn, round after round, so that ratios hold on a busy
machine, too. Every run is verified: exit status 0, and each request came exactly once.
"""

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path

from measuring.goals import cost_of_one_more, goals
from measuring.newman import find_newman
from measuring.peers import Cell, peers
from measuring.rounds import Measured, RunFailed, measure
from measuring.server import serving
from measuring.table import cell_table, cost_table, goal_table


def main() -> int:
    """
    Measure, and print tables as Markdown.

    Returns:
        0; 1 if a run failed. A goal that is missed is told, and is no failure: wall time is not the code's alone.
    """
    options = _options()
    newman = find_newman() if options.newman else "newman not run: --no-newman"
    results: dict[Cell, list[Measured]] = {}
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    with serving() as server, tempfile.TemporaryDirectory(prefix="opsproof-bench-") as folder:
        for cell in (Cell(checks, delay) for checks in options.checks for delay in options.delays):
            place = Path(folder, f"{cell.checks}-{cell.delay}")
            try:
                results[cell] = measure(
                    cell,
                    peers(options.budgets, newman),
                    server,
                    place,
                    rounds=options.rounds,
                    longest=options.longest,
                    say=_say,
                )
            except RunFailed as exc:
                print(f"a run failed: {exc}", file=sys.stderr)
                return 1
            print(cell_table(cell, results[cell], options.budgets[0]), end="\n\n", flush=True)
    print(goal_table(goals(results, options.budgets)), end="\n\n")
    print(cost_table({peer.name: cost_of_one_more(results, peer.name) for peer in peers(options.budgets, newman)}))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--checks", type=int, nargs="+", default=[60, 600], metavar="N", help="how many checks (default: 60 600)")
    add("--delays", type=int, nargs="+", default=[0, 50, 200], metavar="MS", help="answers after (default: 0 50 200)")
    add("--budgets", type=int, nargs="+", default=[8, 32], metavar="N", help="opsproof's budgets (default: 8 32)")
    add("--rounds", type=int, default=3, metavar="N", help="rounds after the one that warms up (default: 3)")
    add(
        "--longest",
        type=float,
        default=45,
        metavar="S",
        help="leave out who cannot be faster than this, and run who needs a quarter of it once; 0: all, always "
        "(default: 45)",
    )
    add("--no-newman", dest="newman", action="store_false", help="leave newman out")
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
