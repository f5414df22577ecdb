"""The marks that make a test a check."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import pytest

from opsproof.profile.rehearsals import PHASES, SCENARIOS
from opsproof.profile.scalars import SEVERITIES, Severity

Verifies = Literal["content", "answer", "reach", "attestation"]


@dataclass(frozen=True)
class Card:
    """
    What a check says about itself.

    Attributes:
        rows: Ids of the runbook rows that it verifies.
        severity: How bad its failure is.
        next_step: What to do when it fails; an error that knows its own next step wins over it.
        verifies: What counts as the target's failure, beside a failed assertion: with `content` nothing, so that a
            target that does not answer leaves the check unknown; with `answer` also a time-out, or an answer of the
            wrong form or without what was asked for; with `reach` also that no connection could be made. With
            `attestation` it is a person's no; no fault of the stack can bring that about, and a test that answers no
            proves it in a fault's place.
    """

    rows: tuple[str, ...]
    severity: Severity
    next_step: str
    verifies: Verifies


@dataclass(frozen=True)
class Step:
    """
    A step of a rehearsal.

    Attributes:
        phase: Of the runbook's phases; its budget is the step's deadline.
        critical: True if nothing after it makes sense where it fails: the rehearsal is then given up.
        always: True if it is done in a rehearsal that was given up, too.
        ko: The check's title in Korean, for the report; "" for one that has none.
    """

    phase: str
    critical: bool
    always: bool
    ko: str


def runbook(*rows: str, severity: Severity, next_step: str, verifies: Verifies = "content") -> pytest.MarkDecorator:
    """
    Make a test a check: the runbook rows that it verifies, and what an operator needs when it fails.

    Raises:
        ValueError: A value is missing or not one of the known ones.
    """
    if not rows or not next_step.strip():
        raise ValueError("@runbook needs at least one row id and a next_step")
    if severity not in SEVERITIES:
        raise ValueError(f"@runbook severity {severity!r}: expected one of {', '.join(SEVERITIES)}")
    if verifies not in get_args(Verifies):
        raise ValueError(f"@runbook verifies {verifies!r}: expected one of {', '.join(get_args(Verifies))}")
    return pytest.mark.runbook(Card(rows, severity, next_step, verifies))


def proven_by(*faults: str) -> pytest.MarkDecorator:
    """Name the faults of the embedded stack that turn the check red; tests/proof shows that they do."""
    if not faults:
        raise ValueError("@proven_by needs at least one fault")
    return pytest.mark.proven_by(*faults)


def needs(*keys: str) -> pytest.MarkDecorator:
    """Name the profile's keys that the check reads (`health.live`); it runs on profiles that have them all."""
    return pytest.mark.needs(*keys)


def each(**entries: str) -> pytest.MarkDecorator:
    """Make one check of every entry of a list of the profile: `@each(endpoint="core")` passes it as `endpoint`."""
    if len(entries) != 1:
        raise ValueError("@each takes exactly one ARGUMENT=KEY, such as endpoint='core'")
    return pytest.mark.each(**entries)


def writes(what: str) -> pytest.MarkDecorator:
    """Say what the check writes to the target; it runs only where profile and operator allow it."""
    if not what.strip():
        raise ValueError("@writes says what is written, and how it is cleaned up")
    return pytest.mark.writes(what)


def scenario(name: str) -> pytest.MarkDecorator:
    """Make a class of checks the ordered steps of one scenario of a rehearsal: `region-loss`."""
    if name not in SCENARIOS:
        raise ValueError(f"@scenario {name!r}: expected one of {', '.join(SCENARIOS)}")
    return pytest.mark.scenario(name)


def step(phase: str, *, critical: bool = False, always: bool = False, ko: str = "") -> pytest.MarkDecorator:
    """Make a check a step of its class's scenario. Arguments as for `Step`."""
    if phase not in PHASES:
        raise ValueError(f"@step {phase!r}: expected one of {', '.join(PHASES)}")
    return pytest.mark.step(Step(phase, critical, always, ko))


MARKERS = {
    "runbook(card)": "cites runbook rows, with severity and next step (opsproof.runbook)",
    "proven_by(*faults)": "faults that turn the check red (opsproof.proven_by)",
    "needs(*keys)": "keys that the profile must have (opsproof.needs)",
    "each(argument=key)": "one check for every entry of a list of the profile (opsproof.each)",
    "writes(what)": "writes to the target (opsproof.writes)",
    "scenario(name)": "ordered steps of a rehearsal (opsproof.scenario)",
    "step(step)": "a step of a rehearsal (opsproof.step)",
}


def marked(item: pytest.Item | pytest.Metafunc, name: str) -> pytest.Mark | None:
    """The closest mark of this name."""
    node: Any = item if isinstance(item, pytest.Item) else item.definition
    mark: pytest.Mark | None = node.get_closest_marker(name)
    return mark
