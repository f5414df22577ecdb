"""Links from a record to the evidence."""

import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from opsproof.evidence.bundle import EVIDENCE_FILE
from opsproof.judge.outcome import Outcome
from opsproof.report.markdown import prose
from opsproof.report.records.facts import Facts
from opsproof.report.records.marks import Md
from opsproof.report.records.timeline import Outage

MOST = 3
"""Links in one place, if nothing else is said."""


def links(ids: Iterable[str], most: int, run: Path, folder: Path) -> Md:
    """
    Links to observations.

    Args:
        ids: The observations, the most telling first.
        most: How many links.
        run: The run's folder.
        folder: Where the record lies.
    """
    link = relative(run / EVIDENCE_FILE, folder)
    return Md(", ".join(f"[{prose(id_)}]({link})" for id_ in list(ids)[:most]) or "-")


def telling_first(outcome: Outcome) -> tuple[str, ...]:
    """What a check was told, what shows the trouble first."""
    return tuple(dict.fromkeys(id_ for id_ in (outcome.telling, *reversed(outcome.observations)) if id_))


def asked_during(outage: Outage, facts: Facts) -> tuple[str, ...]:
    """What a check was told while it was not healthy: in a window, only the questions of these samples."""
    outcome = facts.outcome_of.get(outage.check)
    if outcome is None:
        return ()
    ids = telling_first(outcome)
    if outage.last is None:
        return ids
    asked = [facts.view.observations[id_] for id_ in ids if id_ in facts.view.observations]
    during = [one for one in asked if outage.since <= one.started <= outage.last]
    return tuple(one.id for one in sorted(during, key=lambda one: (one.id == outcome.telling, one.started))[::-1])


def relative(path: Path, folder: Path) -> str:
    """A path as a link from a record in this folder."""
    return quote(os.path.relpath(path.resolve(), folder.resolve()))
