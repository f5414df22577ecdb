"""RTO, and the budgets of the phases, judged: what was not measured is not proven, and never zero seconds."""

from collections.abc import Mapping
from dataclasses import dataclass

from opsproof.rehearsal.clock.stopwatch import UNEXPLAINED
from opsproof.rehearsal.facts import Moments, ObjectiveFact, PhaseFact, Proof

OWN_CLUSTERS = "on clusters of its own: proven for those alone, it says nothing of an environment"
"""What is said of an objective that an embedded run measured."""


@dataclass(frozen=True)
class Scale:
    """
    How much was restored and replayed in the rehearsal, and how much it would be in production.

    Attributes:
        restored: Bytes of the copy that was restored.
        restore_seconds: What that took.
        full: Bytes of production; None if nobody says.
        replayed: Bytes of WAL that were replayed.
        replay_seconds: What that took.
        full_wal: Bytes of WAL between two backups of production, at most; None if nobody says.
    """

    restored: int
    restore_seconds: float
    full: int | None
    replayed: int = 0
    replay_seconds: float = 0.0
    full_wal: int | None = None

    def missing(self) -> str:
        """Why the times cannot be projected to the full size; "" if they can, or need not."""
        if self.full is None:
            return "nobody says how large production is (full_size)"
        if self.full > self.restored and not (self.restored > 0 and self.restore_seconds > 0):
            return f"the copy is smaller than production ({self.full} bytes), and no rate of the restore was measured"
        if (self.full_wal or 0) > self.replayed and not (self.replayed > 0 and self.replay_seconds > 0):
            return f"production replays up to {self.full_wal} bytes of WAL, and no rate of the replay was measured"
        return ""

    def longer(self) -> float:
        """Seconds that the full size takes longer; only where nothing is `missing`."""
        restore = _longer(self.full or 0, self.restored, self.restore_seconds)
        return restore + _longer(self.full_wal or 0, self.replayed, self.replay_seconds)

    def words(self) -> str:
        """What it comes to; "" if the copy is of full size."""
        if missing := self.missing():
            return f"not projected: {missing}"
        if not self.longer():
            return ""
        told = f"{self.restored} bytes were restored in {self.restore_seconds:.1f} s"
        if self.replayed:
            told += f" and {self.replayed} bytes of WAL replayed in {self.replay_seconds:.1f} s"
        wal = f" and {self.full_wal} bytes of WAL" if self.full_wal else ""
        return f"{told}; {self.full} bytes{wal} take {self.longer():.0f} s longer"


def rto(
    limit: float,
    moments: Moments,
    *,
    declared: float | None = None,
    scale: Scale | None = None,
    uncertainty: str = "",
    embedded: bool = False,
) -> ObjectiveFact:
    """
    RTO = T4 - T0, with what was declared for detection and declaration where they were not measured.

    Args:
        limit: Seconds.
        moments: The clock's points.
        declared: Seconds for detection and declaration; they count where T1 or T2 is not there.
        scale: Sizes, where times depend on them; None where they do not (a standby of full size takes over).
        uncertainty: The stopwatch's; a clock that nobody can trust proves nothing.
        embedded: Whether it ran on clusters of its own.

    Returns:
        The bounds: `lower` is what was measured, `upper` with what was declared and projected. The upper is judged.
    """
    measured = moments.t1 is not None and moments.t2 is not None
    if moments.t0 is None or moments.t4 is None:
        missing = " and ".join(name.upper() for name in ("t0", "t4") if getattr(moments, name) is None)
        return ObjectiveFact(
            name="RTO",
            limit=limit,
            lower=None,
            upper=None,
            resolution=None,
            proof=Proof.NOT_PROVEN,
            why=f"{missing} was not measured",
        )
    lower = (moments.t4 - moments.t0).total_seconds()
    added = 0.0 if measured else declared or 0.0
    upper = lower + added + (scale.longer() if scale and not scale.missing() else 0.0)
    gaps = [
        *([] if measured or declared is not None else ["detection and declaration (T1, T2): measured or declared"]),
        *([] if moments.t3 else ["the first committed write (T3)"]),
        *([f"the time at full size: {scale.missing()}"] if scale and scale.missing() else []),
        *([f"a trusted clock: {uncertainty}"] if uncertainty else []),
    ]
    why = [f"T4 - T0 = {lower:.2f} s", *_further(moments)]
    if added:
        why.append(f"{added:g} s are declared for detection and declaration, not measured")
    if scale and scale.words():
        why.append(scale.words())
    if embedded:
        why.append(OWN_CLUSTERS)
    if lower > limit and not uncertainty:
        proof = Proof.FAILED
    elif gaps:
        proof = Proof.NOT_PROVEN
        why.insert(0, "missing: " + ", ".join(gaps))
    else:
        proof = Proof.FAILED if upper > limit else Proof.PROVEN
    return ObjectiveFact(
        name="RTO", limit=limit, lower=lower, upper=upper, resolution=None, proof=proof, why="; ".join(why)
    )


def phases(budgets: Mapping[str, float], durations: Mapping[str, float]) -> tuple[PhaseFact, ...]:
    """
    The phases against their budgets: those with a budget in its order, then others, then the unexplained time.

    Args:
        budgets: Seconds by phase.
        durations: `Stopwatch.durations()`.

    Returns:
        What was not gone through has no seconds, and without a budget nothing is proven. The seconds sum to the whole.
    """
    names = [*budgets, *(name for name in durations if name not in budgets and name != UNEXPLAINED)]
    facts = [_phase(name, budgets.get(name), durations.get(name)) for name in names]
    if UNEXPLAINED in durations:
        facts.append(_phase(UNEXPLAINED, None, durations[UNEXPLAINED]))
    return tuple(facts)


def _phase(name: str, budget: float | None, seconds: float | None) -> PhaseFact:
    if budget is None or seconds is None:
        proof = Proof.NOT_PROVEN
    else:
        proof = Proof.PROVEN if seconds <= budget else Proof.FAILED
    return PhaseFact(name=name, budget=budget, seconds=seconds, proof=proof)


def _further(moments: Moments) -> list[str]:
    zero, told = moments.t0, []
    for name, at, what in (
        ("T3", moments.t3, "first committed write"),
        ("T5", moments.t5, "protected again"),
    ):
        spent = f"after {(at - zero).total_seconds():.2f} s" if at and zero else "not measured"
        told.append(f"{what} ({name}) {spent}")
    return told


def _longer(full: int, done: int, seconds: float) -> float:
    return (full - done) * seconds / done if full > done > 0 else 0.0
