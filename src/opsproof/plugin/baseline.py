"""The run of `--baseline`: read, refused where it cannot say what is new, and held against this one."""

from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path

from opsproof.errors import OpsproofError
from opsproof.judge.baseline import BaselineFact, bad_in_both, healed
from opsproof.judge.outcome import Outcome
from opsproof.profile.scalars import moment_text
from opsproof.report.folder import read_run
from opsproof.report.run import Run


def read_baseline(folder: Path) -> Run:
    """
    The run of a folder, to hold another one against.

    Raises:
        OpsproofError: There is no run; or it is a replay, or has no outcomes, and says nothing of its time.
    """
    run = read_run(folder)
    where = f"--baseline {folder}"
    if run.replay_of:
        raise OpsproofError(
            f"the baseline is a replay: it judged the evidence of run {run.replay_of} again, and asked nothing itself",
            where=where,
            next_step=f"Name the folder of run {run.replay_of} itself.",
        )
    if not run.outcomes:
        raise OpsproofError(
            f"the baseline, run {run.id}, has no outcome of any check",
            where=where,
            next_step="Name the folder of a run that came to its end.",
        )
    return run


def refuse_unfit(
    baseline: Run, profiles: Collection[str], *, timezone: str, started: datetime, incident: datetime | None
) -> None:
    """
    Refuse a baseline that cannot say what was there before.

    Args:
        baseline: The run that was named.
        profiles: Profiles of this run.
        timezone: Zone of the operators.
        started: When this run began, or the one whose evidence is judged again.
        incident: When the incident began; None if nobody said so.

    Raises:
        OpsproofError: It is of other profiles, it is this very run or a later one, or it is of the incident itself.
    """
    where = f"--baseline, run {baseline.id}"
    if not set(baseline.profiles) & set(profiles):
        raise OpsproofError(
            f"the baseline is of {', '.join(sorted(baseline.profiles))}, and this run is of "
            f"{', '.join(sorted(profiles))}",
            where=where,
            next_step="Name a run of the same system and environment.",
        )
    until, what = (incident, "the incident") if incident else (started, "this run")
    if baseline.finished > until:
        raise OpsproofError(
            f"the baseline ended {moment_text(baseline.finished, timezone)}, after {what} began "
            f"({moment_text(until, timezone)}): it does not show what was there before",
            where=where,
            next_step=f"Name a run that ended before {moment_text(until, timezone)}.",
        )


def baseline_fact(baseline: Run, folder: Path | None, outcomes: Iterable[Outcome], timezone: str) -> BaselineFact:
    """What a run keeps of its baseline, which was read from a folder."""
    outcomes = tuple(outcomes)
    return BaselineFact(
        run=baseline.id,
        folder=str(folder.resolve()) if folder else "",
        started=baseline.started,
        finished=baseline.finished,
        timezone=timezone,
        bad=bad_in_both(outcomes, baseline.outcomes),
        healed=healed(outcomes, baseline.outcomes),
    )
