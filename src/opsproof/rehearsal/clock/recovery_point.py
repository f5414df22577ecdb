"""RPO as the ledger shows it: bounds that enclose the truth, and how fine they are."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from opsproof.rehearsal.clock.ledger import Entry, Ledger
from opsproof.rehearsal.clock.objectives import OWN_CLUSTERS
from opsproof.rehearsal.clock.reconcile import Became, Reconciled
from opsproof.rehearsal.facts import ObjectiveFact, Proof

_SHARE = 10


@dataclass(frozen=True)
class Bounds:
    """
    How far before the failure the recovered data ends.

    Attributes:
        lower: Seconds from the first lost acknowledgement to the failure; 0 if none is lost.
        upper: Seconds from the last surviving write before that one to the failure, counted from its sending: it was
            committed later than that. None if no acknowledged write before it survived, or if the writer ended before
            it was asked to: a server that lived on may have acknowledged more, and nobody saw whether it is lost.
        resolution: The longest time without an acknowledgement in the stretch that counts, up to the failure; None
            without any acknowledgement.
        lost: Acknowledged writes that are gone.
    """

    lower: float
    upper: float | None
    resolution: float | None
    lost: tuple[Entry, ...]


def bounds(failure: datetime, reconciled: Reconciled, limit: float, *, sent_before: datetime | None = None) -> Bounds:
    """
    What the ledger says of the loss.

    A write that was acknowledged after the noted failure and is gone moves the failure to there: the server still
    worked, and what it took is lost all the same.

    Args:
        failure: T0; or the pollution.
        reconciled: The ledger and what became of it.
        limit: Seconds; the resolution is that of at least this long before the failure.
        sent_before: Count only losses that were sent before; None for all.
    """
    lost = [one for one in reconciled.entries(Became.LOST) if sent_before is None or one.sent < sent_before]
    there = reconciled.entries(Became.OK)
    surviving = [one for one in there if (one.id < lost[0].id if lost else _acked(one) <= failure)]
    last = surviving[-1] if surviving else None
    end, sure = failure, failure
    if lost and sent_before is None:
        end, sure = max(failure, _acked(lost[-1])), max(failure, lost[-1].sent)
    lower = max((sure - _acked(lost[0])).total_seconds(), 0.0) if lost else 0.0
    upper = max((end - last.sent).total_seconds(), lower) if last and reconciled.ledger.closed else None
    since = min(failure - timedelta(seconds=limit), last.sent if last else failure)
    return Bounds(lower, upper, _worst_gap(reconciled, since, failure), tuple(lost))


def rpo(
    limit: float, failure: datetime | None, reconciled: Reconciled | None, *, embedded: bool = False
) -> ObjectiveFact:
    """
    The achieved RPO: how much of what was acknowledged is lost, in seconds before the failure.

    Args:
        limit: Seconds.
        failure: T0.
        reconciled: The ledger and what became of it; None without one.
        embedded: Whether it ran on clusters of its own.

    Returns:
        Judged by its upper bound. Not proven if the writer was too slow or idle to see a loss of a tenth of the limit,
        or ended before it was asked to.
    """
    if failure is None or reconciled is None:
        return _unmeasured(limit, "T0 was not measured" if failure is None else "there is no ledger")
    seen = bounds(failure, reconciled, limit)
    if not seen.lost:
        told = "no acknowledged write is lost"
    else:
        first = seen.lost[0]
        told = f"{len(seen.lost)} acknowledged writes are lost, the first is id {first.id} of {first.sent.isoformat()}"
    late = [one for one in seen.lost if _acked(one) > failure]
    if late:
        told += f"; {len(late)} of them were acknowledged after the noted failure, which therefore counts from there"
    return _judged(limit, seen, reconciled, [told], embedded=embedded)


def polluted_rpo(
    limit: float,
    pollution: datetime | None,
    target: datetime | None,
    reconciled: Reconciled | None,
    *,
    embedded: bool = False,
) -> ObjectiveFact:
    """
    RPO after recovery to a moment before a pollution: good commits given up, from the target to the pollution.

    What was committed after the pollution and must be replayed is not part of it, and is counted in `why`.

    Args:
        limit: Seconds.
        pollution: When the pollution was committed.
        target: The moment that was recovered to.
        reconciled: The ledger and what became of it; None without one.
        embedded: Whether it ran on clusters of its own.
    """
    if pollution is None or target is None or reconciled is None:
        names = {"the time of the pollution": pollution, "the recovery's target": target, "a ledger": reconciled}
        return _unmeasured(limit, "missing: " + ", ".join(name for name, value in names.items() if value is None))
    given_up = (pollution - target).total_seconds()
    seen = bounds(pollution, reconciled, limit, sent_before=pollution)
    told = [
        f"recovered to {given_up:.2f} s before the pollution",
        f"{len(seen.lost)} acknowledged writes before it are given up",
        f"{to_replay(reconciled, pollution)} acknowledged writes after it are gone and must be replayed",
    ]
    early = [one for one in seen.lost if _acked(one) < target]
    if early:
        told.append(f"{len(early)} of them are from before the target: the recovery ended earlier than it says")
    upper: float | None = given_up
    if seen.lost or not reconciled.ledger.closed:
        upper = None if seen.upper is None else max(given_up, seen.upper)
    fact = _judged(limit, Bounds(seen.lower, upper, seen.resolution, seen.lost), reconciled, told, embedded=embedded)
    if given_up >= 0:
        return fact
    why = f"the target is {-given_up:.2f} s after the pollution, which is therefore still there; {fact.why}"
    return fact.model_copy(update={"proof": Proof.FAILED, "why": why})


def to_replay(reconciled: Reconciled, pollution: datetime) -> int:
    """How many acknowledged writes were sent after a pollution and are gone."""
    return sum(1 for one in reconciled.entries(Became.LOST) if one.sent >= pollution)


def _judged(limit: float, seen: Bounds, reconciled: Reconciled, told: list[str], *, embedded: bool) -> ObjectiveFact:
    proof, words = _proof(limit, seen, reconciled)
    ledger = reconciled.ledger
    if ledger.torn:
        told.append(f"{ledger.torn} lines of the ledger were torn when its writer was killed")
    if embedded:
        told.append(OWN_CLUSTERS)
    return ObjectiveFact(
        name="RPO",
        limit=limit,
        lower=seen.lower,
        upper=seen.upper,
        resolution=seen.resolution,
        proof=proof,
        why="; ".join([*words, *told]),
    )


def _proof(limit: float, seen: Bounds, reconciled: Reconciled) -> tuple[Proof, list[str]]:
    """What is said, by the first reason that holds; a definite loss wins over a doubt."""
    if conflicts := reconciled.conflicts:
        one, why = next(iter(conflicts.items()))
        return Proof.FAILED, [f"{len(conflicts)} writes are conflicting: id {one}: {why}"]
    if reconciled.ledger.uncertainty:
        return Proof.NOT_PROVEN, [f"the clocks cannot be compared: {reconciled.ledger.uncertainty}"]
    if seen.lower > limit:
        return Proof.FAILED, [f"at least {seen.lower:.2f} s are lost"]
    if unexpected := reconciled.ids(Became.UNEXPECTED):
        what = f"{len(unexpected)} rows are there that were never sent (id {unexpected[0]}): the ledger is not whole"
        return Proof.NOT_PROVEN, [what]
    if gone := died(reconciled.ledger):
        return Proof.NOT_PROVEN, [gone]
    if seen.resolution is None or seen.upper is None:
        return Proof.NOT_PROVEN, ["no acknowledged write from before the failure survived or was made"]
    if seen.resolution > limit / _SHARE:
        what = f"{seen.resolution:.2f} s without an acknowledged write, and at most {limit / _SHARE:g} s can prove it"
        return Proof.NOT_PROVEN, [f"the ledger was idle or too slow before the failure: {what}"]
    if seen.upper > limit:
        return Proof.FAILED, [f"up to {seen.upper:.2f} s are lost"]
    return Proof.PROVEN, []


def died(ledger: Ledger) -> str:
    """That the writer ended before the rehearsal asked it to, and when it was last seen at work; "" if it did not."""
    if ledger.closed:
        return ""
    last = "it has no acknowledgement"
    if told := ledger.acknowledged:
        last = f"its last acknowledgement is of {_acked(told[-1]).isoformat(timespec='seconds')}"
    return f"the outside writer ended before it was asked to: {last}, and what was acknowledged later is not known"


def _worst_gap(reconciled: Reconciled, since: datetime, failure: datetime) -> float | None:
    times = [_acked(one) for one in reconciled.ledger.acknowledged if _acked(one) <= failure]
    if not times:
        return None
    counted = [time for time in times if time >= since] or times[-1:]
    gaps = [(later - one).total_seconds() for one, later in zip(counted, [*counted[1:], failure], strict=True)]
    return max([*gaps, reconciled.ledger.interval])


def _acked(entry: Entry) -> datetime:
    if entry.acked is None:
        raise ValueError(f"id {entry.id} was not acknowledged")
    return entry.acked


def _unmeasured(limit: float, why: str) -> ObjectiveFact:
    return ObjectiveFact(
        name="RPO", limit=limit, lower=None, upper=None, resolution=None, proof=Proof.NOT_PROVEN, why=why
    )
