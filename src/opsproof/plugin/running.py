"""What the hooks do with the gate while pytest runs."""

import contextlib
import inspect
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from opsproof.errors import OpsproofError, PreconditionMissing
from opsproof.judge.outcome import Outcome, Status
from opsproof.judge.verdict import EXIT_STATUS, Word
from opsproof.plugin import terminal
from opsproof.plugin.announcing import announced
from opsproof.plugin.arguments import needs_only_ours
from opsproof.plugin.asking import ask_people
from opsproof.plugin.check import Check, check_of
from opsproof.plugin.fleet import is_grouped
from opsproof.plugin.gate import Gate
from opsproof.plugin.incident import measure_impact, note_incident
from opsproof.plugin.ledger import carry
from opsproof.plugin.options import read_options
from opsproof.plugin.outcomes import outcome_of, readable
from opsproof.plugin.output import check_logs, route
from opsproof.plugin.stash import CONDUCTED, GATE, STARTED
from opsproof.plugin.tracing import trace_coroutine
from opsproof.plugin.windows.window import TakeSample

KEEPS_RUNNING_AHEAD_OFF = ("skip", "skipif", "xfail", "usefixtures")


def make_gate(config: pytest.Config) -> Gate:
    """The gate of this process; an xdist worker learns from its controller what it needs."""
    briefing: dict[str, Any] = getattr(config, "workerinput", {})
    told = briefing.get("opsproof_started")
    config.stash[STARTED] = started = datetime.fromisoformat(told) if told else datetime.now(UTC)
    gate = Gate(
        read_options(config),
        config,
        run_id=briefing.get("opsproof_run"),
        started=started,
        processes=1 if is_grouped(config) else int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")),
        say=terminal.sayer(config),
    )
    if stack := briefing.get("opsproof_stack"):
        gate.attach_stack(stack)
    return gate


def brief_worker(node: Any) -> None:
    """Tell an xdist worker the run and the stack that it shares."""
    gate: Gate = node.config.stash[GATE]
    try:
        gate.load_profiles()
        if _may_have_checks(node.config):
            gate.start_stack()
            gate.resolve()
    except OpsproofError as exc:
        raise pytest.UsageError(str(exc)) from exc
    node.workerinput["opsproof_run"] = gate.run_id
    node.workerinput["opsproof_started"] = node.config.stash[STARTED].isoformat()
    node.workerinput["opsproof_stack"] = gate.stack.name if gate.stack else None


def _may_have_checks(config: pytest.Config) -> bool:
    """Whether there may be checks where pytest was told to look: only workers collect, and have no stack in common."""
    here = config.invocation_params.dir
    asked = [(here / arg.partition("::")[0]).resolve() for arg in config.args]
    known = [(config.rootpath / path).resolve() for path in config.getini("testpaths")]
    return any(one.is_relative_to(path) or path.is_relative_to(one) for one in asked for path in known)


@contextlib.contextmanager
def overlapping(session: pytest.Session) -> Iterator[None]:
    """Run ahead all that may run ahead, as long as pytest runs the session."""
    config = session.config
    gate = config.stash[GATE]
    stopped = session.testsfailed and not config.option.continue_on_collection_errors
    checks = [item for item in session.items if check_of(item)]
    if not checks or stopped or config.option.collectonly:
        yield
        return
    gate.know_rehearsals(check for item in checks if (check := check_of(item)))
    try:
        gate.beforehand.know([check for item in checks if (check := check_of(item))], gate.profiles)
    except OpsproofError as exc:
        raise pytest.UsageError(str(exc)) from exc
    if gate.options.plan:
        _tell_plans(config, gate)
    try:
        gate.open()
    except OpsproofError as exc:
        pytest.exit(str(exc), returncode=EXIT_STATUS[Word.INCONCLUSIVE])
    for line in announced(gate, checks):
        terminal.sayer(config)(line)
    ask_people(config, gate, [check for item in checks if (check := check_of(item))])
    uncaptured = gate.redactor if config.option.capture == "no" else None
    route(sys.stdout, uncaptured)
    route(sys.stderr, uncaptured)
    with (
        _terminated_as_interrupted(),
        check_logs(config, gate.redactor),
        contextlib.closing(_explained_comparisons(config, checks[0])),
    ):
        note_incident(gate)
        if gate.options.window is not None:
            _hold_window(config, gate, checks)
        try:
            gate.look_beforehand()
        except OpsproofError as exc:
            pytest.exit(str(exc), returncode=EXIT_STATUS[Word.INCONCLUSIVE])
        measure_impact(gate, [check for item in checks if (check := check_of(item))])
        if not hasattr(config, "workerinput"):
            for item in checks:
                run_ahead(gate, item)
        yield


