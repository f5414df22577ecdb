"""From the ledger to the run: verdict, root causes, notes."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import opsproof
from opsproof.evidence.observation import Observation
from opsproof.judge.baseline import told_apart
from opsproof.judge.diagnosis import Diagnosis, diagnose
from opsproof.judge.outcome import Cause, Outcome, Status
from opsproof.judge.root_causes import TargetFact, root_causes
from opsproof.judge.verdict import judge
from opsproof.judge.waivers import no_longer_needed
from opsproof.judge.windows import Ending, WindowFact
from opsproof.plugin.baseline import baseline_fact
from opsproof.plugin.check import Check
from opsproof.plugin.gate import Gate
from opsproof.plugin.ledger import Ledger
from opsproof.plugin.outcomes import excinfo_of, outcome_of
from opsproof.profile.models import Profile
from opsproof.report.run import ProfileFact, ReleaseFact, Run

_NAMED = 3
DIAGNOSIS = "diagnosis"
RECOVERY = "recovery"


def make_run(gate: Gate, *, started: datetime, ended_early: str, exit_status: int | None) -> Run:
    """
    Judge what has arrived.

    Args:
        gate: The gate, with its ledger.
        started: When the run began.
        ended_early: Why pytest did not come to its end, or "".
        exit_status: The exit status that pytest keeps, or None if the verdict decides it.
    """
    ledger = gate.ledger
    outcomes = tuple(ledger.outcomes.values())
    if gate.baseline:
        outcomes = told_apart(outcomes, gate.baseline.outcomes)
    with_outcome = {outcome.profile for outcome in outcomes}
    profiles = {
        name: profile
        for name, profile in gate.profiles.items()
        if gate.explicit or gate.replayed or name in with_outcome
    }
    window = _window(gate, outcomes)
    rehearsals = gate.rehearsed(outcomes)
    facts = {name: _profile_fact(gate, name) for name in profiles}
    return Run(
        id=gate.run_id if gate.replayed is None else f"{gate.run_id}-replay",
        started=started,
        finished=datetime.now(UTC),
        opsproof=opsproof.__version__,
        selection=gate.options.selection,
        lang=gate.options.lang,
        replay_of=gate.run_id if gate.replayed else None,
        incident=gate.incident,
        window=window,
        rehearsals=rehearsals,
        canaries=gate.beforehand.canary_facts(gate.replayed),
        benchmarks=gate.beforehand.benchmark_facts(gate.replayed),
        baseline=baseline_fact(gate.baseline, gate.options.baseline, outcomes, gate.zone) if gate.baseline else None,
        resume_of=gate.resumed.run.id if gate.resumed else None,
        profiles=facts,
        outcomes=outcomes,
        root_causes=root_causes(outcomes, {name: fact.targets for name, fact in facts.items()}),
        diagnoses=tuple(_diagnoses(profiles, outcomes)) if DIAGNOSIS in (gate.options.markers or ()) else (),
        notes=tuple(_notes(gate, outcomes, profiles)),
        verdict=judge(
            outcomes,
            {name: profile.policy for name, profile in profiles.items()},
            markers=gate.options.markers,
            gaps=(*_gaps(ledger, ended_early), *_unconfirmed(facts), *_not_stable(window, gate.replayed)),
            remarks=_waited(window),
            exit_status=exit_status,
        ),
    )


def _gaps(ledger: Ledger, ended_early: str) -> Iterable[str]:
    """What keeps the run from being conclusive, beside its checks."""
    if ended_early:
        yield ended_early
    if ledger.broken_files:
        yield f"could not be read as checks: {_some(sorted(ledger.broken_files))}"
    if ledger.selected:
        yield f"{len(ledger.selected)} selected tests have no outcome: {_some(sorted(ledger.selected))}"
    if ledger.other_failures:
        yield f"{len(ledger.other_failures)} failures outside of the checks: {_some(ledger.other_failures)}"


def _diagnoses(profiles: Mapping[str, Profile], outcomes: Iterable[Outcome]) -> Iterable[Diagnosis]:
    for name, profile in profiles.items():
        if profile.scenarios:
            yield diagnose(name, profile.scenarios, [outcome for outcome in outcomes if outcome.profile == name])


def _unconfirmed(facts: Mapping[str, ProfileFact]) -> Iterable[str]:
    """Green says that the expected release answers, also where no check was selected that would say it."""
    for name, fact in facts.items():
        release = fact.release
        if release and release.expected and list(release.seen) != [release.expected]:
            yield f"{name}: release {release.expected} was expected, and not every answer said so"


def _window(gate: Gate, outcomes: Iterable[Outcome]) -> WindowFact | None:
    """The window of this run, or of the earlier one whose samples this one stands on."""
    if gate.window:
        return gate.window.fact()
    if gate.replayed:
        return gate.replayed.window
    earlier = gate.resumed.run.window if gate.resumed else None
    taken_over = {outcome.check for outcome in outcomes if outcome.taken_over}
    watched = {line.check for line in earlier.timelines} if earlier else set()
    return earlier if watched and watched <= taken_over else None


def _not_stable(window: WindowFact | None, replayed: Run | None) -> Iterable[str]:
    """What was seen at the end of a window says nothing of the stretch before."""
    if window is not None and window.ending is not Ending.STABLE:
        whose = f"of run {replayed.id} " if replayed else ""
        yield f"the window {whose}did not become stable: {window.why or window.ending}"


def _waited(window: WindowFact | None) -> Iterable[str]:
    """A system that became ready only after a while is told, wherever the verdict is."""
    if window is not None and window.ending is Ending.STABLE and not window.stable_for and window.attempts > 1:
        passed = (window.ended - window.started).total_seconds()
        yield f"not ready at once: after {passed:.1f} s, on attempt {window.attempts}"


def _some(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")


def unreported(gate: Gate, check: Check) -> tuple[Outcome, Sequence[Observation]]:
    """
    The outcome of a check that pytest did not come to before the run was stopped, and what it saw.

    One that ran ahead and has ended is known, and so is the newest sample of a window; the others were interrupted.
    """
    if not gate.is_open:
        return _interrupted(check, []), []
    if taken := gate.taken_over(check):
        return taken.outcome, taken.observations
    conducted = gate.window.conducted(check) if gate.window else None
    conducted = conducted or gate.conductor.ended(check)
    if conducted is None:
        return _interrupted(check, gate.conductor.left_behind(check)), []
    excinfo = excinfo_of(conducted.error)
    outcome = outcome_of(
        check,
        excinfo,
        conducted,
        details=str(excinfo.getrepr()) if excinfo else "",
        redactor=gate.redactor,
        profile=gate.profiles[check.profile],
    )
    return outcome, conducted.recorder.observations


def _interrupted(check: Check, left: Sequence[str]) -> Outcome:
    """The outcome of a check that was selected and never got to its end."""
    told = ["the run was stopped before this check had an outcome", *(f"left behind: {what}" for what in left)]
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
        message="; ".join(told),
        next_step=f"{'Remove by hand what is left behind; then run' if left else 'Run'} the gate again, to its end.",
        started=datetime.now(UTC),
        duration=0.0,
    )


def _profile_fact(gate: Gate, name: str) -> ProfileFact:
    profile = gate.profiles[name]
    seen = gate.ledger.releases.get(name, {})
    if gate.replayed and name in gate.replayed.profiles and (before := gate.replayed.profiles[name].release):
        seen = before.seen
    release = ReleaseFact(expected=gate.expected_version(profile), seen=seen)
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
        not_carried=gate.ledger.not_carried.get(name, {}),
    )


def _notes(gate: Gate, outcomes: tuple[Outcome, ...], judged: Mapping[str, Profile]) -> Iterable[str]:
    if beside := [name for name in gate.profiles if name not in judged]:
        yield f"no selected check is for {', '.join(beside)}: the verdict says nothing about them"
    for profile in gate.profiles.values():
        mine = [outcome for outcome in outcomes if outcome.profile == profile.name]
        for waiver in profile.policy.waivers:
            if no_longer_needed(waiver, mine):
                yield f"{profile.name}: the waiver of {waiver.owner} for {waiver.check} is no longer needed; delete it"
    yield from gate.notes
    if gate.window is not None:
        yield from gate.window.notes
    if gate.baseline and (beside := [name for name in judged if name not in gate.baseline.profiles]):
        yield f"the baseline, run {gate.baseline.id}, is not of {', '.join(beside)}: what is new there is not known"
    alone = sum(outcome.normal is not None and outcome.normal.normal is None for outcome in outcomes)
    if alone and (gate.baseline or RECOVERY in (gate.options.markers or ())):
        yield (
            f"nothing tells what is normal for {alone} number{'' if alone == 1 else 's'}, and only limits decided"
            " (`normal` in run.json says why); --baseline RUN names a run that tells"
        )
    if gate.resumed is not None:
        if gate.resumed.run.window and _window(gate, outcomes) is None:
            yield (
                f"the window of run {gate.resumed.run.id} is not this run's: not all of its checks were taken over; "
                "what is green here was seen once (--stable-for holds a window)"
            )
        yield from gate.resumed.notes(outcomes)
    if gate.stack is not None:
        faults = ", ".join(gate.faults) or "none"
        yield f"the embedded stack `{gate.stack.name}` was running already; faults injected there: {faults}"
