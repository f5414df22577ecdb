"""
Measure a window: 100 checks sampled every second, 10,000 samples.

The run is verified: exit status 0, stable, every check sampled in every round, no gap. What is told: the share of one
core that pytest's process took while it sampled, the most requests that the server had under way at once (the target's
budget is 8), and the process's memory after a tenth of the samples and after all of them. Linux only (`/proc`).
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring.server import Server, serving

from opsproof.report.folder import read_run

REPOSITORY = Path(__file__).parents[1]
PYPROJECT = '[tool.pytest]\naddopts = ["--disable-plugin-autoload"]\nmarkers = ["recovery: after an incident"]\n'
PROFILE = """\
system: bench
environment: local
title: {{en: Bench, ko: 벤치}}
targets: {{api: {{kind: http, url: "{url}"}}}}
"""
CHECK = """\
import pytest
from opsproof import runbook

@pytest.mark.parametrize("number", range({checks}))
@runbook("BENCH-1", severity="SEV-2", next_step="None.")
async def test_well(api, number):
    assert (await api.get(f"/after/5/{{number}}")).ok
"""
LARGEST_SHARE = 0.30
LARGEST_GROWTH = 0.05


def main() -> int:
    """Measure, and print a line of Markdown; 1 if the run did not pass or a goal is missed."""
    options = _options()
    rounds = -(-options.samples // options.checks)
    with serving() as server, tempfile.TemporaryDirectory(prefix="opsproof-bench-") as folder:
        place = Path(folder)
        _write(place, server, options.checks)
        command = [sys.executable, "-m", "pytest", "checks", "-q", "--profile=bench/local", "--lang=en"]
        command += [f"--stable-for={rounds}s", "--interval=1s", f"--deadline={3 * rounds}s", f"--reports={place}/runs"]
        environment = dict(os.environ) | {"PYTHONPATH": str(REPOSITORY / "src")}
        with subprocess.Popen(command, cwd=place, env=environment, stdout=subprocess.PIPE, text=True) as process:
            early = _reading(process.pid, server, options.samples // 10)
            late = _reading(process.pid, server, options.samples)
            output, _ = process.communicate()
        run = read_run(place / "runs" / "latest") if process.returncode == 0 else None
        most = server.seen().most_at_once
    if run is None or run.window is None or run.window.samples < options.samples or run.window.gaps:
        print(f"the run did not pass, or missed samples:\n{output[-3000:]}", file=sys.stderr)
        return 1
    share = (late.cpu - early.cpu) / (late.at - early.at)
    growth = late.memory / early.memory - 1
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print("| checks | samples | share of a core | most at once | memory at a tenth | at the end |")
    print("| --: | --: | --: | --: | --: | --: |")
    memory = f"{early.memory / 1e6:.1f} MB | {late.memory / 1e6:.1f} MB ({growth:+.1%})"
    print(f"| {options.checks} | {run.window.samples:,} | {share:.1%} | {most} | {memory} |")
    return 0 if share <= LARGEST_SHARE and growth <= LARGEST_GROWTH else 1


class _Reading:
    """CPU seconds and resident bytes of a process at a time."""

    def __init__(self, pid: int) -> None:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        self.at = time.monotonic()
        self.cpu = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
        self.memory = int(stat[21]) * os.sysconf("SC_PAGE_SIZE")


def _reading(pid: int, server: Server, requests: int) -> _Reading:
    """The reading once the server has had so many requests, or the process has ended."""
    while server.seen().requests < requests and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][1] != "Z":
        time.sleep(0.2)
    return _Reading(pid)


def _write(place: Path, server: Server, checks: int) -> None:
    (place / "pyproject.toml").write_text(PYPROJECT)
    (place / "conftest.py").write_text('pytest_plugins = ["opsproof.plugin"]\n')
    (place / "profiles" / "bench").mkdir(parents=True)
    (place / "profiles" / "bench" / "local.yaml").write_text(PROFILE.format(url=server.url))
    (place / "checks").mkdir()
    (place / "checks" / "test_bench.py").write_text(CHECK.format(checks=checks))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checks", type=int, default=100, metavar="N", help="how many (default: 100)")
    parser.add_argument("--samples", type=int, default=10_000, metavar="N", help="how many (default: 10,000)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
