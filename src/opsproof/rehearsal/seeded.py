"""What `opsproof dr prove` has shown, kept for the report of the next rehearsal."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from opsproof.errors import StackError
from opsproof.rehearsal.facts import SeededFact

FRESH = timedelta(days=100)
"""A quarter and a bit: what was shown before then is not said of today's backups."""


class SeededFault(BaseModel):
    """
    A fault, and when it was shown.

    Attributes:
        at: When it was put into the copies.
        fact: What came of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    at: AwareDatetime
    fact: SeededFact


class Seeded(BaseModel):
    """
    Every fault that was put into copies of an environment's own backups, the latest time each.

    Attributes:
        profile: The environment.
        faults: By area and name: `archive/segment-missing`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    profile: str
    faults: Mapping[str, SeededFault]


def seeded_of(reports: Path, profile: str, *, now: datetime | None = None) -> tuple[SeededFact, ...]:
    """
    What was shown for an environment within the last 100 days; nothing where nothing was, or it cannot be read.

    Args:
        reports: The folder `reports`.
        profile: Name of the environment.
        now: The time; None for the machine's.
    """
    kept = _read(seeded_file(reports, profile))
    oldest = (now or datetime.now(UTC)) - FRESH
    return tuple(one.fact for one in kept.faults.values() if one.at >= oldest) if kept else ()


def keep_seeded(reports: Path, profile: str, shown: Iterable[tuple[str, SeededFact]]) -> Path:
    """
    Keep what was shown, beside what was shown of other faults before.

    Args:
        reports: The folder `reports`.
        profile: Name of the environment.
        shown: Facts, each with the name of its area.

    Raises:
        StackError: The file cannot be written.
    """
    path, now = seeded_file(reports, profile), datetime.now(UTC)
    before = _read(path)
    faults = dict(before.faults) if before else {}
    faults |= {f"{area}/{fact.name}": SeededFault(at=now, fact=fact) for area, fact in shown}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        draft.write_text(Seeded(profile=profile, faults=faults).model_dump_json(indent=1), encoding="utf-8")
        draft.replace(path)
    except OSError as exc:
        next_step = "Name a folder that can be written with --reports."
        raise StackError(
            f"what was shown cannot be kept: {exc.strerror}", where=str(path), next_step=next_step
        ) from exc
    return path


def seeded_file(reports: Path, profile: str) -> Path:
    """Where it is kept."""
    return reports / "dr" / f"seeded-{profile.replace('/', '-')}.json"


def _read(path: Path) -> Seeded | None:
    try:
        return Seeded.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
