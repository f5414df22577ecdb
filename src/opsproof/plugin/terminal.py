"""The terminal: progress, words for outcomes, and the verdict block at the end."""

import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from _pytest._io import TerminalWriter

from opsproof.errors import OpsproofError
from opsproof.evidence.recorder import recording
from opsproof.evidence.redaction import Redactor
from opsproof.judge.outcome import Outcome, Status
from opsproof.judge.verdict import blocks
from opsproof.plugin.gate import Gate
from opsproof.report.cleaning import clean_run
from opsproof.report.console import verdict_block
from opsproof.report.folder import write_run
from opsproof.report.run import Run
from opsproof.report.summary import append_step_summary, summary
from opsproof.report.view import View

STATUS_WORDS = {
    "unknown": ("unknown", "?", ("UNKNOWN", {"yellow": True})),
    "waived": ("waived", "w", ("WAIVED", {"yellow": True})),
    "taken over": ("passed", "t", ("PASSED (taken over)", {"green": True})),
    "warning": ("failed below fail_on", "f", ("FAILED (below fail_on)", {"yellow": True})),
}


def status_key(outcome: Outcome, gate: Gate) -> str:
    """Which of our words for an outcome, if it is not one of pytest's own."""
    if outcome.status is Status.FAILED:
        policy = gate.profiles[outcome.profile].policy
        return "" if blocks(outcome.severity, policy.fail_on) or outcome.waiver else "warning"
    return "taken over" if outcome.taken_over else str(outcome.status)


def sayer(config: pytest.Config) -> Callable[[str], None]:
    """Tells progress on the terminal, where there is one; while a check runs, too, whose own output pytest keeps."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or config.option.verbose < 0:
        return lambda text: None
    capture = config.pluginmanager.get_plugin("capturemanager")

    def say(text: str) -> None:
        told = recording.set(None)
        try:
            with capture.global_and_fixture_disabled() if capture else nullcontext():
                reporter.ensure_newline()
                reporter.write_line(text)
                reporter.flush()
        finally:
            recording.reset(told)

    return say


def redact_terminal(config: pytest.Config, redactor: Redactor) -> None:
    """The last line of defence: nothing secret is printed, wherever it comes from."""
    if not config.pluginmanager.has_plugin("terminalreporter"):
        return
    writer: Any = config.get_terminal_writer()
    write = writer.write

    def redacted(msg: str, **markup: Any) -> None:
        write(redactor.text(msg), **markup)

    writer.write = redacted


def keep_short(config: pytest.Config) -> None:
    """The verdict block tells of all checks; pytest's own lists of them appear when asked for (-vv, --tb, -l, -r)."""
    option = config.option
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    if option.tbstyle == "auto" and not option.showlocals and option.verbose < 2:
        option.tbstyle = "no"
    if option.reportchars == "fE":
        reporter.reportchars = reporter.reportchars.strip("fE")


def teller(config: pytest.Config, gate: Gate, run: Run) -> Callable[[], None]:
    """Write the run's folder; what is returned prints the verdict block."""
    observations = gate.ledger.observations.values()
    view = View.of(clean_run(run, gate.redactor), observations)
    trouble = []
    folder = None
    try:
        folder = write_run(run, observations, gate.options.reports, gate.redactor, others=gate.beforehand.pages)
    except OpsproofError as exc:
        trouble.append(str(exc))
    try:
        append_step_summary(summary(view, pictures=False), os.environ)
    except OpsproofError as exc:
        trouble.append(str(exc))

    def tell() -> None:
        there = config.pluginmanager.has_plugin("terminalreporter")
        writer = config.get_terminal_writer() if there else TerminalWriter(sys.stdout)
        writer.line()
        for text, markup in verdict_block(view, folder, lang=gate.options.lang):
            writer.line(text, **markup)
        for text in trouble:
            writer.line(text, yellow=True)

    return tell
