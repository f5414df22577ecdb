"""What became of every write: the ledger against the rows that are there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from opsproof.rehearsal.clock.ledger import Entry, Ledger
from opsproof.rehearsal.clock.ledger_table import Found
from opsproof.rehearsal.facts import LedgerFact

_SHOWN = 10


class Became(StrEnum):
    """What became of a write; every id is one of these, and only one."""

    OK = "ok"
    LOST = "lost"
    INDETERMINATE_PRESENT = "indeterminate_present"
    INDETERMINATE_ABSENT = "indeterminate_absent"
    UNEXPECTED = "unexpected"
    CONFLICTING = "conflicting"


@dataclass(frozen=True)
class Reconciled:
    """
    A ledger, and what became of each of its ids, and of ids that are there without it.

    Attributes:
        ledger: The ledger.
        became: By id.
        conflicts: Why an id is conflicting.
    """

    ledger: Ledger
    became: Mapping[int, Became]
    conflicts: Mapping[int, str]

    def ids(self, became: Became) -> tuple[int, ...]:
        """The ids of one class, in order."""
        return tuple(sorted(one for one, what in self.became.items() if what is became))

    def entries(self, became: Became) -> tuple[Entry, ...]:
        """The ledger's entries of one class, in order."""
        return tuple(entry for entry in self.ledger.entries if self.became[entry.id] is became)

    def fact(self, resolution: float | None = None) -> LedgerFact:
        """The sums, as run.json keeps them; with the resolution of the achieved RPO, or the writer's interval."""
        sums = {what.value: len(self.ids(what)) for what in Became}
        return LedgerFact(
            sent=len(self.ledger.entries),
            **sums,
            resolution=self.ledger.interval if resolution is None else resolution,
            first_lost=self.ids(Became.LOST)[:_SHOWN],
            sha256=self.ledger.sha256,
        )


def reconcile(ledger: Ledger, recovered: Iterable[Found], old: Iterable[Found] = ()) -> Reconciled:
    """
    Tell what became of every write.

    A row counts as the write's own only if its token and its writer are those that were sent. Writes that a server
    acknowledged after another one had taken over are on both sides of a split, and conflicting even if they are there.

    Args:
        ledger: What was sent and acknowledged.
        recovered: Rows on the recovered server, of the ledger's writer and of its ids.
        old: Rows on the old primary, where its data folder can still be read.
    """
    conflicts = _split(ledger)
    sent = {entry.id: entry for entry in ledger.entries}
    present: set[int] = set()
    unexpected: set[int] = set()
    for side, rows, counts in (("the recovered server", recovered, True), ("the old primary", old, False)):
        for row in rows:
            entry = sent.get(row.id)
            if entry is None:
                unexpected.add(row.id)
                continue
            if why := _differs(entry, row, ledger.writer):
                conflicts.setdefault(row.id, f"on {side}: {why}")
            if counts:
                present.add(row.id)
    became = dict.fromkeys(unexpected, Became.UNEXPECTED)
    for one, entry in sent.items():
        became[one] = Became.CONFLICTING if one in conflicts else _class(entry, present=one in present)
    return Reconciled(ledger, became, conflicts)


def _class(entry: Entry, *, present: bool) -> Became:
    if entry.acked is not None:
        return Became.OK if present else Became.LOST
    return Became.INDETERMINATE_PRESENT if present else Became.INDETERMINATE_ABSENT


def _differs(entry: Entry, row: Found, writer: str) -> str:
    if len(row.values) > 1:
        return f"{len(row.values)} rows have this id"
    if row.writers[0] != writer:
        return f"the row is of another writer: {row.writers[0]}"
    return "" if row.values[0] == entry.value else "the row has another value than was sent"


def _split(ledger: Ledger) -> dict[int, str]:
    """Writes that a server acknowledged though another one, or a later timeline of its own, had done so before."""
    over: set[tuple[str, int]] = set()
    newest: dict[str, int] = {}
    now: tuple[str, int] | None = None
    conflicts = {}
    for entry in sorted(ledger.acknowledged, key=lambda one: one.acked or one.sent):
        node = (entry.server.system, entry.server.timeline)
        if node == ("", 0):
            continue
        if node in over or node[1] < newest.get(node[0], 0):
            conflicts[entry.id] = f"timeline {node[1]} of system {node[0]} took it after {_name(now)} had taken over"
            continue
        if now is not None and node != now:
            over.add(now)
        now = node
        newest[node[0]] = node[1]
    return conflicts


def _name(node: tuple[str, int] | None) -> str:
    return f"timeline {node[1]} of system {node[0]}" if node else "another"