def _tell_plans(config: pytest.Config, gate: Gate) -> None:
    if not gate.rehearsing.plans:
        raise pytest.UsageError(
            "--plan: no step of a rehearsal is selected\n  next: -m dr, with a profile that has `rehearsals`"
        )
    for line in gate.rehearsing.told(gate.profiles):
        terminal.sayer(config)(line)
    pytest.exit("this is the plan; nothing was touched", returncode=0)


def _hold_window(config: pytest.Config, gate: Gate, items: Iterable[pytest.Item]) -> None:
    from opsproof.plugin.windows.holding import hold

    sampled: dict[str, tuple[Check, TakeSample]] = {}
    unsampled: list[str] = []
    for item in items:
        check = check_of(item)
        if check and check.judged_whole:
            raise pytest.UsageError(
                "a canary and a benchmark last as long as their profile says, and a window is something else\n"
                "  next: leave --stable-for and --wait-ready out, or -m canary_criteria and -m load"
            )
        if check is None or check.writes or check.attested or gate.skip_of(check) or item.get_closest_marker("skip"):
            continue
        one = _that_only_reads(gate, item)
        if one is None or not needs_only_ours(one[0]):
            unsampled.append(check.id)
        elif sampler := gate.conductor.sampler(*one):
            sampled[check.id] = (check, sampler)
    if unsampled:
        raise pytest.UsageError(
            f"cannot be sampled: {', '.join(unsampled)}: a plain `def`, or with a fixture or mark of pytest's own\n"
            "  next: make it `async def` with opsproof's fixtures alone, or leave it out of the window (-k)"
        )
    if not sampled:
        raise pytest.UsageError(
            "no selected check can be sampled\n  next: select checks that read, or leave the window out"
        )
    try:
        hold(config, gate, sampled)
    except OpsproofError as exc:
        if gate.window:
            gate.window.why = exc.what
        pytest.exit(str(exc), returncode=EXIT_STATUS[Word.INCONCLUSIVE])


@contextlib.contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """
    What was written is taken back, as after Ctrl-C, and there is a report.

    A pipeline that is cancelled sends SIGTERM, a terminal that is closed SIGHUP, unless `nohup` has it ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [one for one in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) is not signal.SIG_IGN]
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _explained_comparisons(config: pytest.Config, item: pytest.Item) -> Any:
    """
    Let pytest explain comparisons during the whole session.

    It does so only while it runs an item; a check that runs ahead may fail between two items.
    """
    assertion: Any = config.pluginmanager.get_plugin("assertion")
    during_item = assertion.pytest_runtest_protocol(item)
    next(during_item)
    return during_item


def given(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Under xdist, run ahead what this worker has for certain: this item, the next one, and the group they are in."""
    config = item.config
    gate = config.stash[GATE]
    if not hasattr(config, "workerinput") or not gate.is_open:
        return
    mine = [item] if nextitem is None else [item, nextitem]
    if is_grouped(config) and (check := check_of(item)):
        mine += [other for other in item.session.items if (its := check_of(other)) and its.profile == check.profile]
    for one in mine:
        run_ahead(gate, one)


