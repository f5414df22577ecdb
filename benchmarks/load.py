"""
Measure what measures: whether the times of `opsproof.load` are true, and what they cost beside plain Locust.

accuracy   A server of known latency, asked by opsproof, plain Locust and k6 one after the other. The truth is the open
           model: each request begins when it is due, and takes as long as the server's own watch says. The times of
           opsproof must be within 1 % or 1 ms of it, and within 2 % of those of k6. On a busy machine it is repeated,
           and the round counts in which the server's own timers were least late.
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
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from measuring import latency, loaders
from measuring.k6 import find_k6
from measuring.loaders import K6, LOCUST, OPSPROOF, QUANTILES, Client, Plan, Said
from measuring.memory import measured
from measuring.rounds import RunFailed
from measuring.saturation import Nginx, Rate, in_turns, nginx

from opsproof.stack.ports import free_ports

CLOSE_SHARE, CLOSE_SECONDS = 0.01, 0.001
LIKE_K6 = 0.02
QUIET = 0.002
"""Seconds by which 5 % of the server's answers may be late where one round is enough."""
LEAST_KEPT = 0.9
LEAST_GAIN = 1.7
IDLE = 0.1
"""Cores that may be idle on a machine that has no more to give."""
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
    print("| latency | who | requests | p50 | p95 | p99 | off the truth | the server was late by | remark |")
    print("| --- | --- | --: | --: | --: | --: | --- | --: | --- |", flush=True)
    for law in latency.LAWS:
        best: dict[str, Round] = {}
        for number in range(options.rounds):
            for name in [name for name in clients if name not in best or best[name].late > QUIET]:
                _say(f"{law}, round {number + 1} of at most {options.rounds}: {name}")
                place = folder / f"{law}-{number}-{name}".replace(" ", "-")
                place.mkdir()
                one = _asked(clients[name], law, options, place)
                best[name] = min(best.get(name, one), one, key=lambda one: one.late)
        times = " | ".join(f"{one * 1000:.1f} ms" for one in best[OPSPROOF].true)
        print(f"| {law} | the truth | {options.rate * options.seconds:,} | {times} | | | |")
        for name, one in best.items():
            print(f"| {law} | {name} | {_row(one)}", flush=True)
        missed += judged(law, best)
    return missed


@dataclass(frozen=True)
class Round:
    """
    One client at the server, once.

    Attributes:
        said: What it says.
        true: The truth of the same quantiles, in seconds.
        late: Seconds by which 5 % of the server's answers were late at least: how busy the machine was.
    """

    said: Said
    true: tuple[float, ...]
    late: float


def _asked(ask: Client, law: str, options: argparse.Namespace, folder: Path) -> Round:
    rate, seconds = options.rate, options.seconds
    with latency.serving(law, seconds) as server:
        said = ask(Plan(server.url, rate, seconds, round(rate * _OPEN_USERS_SECONDS)), folder)
        served = server.served()
    if said.failed or not served:
        raise RunFailed(f"{law}: {said.failed} of {said.requests} requests failed")
    true = latency.truth(served, latency.LAWS[law], rate, seconds)
    late = latency.late(served, latency.LAWS[law], seconds)
    return Round(said, tuple(latency.quantile(true, q) for q in QUANTILES), latency.quantile(late, 0.95))


def _row(one: Round) -> str:
    said = one.said
    times = " | ".join(f"{one * 1000:.1f} ms" for one in said.quantiles)
    off = ", ".join(f"{ours / true - 1:+.1%}" for ours, true in zip(said.quantiles, one.true, strict=True))
    return f"{said.requests:,} | {times} | {off} | {one.late * 1000:.1f} ms | {said.remark} |"


def judged(law: str, rounds: Mapping[str, Round]) -> list[str]:
    """
    What is missed.

    Args:
        law: Name of the server's law.
        rounds: By client.
    """
    missed = []
    ours, peer = rounds[OPSPROOF], rounds.get(K6)
    for place, q in enumerate(QUANTILES):
        said, true = ours.said.quantiles[place], ours.true[place]
        what = f"{law}, p{q * 100:.0f}: opsproof says {said * 1000:.1f} ms"
        if abs(said - true) > max(CLOSE_SECONDS, CLOSE_SHARE * true):
            missed.append(f"{what}, and the truth is {true * 1000:.1f} ms")
        if peer and abs(said / peer.said.quantiles[place] - 1) > LIKE_K6:
            missed.append(f"{what}, and k6 {peer.said.quantiles[place] * 1000:.1f} ms")
    if missed and (late := max(one.late for one in rounds.values())) > QUIET:
        missed.append(f"{law}: the machine was busy; 5 % of the server's own answers were {late * 1000:.0f} ms late")
    return missed


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
    runs: dict[str, list[str]] = {}
    for who, port in free_ports([LOCUST, OPSPROOF], ()).items():
        # Each master has a port of its own: the others' workers would go to the one that stands still.
        two = ["--processes", "2", "--master-bind-port", str(port), "--master-port", str(port)]
        runs |= {f"{who}, 1": [], f"{who}, 2": two}
    rates = _in_turns(options, folder / "processes", runs, 1.0)
    print("\n| processes | requests a second | cores | of nginx | requests a second of a core |")
    print("| --- | --: | --: | --: | --: |")
    for name, turns in rates.items():
        print(f"| {name} | {_rate_row(turns)}")
    gains = {who: gain(rates[f"{who}, 1"], rates[f"{who}, 2"]) for who in (LOCUST, OPSPROOF)}
    for who, one in gains.items():
        print(f"\n{who}: two processes make {one.requests:.2f} times as many requests as one, {one.why}", flush=True)
    ours = gains[OPSPROOF]
    return [] if ours.enough else [f"two processes make {ours.requests:.2f} times as many as one, {ours.why}"]


@dataclass(frozen=True)
class Gain:
    """
    What a second process brings.

    Attributes:
        requests: Times as many.
        cores: Times as many cores as one process used; less than two where there were no more.
        idle: Cores that nobody used meanwhile.
    """

    requests: float
    cores: float
    idle: float

    @property
    def enough(self) -> bool:
        """If it falls short, then since there was no core for it, and with one it would not have."""
        return self.requests >= LEAST_GAIN or (self.idle <= IDLE and 2 * self.requests / self.cores >= LEAST_GAIN)

    @property
    def why(self) -> str:
        """In words."""
        with_two = 2 * self.requests / self.cores
        return f"on {self.cores:.2f} times the cores ({self.idle:.2f} idle); with a core for each {with_two:.2f} times"


def gain(one: list[Rate], two: list[Rate]) -> Gain:
    """Compare the turns of one process with those of two."""
    requests, cores = (_mean(two, name) / _mean(one, name) for name in ("requests", "generator"))
    return Gain(requests, cores, _mean(two, "idle"))


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
    add("--rounds", type=int, default=3, metavar="N", help="accuracy: at most, on a busy machine (default: 3)")
    add("--turns", type=int, default=40, metavar="N", help="cost, processes: of each generator (default: 40)")
    add("--samples", type=int, default=10_000_000, metavar="N", help="memory: requests (default: 10,000,000)")
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
