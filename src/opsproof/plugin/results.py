"""From the ledger to the run: verdict, root causes, notes."""

from collections.abc import Iterable
from datetime import UTC, datetime

import opsproof
from opsproof.judge.outcome import Cause, Outcome, Status
from opsproof.judge.root_causes import TargetFact, root_causes
from opsproof.judge.verdict import judge
from opsproof.judge.waivers import no_longer_needed
from opsproof.plugin.check import Check
from opsproof.plugin.gate import Gate
from opsproof.report.run import ProfileFact, ReleaseFact, Run


def make_run(gate: Gate, *, started: datetime, unfinished: int) -> Run:
    """
    Judge what has arrived.

    Args:
        gate: The gate, with its ledger.
        started: When the run began.
        unfinished: Checks that were selected and have no outcome.
    """
    ledger = gate.ledger
    outcomes = tuple(ledger.outcomes.values())
    with_outcome = {outcome.profile for outcome in outcomes}
    profiles = {
        name: profile
        for name, profile in gate.profiles.items()
        if gate.explicit or gate.replayed or name in with_outcome
    }
    facts = {name: _profile_fact(gate, name) for name in profiles}
    return Run(
        id=gate.run_id if gate.replayed is None else f"{gate.run_id}-replay",
        started=started,
        finished=datetime.now(UTC),
        opsproof=opsproof.__version__,
        selection=gate.options.selection,
        replay_of=gate.replayed.id if gate.replayed else None,
        profiles=facts,
        outcomes=outcomes,
        root_causes=root_causes(outcomes, {name: fact.targets for name, fact in facts.items()}),
        notes=tuple(_notes(gate, outcomes)),
        verdict=judge(
            outcomes,
            {name: profile.policy for name, profile in profiles.items()},
            markers=gate.options.markers,
            unfinished=unfinished,
            broken_files=ledger.broken_files,
        ),
    )


def interrupted(check: Check) -> Outcome:
    """The outcome of a check that was selected and never got to its end."""
    return Outcome(
        check=check.id,
        name=check.name,
        profile=check.profile,
        title=check.title,
        severity=check.card.severity,
        runbook=check.card.rows,
        markers=check.markers,
        status=Status.UNKNOWN,
        cause=Cause.INTERRUPTED,
        message="the run was stopped before this check had an outcome",
        next_step="Run the gate again, to its end.",
        started=datetime.now(UTC),
        duration=0.0,
    )


def _profile_fact(gate: Gate, name: str) -> ProfileFact:
    profile = gate.profiles[name]
    release = ReleaseFact(expected=gate.expected_version(profile), seen=gate.ledger.releases.get(name, {}))
    return ProfileFact(
        title=profile.title.model_dump(),
        system=profile.system,
        environment=profile.environment,
        fail_on=profile.policy.fail_on,
        targets={
            target: TargetFact(kind=model.kind, address=model.address, depends_on=model.depends_on)
            for target, model in profile.targets.items()
        },
        release=release if release.expected or release.seen else None,
    )


def _notes(gate: Gate, outcomes: tuple[Outcome, ...]) -> Iterable[str]:
    for profile in gate.profiles.values():
        mine = [outcome for outcome in outcomes if outcome.profile == profile.name]
        for waiver in profile.policy.waivers:
            if no_longer_needed(waiver, mine):
                yield f"{profile.name}: the waiver of {waiver.owner} for {waiver.check} is no longer needed; delete it"
    if gate.stack is not None:
        faults = ", ".join(gate.faults) or "none"
        yield f"the embedded stack `{gate.stack.name}` was running already; faults injected there: {faults}"