def run_ahead(gate: Gate, item: pytest.Item) -> None:
    """Start a check that only reads, if nothing but pytest itself is needed to make its arguments."""
    if gate.window is None and gate.options.ahead and (one := _that_only_reads(gate, item)):
        gate.conductor.ahead(*one)


def _that_only_reads(gate: Gate, item: pytest.Item) -> tuple[pytest.Function, Check] | None:
    """The item and its check, if it may begin before pytest comes to it."""
    check = check_of(item)
    if check is None or check.writes or check.step or gate.taken_over(check) or not isinstance(item, pytest.Function):
        return None
    if not _is_async(item) or gate.skip_of(check) or any(map(item.get_closest_marker, KEEPS_RUNNING_AHEAD_OFF)):
        return None
    return item, check


def skip_if_it_does_not_apply(item: pytest.Item) -> None:
    """Skip a check that may not write here, or that was skipped in the run that is replayed."""
    route(sys.stdout)
    route(sys.stderr)
    gate = item.config.stash[GATE]
    check = check_of(item)
    if check and (skip := gate.skip_of(check)):
        raise skip
    if check and gate.replayed and check.stays_as_it_was and not gate.taken_over(check):
        raise PreconditionMissing(
            "the run that is replayed did not come to it, and a replay touches nothing",
            where=check.id,
            next_step="Run it against the environment itself, without --replay.",
        )


def conduct(item: pytest.Function, check: Check) -> None:
    """Conduct a check, or take what was run ahead, or over, and let pytest see how it ended."""
    __tracebackhide__ = True
    gate = item.config.stash[GATE]
    if taken := gate.taken_over(check):
        _end_as(taken.outcome)
        return
    trace_coroutine(item)
    arguments = {name: item.funcargs[name] for name in item._fixtureinfo.argnames}
    conducted = gate.window.conducted(check) if gate.window else None
    if conducted is None:
        if gate.window and check.attested is None:
            gate.window.must_have_held()
        conducting = gate.conductor.conduct if _is_async(item) else gate.conductor.conduct_plain
        conducted = conducting(item, check, arguments)
    item.stash[CONDUCTED] = conducted
    if item.config.option.capture == "no":
        sys.stdout.write(readable(conducted.recorder.output.getvalue(), gate.redactor))
    if conducted.error is not None:
        raise conducted.error


def _end_as(before: Outcome) -> None:
    """Let pytest see how a check ended that is taken over."""
    __tracebackhide__ = True
    if before.status is Status.SKIPPED:
        pytest.skip(before.message)
    if before.status in (Status.FAILED, Status.UNKNOWN):
        pytest.fail(before.message, pytrace=False)


def report_outcome(item: pytest.Item, check: Check, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Make a check's outcome of what pytest saw, and let it travel on the report."""
    if call.when == "teardown" or (call.when == "setup" and report.passed):
        return
    gate = item.config.stash[GATE]
    conducted = item.stash.get(CONDUCTED, None)
    outcome = outcome_of(
        check,
        call.excinfo,
        conducted,
        details=report.longreprtext,
        redactor=gate.redactor,
        profile=gate.profiles[check.profile],
    )
    observations = conducted.recorder.observations if conducted else []
    if call.when == "call" and (taken := gate.taken_over(check)):
        outcome, observations = taken.outcome, [*taken.observations]
    if conducted is not None:
        report.duration = conducted.duration
        if outcome.output:
            report.sections.append(("Captured output of the check", outcome.output))
    report.sections = [(title, gate.redactor.text(text)) for title, text in report.sections]
    if outcome.status is Status.WAIVED:
        report.outcome = "skipped"
    if report.outcome == "skipped":
        path, line, _ = item.location
        report.longrepr = (path, line or 0, f"Skipped: {outcome.message}")
    elif not report.passed:
        report.longrepr = outcome.details
    watch = gate.environment(check.profile).release if gate.is_open else None
    carry(report, outcome, observations, watch.known if watch else {})


def _is_async(item: pytest.Function) -> bool:
    return inspect.iscoroutinefunction(item.obj)
