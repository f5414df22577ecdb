"""Measure the peers in turn, several rounds, so that a busy moment of the machine hits all of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from measuring.peers import Cell, Peer, environment
from measuring.process import Ran, run
from measuring.server import Seen, Server


class RunFailed(Exception):
    """A run did not do what it was to do; its numbers would mean nothing."""


@dataclass
class Measured:
    """
    What was measured of one peer; medians of its rounds.

    Attributes:
        peer: Who.
        walls: Seconds of each round, the whole process.
        firsts: Seconds of each round from the start of the process to the first request at the server.
        peaks: Bytes of each round.
        most_at_once: The most requests that the server had under way at one time.
        missing: Why there is no number, or "".
    """

    peer: Peer
    walls: list[float] = field(default_factory=list)
    firsts: list[float] = field(default_factory=list)
    peaks: list[int] = field(default_factory=list)
    most_at_once: int = 0
    missing: str = ""

    @property
    def wall(self) -> float | None:
        """Median wall time in seconds."""
        return median(self.walls) if self.walls else None

    @property
    def first(self) -> float | None:
        """Median time to the first request in seconds."""
        return median(self.firsts) if self.firsts else None

    @property
    def peak(self) -> float | None:
        """Median peak memory in bytes."""
        return median(self.peaks) if self.peaks else None

    def add(self, ran: Ran, seen: Seen) -> None:
        """One more round."""
        self.walls.append(ran.wall)
        if seen.first is not None:
            self.firsts.append(seen.first - ran.started)
        if ran.peak is not None:
            self.peaks.append(ran.peak)
        self.most_at_once = max(self.most_at_once, seen.most_at_once)


def measure(
    cell: Cell,
    peers: Sequence[Peer],
    server: Server,
    folder: Path,
    *,
    rounds: int,
    longest: float,
    say: Callable[[str], None],
) -> list[Measured]:
    """
    Measure all peers in turn, one round after the other, after one round that only warms up (files that Python
    compiles, the disk's cache); of a peer that needs more than `longest` seconds for it, one round is all.

    Args:
        cell: What is asked.
        peers: Who is measured.
        server: Who answers.
        folder: Where the checks are written.
        rounds: How often.
        longest: Seconds; a peer that cannot be faster than this is not run. 0: all are run.
        say: Tells how far it is.

    Raises:
        RunFailed: A peer failed, or did not send each request once.
    """
    rows = [Measured(peer, missing=_why_not(peer, cell, longest)) for peer in peers]
    runnable = [row for row in rows if not row.missing]
    places = {id(row): folder / str(number) for number, row in enumerate(runnable)}
    for row in runnable:
        places[id(row)].mkdir(parents=True)
        row.peer.write(places[id(row)], server.url, cell)
    for number in range(rounds + 1):
        for row in runnable:
            once = at_least(row.peer, cell) > longest / 4 > 0
            if once and number > 0 and (number > 1 or row.walls):
                continue
            say(f"{cell.checks} checks, {cell.delay} ms, round {number or 'to warm up'}: {row.peer.name}")
            ran, seen = _run(row.peer, cell, server, places[id(row)], environment(folder.parent / "compiled"))
            if number > 0 or once:
                row.add(ran, seen)
    return rows


def at_least(peer: Peer, cell: Cell) -> float:
    """Seconds that the answers alone take."""
    return cell.checks / peer.at_once * cell.delay / 1000 if peer.at_once else 0.0


def _why_not(peer: Peer, cell: Cell, longest: float) -> str:
    if isinstance(peer.command, str):
        return peer.command
    if 0 < longest < at_least(peer, cell):
        return f"not run: takes at least {at_least(peer, cell):.0f} s (`--longest 0` runs it)"
    return ""


def _run(peer: Peer, cell: Cell, server: Server, folder: Path, environment: Mapping[str, str]) -> tuple[Ran, Seen]:
    server.forget()
    ran = run(list(peer.command), folder, environment)
    seen = server.seen()
    expected = cell.checks if peer.at_once else 0
    if ran.status != 0 or seen.requests != expected:
        raise RunFailed(
            f"{peer.name}, {cell}: exit status {ran.status}, {seen.requests} of {expected} requests\n"
            + ran.output[-2000:]
        )
    return ran, seen
