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


def look_back(gate: Gate, checks: Iterable[Check]) -> None:
    """
    Note the incident of a run, with the numbers that the selected indicators had since it began.

    Args:
        gate: Open; its operator said when the incident began.
        checks: The selected ones.
    """
    started = gate.options.incident_started
    if started is None:
        return
    until = datetime.now(UTC)
    mine = [(check, gate.environment(check.profile)) for check in checks if check.indicator and check.indicator.window]
    recorder = Recorder(check="incident")
    found = gate.engine.submit(_gathered(mine, recorder, started, until)).result()
    gate.ledger.observations.update((observation.id, observation) for observation in recorder.observations)
    impact = tuple(one for one in found if one is not None)
    gate.incident = IncidentFact(started=started, timezone=gate.zone, impact=impact)


async def _gathered(
    mine: Iterable[tuple[Check, Environment]], recorder: Recorder, since: datetime, until: datetime
) -> list[Impact | None]:
    recording.set(recorder)
    return await asyncio.gather(*(_impact(check, environment, since, until) for check, environment in mine))


async def _impact(check: Check, environment: Environment, since: datetime, until: datetime) -> Impact | None:
    """The number over the incident; None where there is none, which the check itself will tell."""
    assert check.indicator is not None
    try:
        number = await environment.reader.impact(check.indicator, since, until)
    except NotObserved:
        return None
    return Impact(
        check=check.id,
        title=check.indicator.title.model_dump(),
        value=number.value,
        unit=check.indicator.unit,
        since=since,
        until=until,
        note=number.note,
    )
