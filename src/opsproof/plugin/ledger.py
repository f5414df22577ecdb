"""The ledger: outcomes and observations, gathered where the reports of all processes arrive."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from opsproof.evidence.observation import Observation
from opsproof.judge.outcome import Outcome
from opsproof.profile.scalars import Severity

PROPERTY = "opsproof"


@dataclass
class Ledger:
    """
    What has arrived so far.

    Attributes:
        outcomes: By id of the check.
        observations: By id.
        releases: What answered, by profile.
        collected: Checks that this process collected, before the operator's selection.
        selected: Ids of the tests that xdist's workers were to run and that have not ended.
        broken_files: Files of checks that could not be read.
        not_carried: Selected checks that a profile cannot carry, with their severity, by profile and by what it lacks.
        other_failures: Failed reports that carry no outcome: ordinary tests, a fixture's end, a worker that died.
    """

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    observations: dict[str, Observation] = field(default_factory=dict)
    releases: dict[str, dict[str, int]] = field(default_factory=dict)
    collected: int = 0
    selected: set[str] = field(default_factory=set)
    broken_files: set[str] = field(default_factory=set)
    not_carried: dict[str, dict[str, dict[str, Severity]]] = field(default_factory=dict)
    other_failures: list[str] = field(default_factory=list)

    def receive(self, report: pytest.TestReport) -> Outcome | None:
        """Take the outcome off a report, so that no other reporter prints it as a property."""
        if report.when == "teardown":
            self.selected.discard(report.nodeid)
        carried = _carried(report)
        if carried is None:
            return None
        report.user_properties = [(name, value) for name, value in report.user_properties if name != PROPERTY]
        outcome = Outcome.model_validate(carried["outcome"])
        self.add(outcome, map(Observation.from_json, carried["observations"]))
        if carried["release"]:
            self.releases[outcome.profile] = carried["release"]
        return outcome

    def add(self, outcome: Outcome, observations: Iterable[Observation]) -> None:
        """Keep the outcome of a check and what it saw."""
        self.outcomes[outcome.check] = outcome
        self.observations.update((observation.id, observation) for observation in observations)


def carry(
    report: pytest.TestReport, outcome: Outcome, observations: list[Observation], release: dict[str, int]
) -> None:
    """Put an outcome, what was seen and which release answered on a report; it travels between processes with it."""
    carried = {
        "outcome": outcome.to_json(),
        "release": release,
        "observations": [observation.to_json() for observation in observations],
    }
    report.user_properties.append((PROPERTY, json.dumps(carried)))


def _carried(report: pytest.TestReport) -> dict[str, Any] | None:
    """JSON as text: what a target says may hold what no other form between processes can carry."""
    carried = dict(report.user_properties).get(PROPERTY)
    found: dict[str, Any] | None = None if carried is None else json.loads(str(carried))
    return found
