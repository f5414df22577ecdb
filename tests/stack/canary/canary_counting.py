"""What is counted while something happens at a canary's site."""

from collections.abc import Iterator
from contextlib import contextmanager

from opsproof.stack.canary import CanarySite, Counted
from opsproof.stack.process import wait_for

SECONDS = 30.0
"""The longest wait for a number of requests."""


class Span:
    """From its begin until now."""

    def __init__(self, site: CanarySite) -> None:
        self._site = site
        self._before = {track: site.counted(track) for track in ("stable", "canary")}

    def __getitem__(self, track: str) -> Counted:
        return self._site.counted(track) - self._before[track]

    def wait(self, requests: int, track: str = "canary") -> Counted:
        """What a track has counted, once it has answered so many."""
        assert wait_for(lambda: self[track].requests >= requests, SECONDS, pause=0.1), self[track]
        return self[track]


@contextmanager
def played(fault, site: CanarySite, seconds: float) -> Iterator[Span]:
    """Inject a fault, play it over a watch of some seconds, and put all back."""
    fault.inject(site)
    try:
        with fault.played(site, seconds):
            yield Span(site)
    finally:
        fault.heal(site)
