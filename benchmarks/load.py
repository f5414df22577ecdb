"""
Measure what measures: whether the times of `opsproof.load` are true, and what they cost beside plain Locust.

accuracy   A server of known latency, asked by opsproof, plain Locust and k6 one after the other. The truth is the open
           model: each request begins when it is due, and takes as long as the server's own watch says. The times of
           opsproof must be within 1 % or 1 ms of it, and within 2 % of those of k6.
cost       As many requests as can be made of nginx, by plain Locust and by opsproof in turns of half a second: requests
           for each second of a core, of which opsproof must keep 90 %.
processes  The same with one process and with two: two must make 1.7 times as many. nginx needs a part of the two cores
           as well; where that is the reason for less, the requests for each second of a core say so.
memory     A worker's meter takes ten million requests, and must stay under 64 MB.

Linux only (`/proc`, signals). Other work on the machine makes all numbers worse; what the generator and the server say
about themselves stands beside them.
"""

import argparse
import os
import platform
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from statistics import median

from measuring import latency, loaders
from measuring.k6 import find_k6
from measuring.loaders import K6, LOCUST, OPSPROOF, QUANTILES, Client, Plan, Said
from measuring.memory import measured
from measuring.rounds import RunFailed
from measuring.saturation import Nginx, Rate, in_turns, nginx

CLOSE_SHARE, CLOSE_SECONDS = 0.01, 0.001
LIKE_K6 = 0.02
LEAST_KEPT = 0.9
LEAST_GAIN = 1.7
MOST_MEMORY = 64_000_000
_USERS_AT_ONCE = 20
_MOST_RATE = 20_000
_LONG = 3600
_OPEN_USERS_SECONDS = 4.0


def main() -> int:
    """Measure, and print tables of Markdown; 1 if a bound is not met."""
    options = _options()
    print(
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, ",
        end="",
    )
    print(f"Locust {version('locust')}", flush=True)
    parts = {"accuracy": _accuracy, "cost": _cost, "processes": _processes, "memory": _memory}
    missed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="opsproof-bench-") as folder:
        for name, part in parts.items():
            if name in options.parts:
                missed += part(options, Path(folder))
    for text in missed:
        print(f"missed: {text}", file=sys.stderr)
    return 1 if missed else 0


def _accuracy(options: argparse.Namespace, folder: Path) -> list[str]:
    k6 = find_k6()
    clients: dict[str, Client] = {OPSPROOF: loaders.by_opsproof, LOCUST: loaders.by_locust}
    if isinstance(k6, Path):
        clients[K6] = loaders.by_k6(k6)
    missed = [] if K6 in clients else [k6]
    print(f"\n{options.rate} requests a second for {options.seconds} s\n")
    print("| latency | who | requests | p50 | p95 | p99 | off the truth | remark |")
    print("| --- | --- | --: | --: | --: | --: | --- | --- |", flush=True)
    for law in latency.LAWS:
        said: dict[str, list[tuple[float, ...]]] = {name: [] for name in clients}
        for number in range(options.rounds):
            for name, ask in clients.items():
                _say(f"{law}, round {number + 1} of {options.rounds}: {name}")
                place = folder / f"{law}-{number}-{name}".replace(" ", "-")
                place.mkdir()
                answer, true, late = _asked(ask, law, options, place)
                said[name].append(answer.quantiles + true)
                if name == OPSPROOF:
                    times = " | ".join(f"{one * 1000:.1f} ms" for one in true)
                    print(f"| {law} | the truth | {options.rate * options.seconds:,} | {times} | | {late} |")
                print(f"| {law} | {name} | {_row(answer, true)}", flush=True)
        missed += _judged(law, said)
    return missed


def _asked(ask: Client, law: str, options: argparse.Namespace, folder: Path) -> tuple[Said, tuple[float, ...], str]:
    """What a client says, the truth about the same requests, and how late the server's own timers were."""
    rate, seconds = options.rate, options.seconds
    with latency.serving(law, seconds) as server:
        answer = ask(Plan(server.url, rate, seconds, round(rate * _OPEN_USERS_SECONDS)), folder)
        served = server.served()
    if answer.failed or not served:
        raise RunFailed(f"{law}: {answer.failed} of {answer.requests} requests failed")
    true = latency.truth(served, latency.LAWS[law], rate, seconds)
    late = latency.late(served, latency.LAWS[law], seconds)
    middle, most = (latency.quantile(late, q) * 1000 for q in (0.5, 0.99))
    text = f"the server's timers are {middle:.1f} ms late, 1 % of them {most:.1f} ms"
    return answer, tuple(latency.quantile(true, q) for q in QUANTILES), text


def _row(answer: Said, true: tuple[float, ...]) -> str:
    times = " | ".join(f"{one * 1000:.1f} ms" for one in answer.quantiles)
    off = ", ".join(f"{one / other - 1:+.1%}" for one, other in zip(answer.quantiles, true, strict=True))
    return f"{answer.requests:,} | {times} | {off} | {answer.remark} |"


def _judged(law: str, said: dict[str, list[tuple[float, ...]]]) -> list[str]:
    """What is missed, by the medians of all rounds."""
    missed = []
    middle = {name: [median(column) for column in zip(*rounds, strict=True)] for name, rounds in said.items()}
    for place, q in enumerate(QUANTILES):
        ours, true = middle[OPSPROOF][place], median(one[place + 3] for one in said[OPSPROOF])
        what = f"{law}, p{q * 100:.0f}: {ours * 1000:.1f} ms"
        if not close(ours, true):
            missed.append(f"{what}, and the truth is {true * 1000:.1f} ms")
        if K6 in middle and abs(ours / middle[K6][place] - 1) > LIKE_K6:
            missed.append(f"{what}, and k6 says {middle[K6][place] * 1000:.1f} ms")
    return missed


