"""Ledgers for tests, made by hand."""

from datetime import UTC, datetime, timedelta

from opsproof.rehearsal.clock.ledger import Entry, Ledger, Server
from opsproof.rehearsal.clock.ledger_table import Found

WRITER = "opsproof-test"
ZERO = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def at(seconds):
    """So many seconds after the begin."""
    return ZERO + timedelta(seconds=seconds)


def entry(number, sent, acked=None, *, system="77", timeline=1):
    """A write that was sent, and acknowledged, so many seconds after the begin."""
    if acked is None:
        return Entry(number, f"v{number}", at(sent), why="no answer")
    return Entry(number, f"v{number}", at(sent), at(acked), Server(system, timeline, "0/1", "on"))


def ledger(*entries, interval=1.0, **changes):
    """A ledger of these writes."""
    told = {"torn": 0, "closed": True, "sha256": "0" * 64, **changes}
    return Ledger(writer=WRITER, interval=interval, entries=tuple(entries), **told)


def rows(*numbers):
    """The rows of these writes, as they were sent."""
    return [Found(number, (f"v{number}",), (WRITER,)) for number in numbers]
