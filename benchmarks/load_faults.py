"""
Faults of a load test, by Locust with the gate of its own documentation and by Locust with opsproof: who notices?

Prints the table of docs/performance.md: python benchmarks/load_faults.py. It takes about six minutes.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "load"))

from load_runs import GATES, Ran, children, locust, plain, read_until, serving, settled, write_profile

RATE, USERS = 100, 20
MEAN = {"mean": 'measure: mean, limit: "<= 250 ms"'}
Meanwhile = Callable[["subprocess.Popen[str]"], None]


def nothing(_: "subprocess.Popen[str]") -> None:
    """Let it run."""


def kill_a_worker(process: "subprocess.Popen[str]", number: int = signal.SIGKILL) -> None:
    """After three seconds of load."""
    read_until(process, "All users spawned")
    time.sleep(3)
    os.kill(children(process)[0], number)


def end_a_worker(process: "subprocess.Popen[str]") -> None:
    """As an eviction does."""
    kill_a_worker(process, signal.SIGTERM)


def interrupt(process: "subprocess.Popen[str]") -> None:
    """After three seconds of load."""
    read_until(process, "All users spawned")
    time.sleep(3)
    process.send_signal(signal.SIGINT)


@dataclass(frozen=True)
class Fault:
    """
    A fault.

    Attributes:
        name: For the table.
        right: The answers that are right.
        users: Classes of both locustfiles.
        server: How the server behaves.
        seconds: Of load.
        options: More options of both.
        meanwhile: What happens meanwhile.
        plan: What else the profile says.
    """

    name: str
    right: tuple[str, ...]
    users: str = "Reads"
    server: dict[str, Any] = field(default_factory=dict)
    seconds: float = 10
    options: tuple[str, ...] = ()
    meanwhile: Meanwhile = nothing
    plan: dict[str, Any] = field(default_factory=dict)


FAULTS = [
    Fault("none", ("PASS",)),
    Fault("a stall of 5 s in 40 s", ("FAIL",), server={"stall_at": 15.0, "stall": 5.0}, seconds=40),
    Fault("10 % of the requests hang for a minute", ("FAIL",), server={"hang": 10}, seconds=15),
    Fault("one of two workers is killed", ("INCONCLUSIVE",), options=("--processes", "2"), meanwhile=kill_a_worker),
    Fault(
        "one of three workers is told to end", ("INCONCLUSIVE",), options=("--processes", "3"), meanwhile=end_a_worker
    ),
    Fault("95 % of the tasks find nothing to ask", ("INCONCLUSIVE",), "Skips"),
    Fault("the only worker is killed", ("INCONCLUSIVE",), options=("--processes", "1"), meanwhile=kill_a_worker),
    Fault("every user raises before a request", ("INCONCLUSIVE",), "Raises"),
    Fault("no user leaves `on_start`", ("INCONCLUSIVE",), "NeverReady", plan={"timeout": "2s"}),
    Fault("the generator computes more than it has processor for", ("INCONCLUSIVE",), "Computes"),
    Fault("2 % of the answers have status 500", ("FAIL",), server={"failing": 2}),
    Fault(
        "3 % are errors with status 200, and the task looks at the body",
        ("FAIL",),
        "LooksAtTheBody",
        {"failing": 3, "in_body": True},
    ),
    Fault("p95 is 396 ms (limit 400)", ("PASS",), server={"slow": 8, "slow_delay": 0.393}),
    Fault("p95 is 404 ms (limit 400)", ("FAIL",), server={"slow": 8, "slow_delay": 0.4015}),
    Fault(
        "the first 1.5 s are slow, and a warm-up of 3 s",
        ("PASS",),
        server={"slow_until": 1.5, "slow_delay": 1.0},
        plan={"warm_up": "3s"},
    ),
    Fault("the target is gone after 8 s of 10", ("FAIL", "INCONCLUSIVE"), server={"down_at": 8.0}),
    Fault("Ctrl-C after 3 s of 10", ("INCONCLUSIVE",), meanwhile=interrupt),
]


def ours(fault: Fault) -> Ran:
    """With opsproof."""

    def once() -> Ran:
        with serving(**fault.server) as port:
            write_profile(
                folder, port, gates=GATES | MEAN, **{"rate": RATE, "duration": f"{fault.seconds:g}s"} | fault.plan
            )
            return locust(folder, fault.users, *fault.options, meanwhile=fault.meanwhile)

    folder = Path(tempfile.mkdtemp())
    return once() if fault.users == "Computes" else settled(once)


def theirs(fault: Fault) -> Ran:
    """Locust alone."""
    folder = Path(tempfile.mkdtemp())
    with serving(**fault.server) as port:
        return plain(
            folder,
            fault.users,
            *fault.options,
            port=port,
            count=USERS,
            seconds=fault.seconds,
            rate=RATE,
            meanwhile=fault.meanwhile,
        )


def why(ran: Ran) -> str:
    """The first reason of what opsproof said, or its p95."""
    said = ran.fact.reasons[0]["en"] if ran.fact.reasons else ran.fact.gates[0].reason["en"]
    return said.replace("|", "/")


def main() -> None:
    """Run all of them, one after the other."""
    # Who is started in the background ignores SIGINT, and so would every Locust.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print("| fault | Locust's own gate | exit | right | opsproof | exit | because | right |")
    print("| --- | --- | --: | --- | --- | --: | --- | --- |")
    for fault in FAULTS:
        if len(sys.argv) > 1 and sys.argv[1] not in fault.name:
            continue
        alone, with_us = theirs(fault), ours(fault)
        seen = re.findall(r"^PLAIN (.*)$", alone.output, re.MULTILINE)
        told = "pass" if alone.status == 0 else "fail"
        fits = told == "pass" if fault.right == ("PASS",) else told == "fail"
        answer = str(with_us.fact.answer)
        print(
            f"| {fault.name} | {told}: {seen[-1] if seen else '-'} | {alone.status} | {'yes' if fits else '**no**'} "
            f"| {answer} | {with_us.status} | {why(with_us)} | {'yes' if answer in fault.right else '**no**'} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
