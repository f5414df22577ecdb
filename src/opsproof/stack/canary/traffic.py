"""
What users ask the two tracks for, and the process that asks it.

`python -m opsproof.stack.canary.traffic FILE` sends what FILE says, until it is ended; FILE may change at any time.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from opsproof.stack.services.common.users import Visit, pay

Mix = Literal["usual", "cached"]
TRACKS = ("stable", "canary")

_EXECUTIONS = "/api/v1/judgment/executions"
_READINGS = {"temperature": 62.5, "vibration": 2.1}
_PATIENCE_SECONDS = 20.0
_TICK_SECONDS = 0.01
_MOST_BEHIND_SECONDS = 1.0
_SEED = 7


def _judgment(workflow_id: str, *, use_cache: bool, weight: int) -> Visit:
    body = {"workflow_id": workflow_id, "input": _READINGS, "use_cache": use_cache}
    return Visit(_EXECUTIONS, "POST", body, weight=weight)


_CACHED = _judgment("press-maintenance", use_cache=True, weight=2)
MIXES: dict[Mix, tuple[Visit, ...]] = {
    "usual": (
        _judgment("defect-vision", use_cache=False, weight=16),
        _CACHED,
        Visit(f"{_EXECUTIONS}?limit=5"),
        Visit("/api/v1/learning/rulesets"),
    ),
    "cached": (_CACHED,),
}
"""Four of five usual requests ask the language model; of those that the cache answers, none does."""


@dataclass(frozen=True)
class Traffic:
    """
    What users send, by an open model: a slow answer delays no other request.

    The runbook's canary has a tenth of the traffic for twenty minutes. In one minute a third of it is needed for enough
    requests: 1,500 tell 2 % of errors from "< 1 %" with all looks and criteria counted.

    Attributes:
        per_second: Requests to both tracks together.
        weight: The share of them that the canary gets.
        mix: What the canary is asked for; the stable track always has the usual mix.
    """

    per_second: float = 75.0
    weight: float = 1 / 3
    mix: Mix = "usual"

    def rate(self, track: str) -> float:
        """Requests a second to a track."""
        return self.per_second * (self.weight if track == "canary" else 1 - self.weight)

    def without_canary(self) -> Traffic:
        """The same, but the canary gets nothing."""
        return replace(self, per_second=self.rate("stable"), weight=0.0)

    def told(self, ports: dict[str, list[int]]) -> str:
        """The file for the process that sends it; `ports` are those of each track's processes."""
        return json.dumps({"traffic": asdict(self), "ports": ports})


class _Sender:
    """Sends what a file says."""

    def __init__(self, file: Path, api_key: str) -> None:
        self._file = file
        self._api_key = api_key
        self._told = ""
        self._streams = {track: _Stream() for track in TRACKS}
        self._under_way: set[asyncio.Task[None]] = set()

    async def send(self) -> None:
        clock = asyncio.get_running_loop().time
        before = clock()
        while True:
            self._read()
            now = clock()
            for stream in self._streams.values():
                for visit, port in stream.due(min(now - before, _MOST_BEHIND_SECONDS)):
                    task = asyncio.create_task(self._pay(visit, port))
                    self._under_way.add(task)
                    task.add_done_callback(self._under_way.discard)
            before = now
            await asyncio.sleep(_TICK_SECONDS)

    def _read(self) -> None:
        with suppress(FileNotFoundError):  # before the first traffic
            text = self._file.read_text(encoding="utf-8")
            if text != self._told:
                self._told = text
                known = json.loads(text)
                traffic = Traffic(**known["traffic"])
                for track, stream in self._streams.items():
                    mix: Mix = traffic.mix if track == "canary" else "usual"
                    stream.change(traffic.rate(track), MIXES[mix], known["ports"][track])

    async def _pay(self, visit: Visit, port: int) -> None:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await pay(visit, port, self._api_key)


class _Stream:
    """The requests to one track: evenly spread, in an order that is shuffled, and the same each time."""

    def __init__(self) -> None:
        self._owed = 0.0
        self._rate = 0.0
        self._visits: Iterator[Visit] = iter(())
        self._ports: list[int] = []
        self._mix: tuple[Visit, ...] = ()

    def change(self, rate: float, mix: tuple[Visit, ...], ports: list[int]) -> None:
        self._rate, self._ports = rate, ports
        if mix != self._mix:
            self._mix, self._visits = mix, _shuffled(mix)

    def due(self, seconds: float) -> Iterator[tuple[Visit, int]]:
        """What is to be sent after so many further seconds."""
        self._owed += seconds * self._rate if self._ports else 0.0
        while self._owed >= 1:
            self._owed -= 1
            self._ports = [*self._ports[1:], self._ports[0]]
            yield next(self._visits), self._ports[-1]


def _shuffled(mix: tuple[Visit, ...]) -> Iterator[Visit]:
    order = random.Random(_SEED)  # noqa: S311  # no secret depends on it
    visits = [visit for visit in mix for _ in range(visit.weight)]
    while True:
        order.shuffle(visits)
        yield from visits


def main(argv: list[str]) -> Any:
    """Send until the process is ended; its environment has the API_KEY."""
    asyncio.run(_Sender(Path(argv[0]), os.environ["API_KEY"]).send())


if __name__ == "__main__":
    main(sys.argv[1:])
