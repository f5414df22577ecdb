"""summary.md: the run for people, verdict first; also what a CI shows on its page."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from opsproof.errors import OpsproofError
from opsproof.judge.diagnosis import Fit
from opsproof.judge.outcome import Outcome
from opsproof.judge.root_causes import RootCause
from opsproof.report.baseline import baseline_texts, marked, said_then
from opsproof.report.benchmarks.parts import benchmark_files
from opsproof.report.canaries.markdown import canary_block
from opsproof.report.canaries.parts import picture_name
from opsproof.report.markdown import code, code_block, prose, table
from opsproof.report.not_run import not_run_texts
from opsproof.report.rehearsals.block import headline as rehearsal_headline
from opsproof.report.rehearsals.block import rows as rehearsal_rows
from opsproof.report.text import one_line
from opsproof.report.view import View, confirmed_text, numbers, seconds_text, since_text, told, urgency
from opsproof.report.windows import course, headline, impact_number, incident_text, restless, time_text, zone_of
from opsproof.report.words import extent_text, numbers_text, release_text, words

_ROWS = 50
_COMMANDS = 5
_SPANS = 20
_STEP_SUMMARY_BYTES = 1_000_000
_SAID = words("en")


def summary(view: View, *, pictures: bool = True) -> str:
    """
    The run as Markdown.

    Args:
        view: The run, redacted, and its evidence.
        pictures: False where the files of the run's folder don't lie beside the text.
    """
    lacking = (reason for reason in view.other_reasons if reason not in view.deciding_reasons)
    parts = (
        _verdict(view),
        _profiles(view),
        *_incident(view),
        *_window(view),
        *_canaries(view, pictures=pictures),
        *_benchmarks(view, pages=pictures),
        *_rehearsals(view),
        *_root_causes(view),
        *_findings(view),
        *_diagnoses(view),
        *_listed("Warnings (below `fail_on`; the gate goes on)", _warnings(view)),
        *_listed("Confirmed by people", _confirmed(view)),
        *_listed("Taken over, not checked again", _taken_over(view)),
        *_listed("Waived", map(_waived, view.waived)),
        *_listed("Not checked (SEV-1)", map(prose, not_run_texts(view, _SAID))),
        *_listed("Skipped", _skipped(view)),
        *_not_carried(view),
        *_listed("Notes", map(prose, (*view.run.notes, *lacking))),
        _numbers(view),
    )
    return "\n\n".join(parts) + "\n"


def append_step_summary(text: str, environ: Mapping[str, str]) -> None:
    """
    Append the summary to the page of a GitHub Actions step; elsewhere do nothing.

    Args:
        text: The summary.
        environ: The environment; `GITHUB_STEP_SUMMARY` names the file. GitHub takes 1 MiB a step.

    Raises:
        OpsproofError: The file cannot be written.
    """
    path = environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    kept = text.encode()[:_STEP_SUMMARY_BYTES].decode(errors="ignore")
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(kept)
    except OSError as exc:
        raise OpsproofError(
            f"the step summary cannot be written: {exc.strerror}",
            where=f"GITHUB_STEP_SUMMARY={path}",
            next_step="The verdict holds; summary.md is in the run's folder. Outside GitHub Actions, unset it.",
        ) from exc


def _verdict(view: View) -> str:
    run = view.run
    lines = [f"# opsproof: {run.verdict.word}"]
    if run.replay_of:
        lines.append(f"Judged again from the evidence of run {code(run.replay_of)}; nothing was asked.")
    if texts := [*baseline_texts(run, _SAID)]:
        lines.append(
            "\n".join(f"- {'baseline: ' if not number else ''}{prose(text)}" for number, text in enumerate(texts))
        )
    if run.resume_of:
        lines.append(f"Resumes run {code(run.resume_of)}; what was still fresh was not checked again.")
    if reasons := view.deciding_reasons:
        lines.append("\n".join(f"- {prose(reason)}" for reason in reasons))
    return "\n\n".join(lines)


def _profiles(view: View) -> str:
    rows = (
        (
            code(name),
            f"**{view.word(name)}**",
            prose(release_text(profile.release, _SAID)) if profile.release else "not asked",
            numbers_text(numbers(view.of_profile(name)), _SAID),
            profile.fail_on,
        )
        for name, profile in view.run.profiles.items()
    )
    return table(("Profile", "Verdict", "Release", "Checks", "Fails on"), rows)


def _incident(view: View) -> Iterator[str]:
    run = view.run
    if run.incident is None:
        return
    yield f"## Incident\n\n{prose(incident_text(run, run.incident, _SAID))}"
    if run.incident.impact:
        rows = ((prose(one.title["en"]), prose(impact_number(one)), code(one.check)) for one in run.incident.impact)
        yield table(("Since then", "Number", "Check"), rows)


def _window(view: View) -> Iterator[str]:
    window = view.run.window
    if window is None:
        return
    zone = zone_of(view.run)
    yield f"## Window\n\n**{prose(headline(window, zone, _SAID))}**\n\n{prose(course(window, _SAID))}"
    if lines := restless(window):
        rows = (
            (
                code(line.check),
                str(line.flaps),
                "<br>".join(
                    f"{time_text(window.started + timedelta(seconds=span.start), zone)} **{span.state}** for "
                    f"{seconds_text(span.end - span.start)}{f': {prose(span.message)}' if span.message else ''}"
                    for span in line.spans[-_SPANS:]
                ),
            )
            for line in lines[:_ROWS]
        )
        yield table(("Not healthy all the time", "Flaps", "Timeline"), rows)


def _canaries(view: View, *, pictures: bool) -> Iterator[str]:
    for number, fact in enumerate(view.run.canaries):
        yield from canary_block(fact, picture_name(number) if pictures else "", "en")


def _benchmarks(view: View, *, pages: bool) -> Iterator[str]:
    if not view.run.benchmarks:
        return
    from opsproof.report.benchmarks.markdown import benchmark_block

    for number, fact in enumerate(view.run.benchmarks):
        yield from benchmark_block(fact, benchmark_files(number)[0] if pages else "", "en")


def _rehearsals(view: View) -> Iterator[str]:
    for fact in view.run.rehearsals:
        head = rehearsal_headline(fact, "en")
        yield f"## Rehearsal: {prose(head.text)}"
        yield "\n".join(f"- {row.label}: {prose(row.text)}" for row in rehearsal_rows(fact, "en"))


def _root_causes(view: View) -> Iterator[str]:
    for number, root in enumerate(view.root_causes, start=1):
        explained = view.explained_by(root)
        worst = marked(min(outcome.severity for outcome in explained), view.run, explained, _SAID)
        yield f"## Root cause {number} ({worst}): {prose(root.subject)}"
        yield _root_cause(view, root)


def _root_cause(view: View, root: RootCause) -> str:
    lines = [
        f"- **{root.cause}**: {prose(root.what)}",
        f"- {extent_text(view.extent(root), _SAID)}",
        f"- next: **{prose(root.next_step)}**",
        f"- runbook: {_codes(row for outcome in view.explained_by(root) for row in outcome.runbook)}",
        f"- could not run or failed: {_codes(root.direct)}",
    ]
    if root.downstream:
        lines.append(f"- depend on it: {_codes(root.downstream)}")
    for outcome in view.wrong_all_the_same(root):
        text = f"- also: {_urgency(view, outcome)} {code(outcome.check)}: {prose(told(outcome))}"
        lines.append(f"{text}. Next: {prose(outcome.next_step)}")
    asked = [view.telling(outcome) for outcome in view.explained_by(root)]
    commands = dict.fromkeys(observation.by_hand for observation in asked if observation)
    return "\n".join(lines) + (f"\n\nBy hand:\n\n{code_block([*commands][:_COMMANDS])}" if commands else "")


def _findings(view: View) -> Iterator[str]:
    if not view.findings:
        return
    yield "## Failed, or could not be measured"
    rows = (
        (
            _urgency(view, outcome),
            code(outcome.check),
            f"{outcome.status}, {outcome.cause}: {prose(told(outcome))}{_then(view, outcome)}{_where(outcome)}",
            _codes(outcome.runbook),
            f"{prose(outcome.next_step)}{_channels(outcome)}",
        )
        for outcome in view.findings[:_ROWS]
    )
    yield table(("Severity", "Check", "What is wrong", "Runbook", "Next step"), rows)
    if (more := len(view.findings) - _ROWS) > 0:
        yield f"{more} more are in `run.json`."
    yield from _by_hand(view)


def _urgency(view: View, outcome: Outcome) -> str:
    return marked(urgency(outcome), view.run, [outcome], _SAID)


def _then(view: View, outcome: Outcome) -> str:
    then = said_then(view.run, outcome)
    return f"<br>before: {prose(then)}" if then else ""


def _where(outcome: Outcome) -> str:
    return f"<br>where: {prose(outcome.where)}" if outcome.where else ""


def _channels(outcome: Outcome) -> str:
    return f"<br>tell: {prose(', '.join(outcome.channels))}" if outcome.channels else ""


def _diagnoses(view: View) -> Iterator[str]:
    for diagnosis in view.run.diagnoses:
        yield f"## Diagnosis: {code(diagnosis.profile)}"
        if not diagnosis.fits:
            yield f"None of the {len(diagnosis.others)} scenarios of the runbook fits what was seen."
        for fit in diagnosis.fits:
            yield f"### {fit.share:.0%} {prose(fit.title['en'])}"
            lines = [f"- {label}: {_codes(names)}" for label, names in _signs(fit) if names]
            yield "\n".join((*lines, f"- runbook: {_codes(fit.runbook)}"))
            yield "\n".join(f"{number}. {prose(step['en'])}" for number, step in enumerate(fit.next_steps, start=1))


def _signs(fit: Fit) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return ("signs", fit.there), ("against", fit.against), ("not measured", fit.not_measured)


def _by_hand(view: View) -> Iterator[str]:
    """The questions as blocks of their own, where they can be copied."""
    for outcome in view.findings[:_ROWS]:
        commands = [*dict.fromkeys(observation.by_hand for observation in view.asked(outcome))]
        if commands:
            more = f" (the last {_COMMANDS} of {len(commands)} questions)" if len(commands) > _COMMANDS else ""
            yield f"{code(outcome.check)} by hand{more}:"
            yield code_block(commands[-_COMMANDS:])


def _warnings(view: View) -> Iterator[str]:
    for root in view.warning_causes:
        extent = extent_text(view.extent(root), _SAID)
        yield f"{root.cause}: {prose(root.subject)}: {prose(root.what)}; {extent}. Next: {prose(root.next_step)}"
    for outcome in view.warnings:
        head = f"{code(outcome.check)} ({_urgency(view, outcome)}) {outcome.status}, {outcome.cause}"
        yield f"{head}: {prose(told(outcome))}. Next: {prose(outcome.next_step)}"


def _confirmed(view: View) -> Iterator[str]:
    for outcome in view.confirmed:
        if outcome.attested:
            yield f"{code(outcome.check)}: {prose(outcome.title)}: {prose(confirmed_text(outcome.attested))}"


def _taken_over(view: View) -> Iterator[str]:
    for run, outcomes in view.taken_over.items():
        checks = _codes(outcome.check for outcome in outcomes)
        yield f"from run {code(run)}, {len(outcomes)} of {since_text(outcomes)}: {checks}"


def _waived(outcome: Outcome) -> str:
    text = f"{code(outcome.check)} ({outcome.severity}) {outcome.cause}: {prose(told(outcome))}"
    if outcome.waiver is None:
        return text
    waiver = outcome.waiver
    return f"{text}; waived by {prose(waiver.owner)} until {waiver.until:%Y-%m-%d %H:%M %Z}: {prose(waiver.reason)}"


def _skipped(view: View) -> Iterator[str]:
    for (profile, reason), outcomes in view.skipped.items():
        yield f"{code(profile)}, {len(outcomes)}: {prose(reason)}"


def _not_carried(view: View) -> Iterator[str]:
    if not view.not_carried:
        return
    yield "## Not for these profiles"
    rows = (
        (
            code(key),
            _codes(profiles),
            str(sum(map(len, profiles.values()))),
            _codes(check for checks in profiles.values() for check in checks),
        )
        for key, profiles in view.not_carried.items()
    )
    yield table(("Profile does not have", "Profiles", "Checks", "Which"), rows)


def _numbers(view: View) -> str:
    run = view.run
    time = seconds_text((run.finished - run.started).total_seconds())
    line = _SAID["numbers"].format(
        checks=len(run.outcomes),
        time=time,
        numbers=numbers_text(numbers(run.outcomes), _SAID),
        questions=view.asked_now,
    )
    facts = (
        f"run {code(run.id)}",
        f"selection {code(run.selection)}" if run.selection else "all checks",
        f"started {run.started:%Y-%m-%d %H:%M:%S %Z}",
        f"opsproof {prose(run.opsproof)}",
        f"exit status {run.verdict.exit_status}",
    )
    return f"---\n\n{line}.\n\n{', '.join(facts)}."


def _listed(title: str, items: Iterable[str]) -> Iterator[str]:
    lines = [f"- {item}" for item in items]
    if lines:
        yield f"## {title}"
        yield "\n".join(lines)


def _codes(ids: Iterable[str]) -> str:
    unique = dict.fromkeys(map(one_line, ids))
    return ", ".join(map(code, unique)) or "none"