def close(measured: float, true: float) -> bool:
    """Whether a time is within 1 % or 1 ms of the truth."""
    return abs(measured - true) <= max(CLOSE_SECONDS, CLOSE_SHARE * true)


def _cost(options: argparse.Namespace, folder: Path) -> list[str]:
    rates = _in_turns(options, folder / "cost", {LOCUST: [], OPSPROOF: []}, 0.5)
    print("\n| against nginx, in turns | requests a second | cores | of nginx | requests a second of a core |")
    print("| --- | --: | --: | --: | --: |")
    for name, turns in rates.items():
        print(f"| {name} | {_rate_row(turns)}")
    kept = per_core(rates[OPSPROOF]) / per_core(rates[LOCUST])
    rounds = [
        per_core(one) / per_core(other)
        for one, other in zip(_rounds(rates[OPSPROOF]), _rounds(rates[LOCUST]), strict=True)
    ]
    print(f"\nopsproof keeps {kept:.1%} (rounds of ten turns: {min(rounds):.1%} to {max(rounds):.1%})", flush=True)
    return [] if kept >= LEAST_KEPT else [f"opsproof keeps {kept:.1%} of plain Locust's requests a second of a core"]


def _processes(options: argparse.Namespace, folder: Path) -> list[str]:
    two = ["--processes", "2"]
    runs = {f"{LOCUST}, 1": [], f"{LOCUST}, 2": two, f"{OPSPROOF}, 1": [], f"{OPSPROOF}, 2": two}
    rates = _in_turns(options, folder / "processes", runs, 1.0)
    print("\n| processes | requests a second | cores | of nginx | requests a second of a core |")
    print("| --- | --: | --: | --: | --: |")
    for name, turns in rates.items():
        print(f"| {name} | {_rate_row(turns)}")
    gains = {}
    for who in (LOCUST, OPSPROOF):
        one, both = rates[f"{who}, 1"], rates[f"{who}, 2"]
        gains[who] = (_mean(both, "requests") / _mean(one, "requests"), 2 * per_core(both) / per_core(one))
        print(
            f"\n{who}: two processes make {gains[who][0]:.2f} times as many as one, "
            f"and with a core for each {gains[who][1]:.2f} times"
        )
    gain, alone = gains[OPSPROOF]
    return (
        [] if max(gain, alone) >= LEAST_GAIN else [f"two processes make {gain:.2f} times as many, {alone:.2f} by core"]
    )


def _memory(options: argparse.Namespace, _folder: Path) -> list[str]:
    print("\n| requests | over | by which the worker has grown |\n| --: | --: | --: |")
    missed = []
    for rate in (5_000, 1_000):
        _say(f"memory: {options.samples:,} requests at {rate}/s")
        grown = measured(options.samples, rate)
        print(f"| {grown.samples:,} | {grown.seconds:,} s | {grown.bytes / 1e6:.1f} MB |", flush=True)
        if grown.bytes > MOST_MEMORY:
            missed.append(f"{grown.samples:,} requests took {grown.bytes / 1e6:.1f} MB")
    return missed


def _in_turns(
    options: argparse.Namespace, folder: Path, runs: dict[str, list[str]], seconds: float
) -> dict[str, list[Rate]]:
    """All of these runs, with options of Locust each, as fast as they can."""
    with nginx() as server:
        commands = {}
        for name, more in runs.items():
            place = folder / name
            place.mkdir(parents=True)
            commands[name] = [*_as_fast_as_it_can(name, place, server), *more]
        _say(f"{folder.name}: {', '.join(runs)}, {options.turns} turns of {seconds} s each")
        return in_turns(commands, folder, server, turns=options.turns, seconds=seconds)


def _as_fast_as_it_can(name: str, folder: Path, server: Nginx) -> list[str]:
    if name.startswith(LOCUST):
        return loaders.plain(folder, server.url, _USERS_AT_ONCE, _LONG)
    return loaders.attached(Plan(server.url, _MOST_RATE, _LONG, _USERS_AT_ONCE), folder)


def per_core(turns: list[Rate]) -> float:
    """Requests for each second of a core, over all turns."""
    return sum(turn.requests for turn in turns) / sum(turn.generator for turn in turns)


def _rounds(turns: list[Rate]) -> list[list[Rate]]:
    return [turns[begin : begin + 10] for begin in range(0, len(turns), 10)]


def _rate_row(turns: list[Rate]) -> str:
    requests, cores, server = (_mean(turns, name) for name in ("requests", "generator", "server"))
    return f"{requests:,.0f} | {cores:.2f} | {server:.2f} | {per_core(turns):,.0f} |"


def _mean(turns: list[Rate], name: str) -> float:
    return sum(getattr(turn, name) for turn in turns) / len(turns)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    parts = ["accuracy", "cost", "processes", "memory"]
    add("--parts", nargs="+", choices=parts, default=parts, help="what is measured (default: all)")
    add("--rate", type=int, default=100, metavar="N", help="accuracy: requests a second (default: 100)")
    add("--seconds", type=int, default=40, metavar="S", help="accuracy: for so long (default: 40)")
    add("--rounds", type=int, default=1, metavar="N", help="accuracy: how often (default: 1)")
    add("--turns", type=int, default=40, metavar="N", help="cost, processes: of each generator (default: 40)")
    add("--samples", type=int, default=10_000_000, metavar="N", help="memory: requests (default: 10,000,000)")
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
