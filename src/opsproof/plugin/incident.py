"""The incident that a run looks back at: when it began, and how bad it was."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime

from opsproof.errors import NotObserved
from opsproof.evidence.recorder import Recorder, recording
from opsproof.plugin.check import Check
from opsproof.plugin.environment import Environment
from opsproof.plugin.gate import Gate
from opsproof.report.run import Impact, IncidentFact


def note_incident(gate: Gate) -> None:
    """Note the incident of a run, if its operator said when it began."""
    if started := gate.options.incident_started:
        gate.incident = IncidentFact(started=started, timezone=gate.zone)


def measure_impact(gate: Gate, checks: Iterable[Check]) -> None:
    """
    Note what the numbers of the selected indicators were during the incident.

    It lasted until the stretch began with which the run's window ended, or lasts until now.

    Args:
        gate: Open; its window, if it has one, has ended.
        checks: The selected ones.
    """
    started = gate.options.incident_started
    if started is None:
        return
    until = (gate.window.stable_since if gate.window else None) or datetime.now(UTC)
    mine = [(check, gate.environment(check.profile)) for check in checks if check.indicator and check.indicator.window]
    recorder = Recorder(check="incident")
    found = gate.engine.submit(_gathered(mine, recorder, started, until)).result()
    gate.ledger.observations.update((observation.id, observation) for observation in recorder.observations)
    impact = tuple(one for one in found if isinstance(one, Impact))
    gate.notes += [one for one in found if isinstance(one, str)]
    gate.incident = IncidentFact(started=started, timezone=gate.zone, impact=impact)


async def _gathered(
    mine: Iterable[tuple[Check, Environment]], recorder: Recorder, since: datetime, until: datetime
) -> list[Impact | str]:
    recording.set(recorder)
    return await asyncio.gather(*(_impact(check, environment, since, until) for check, environment in mine))


async def _impact(check: Check, environment: Environment, since: datetime, until: datetime) -> Impact | str:
    """The number over the incident, or why there is none."""
    assert check.indicator is not None
    try:
        number, seen_until = await environment.reader.impact(check.indicator, since, until)
    except NotObserved as exc:
        return f"{check.id} has no number of the incident: {exc.what}"
    return Impact(
        check=check.id,
        title=check.indicator.title.model_dump(),
        value=number.value,
        unit=check.indicator.unit,
        since=since,
        until=seen_until,
        note=number.note,
    )
