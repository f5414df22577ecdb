"""Where the reports of all processes arrive: the outcomes are gathered, and at the end the run is judged."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from opsproof.plugin import terminal
from opsproof.plugin.check import check_of
from opsproof.plugin.cleansing import cleanse, cleanse_files
from opsproof.plugin.options import only_looks
from opsproof.plugin.results import make_run, unreported
from opsproof.plugin.stash import GATE, STARTED
from opsproof.report.folder import prepare

_ENDED_EARLY = {
    int(pytest.ExitCode.INTERRUPTED): "the run was interrupted before its end",
    int(pytest.ExitCode.INTERNAL_ERROR): "pytest itself met an error",
    int(pytest.ExitCode.NO_TESTS_COLLECTED): "no check was selected",
}


class Receiver:
    """Gathers what arrives, from this process or from xdist's workers."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._gate = config.stash[GATE]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the outcome off the report, or leave it for the controller; nothing secret goes further."""
        if hasattr(self._config, "workerinput"):
            return
        ledger = self._gate.ledger
        outcome = ledger.receive(report)
        if outcome is not None:
            prepare()  # the answers to most other checks are still on their way
            report.opsproof_status = terminal.status_key(outcome, self._gate)  # type: ignore[attr-defined]
        elif report.failed:
            ledger.other_failures.append(f"{report.nodeid} ({report.when})")
        cleanse(report, self._gate.redactor)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file of checks that cannot be read is not a pass."""
        if report.failed:
            self._gate.ledger.broken_files.add(report.nodeid)
        cleanse(report, self._gate.redactor)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        """Know which outcomes must arrive."""
        self._gate.ledger.selected.update(ids)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        """Judge, write the report, and end with the verdict."""
        tell = self._finish(session)
        result = yield
        if folder := getattr(self._config.option, "allure_report_dir", None):
            cleanse_files(Path(folder), self._gate.redactor)
        tell()
        return result

    def _finish(self, session: pytest.Session) -> Callable[[], None]:
        gate, ledger = self._gate, self._gate.ledger
        if hasattr(self._config, "workerinput") or only_looks(self._config) or gate.options.plan:
            return lambda: None
        about_checks = ledger.collected or ledger.outcomes or ledger.selected or gate.explicit or gate.replayed
        if not about_checks or session.exitstatus == pytest.ExitCode.USAGE_ERROR:
            return lambda: None
        gate.note_releases()
        gate.close()
        for item in getattr(session, "items", []):
            check = check_of(item)
            if check and check.id not in ledger.outcomes:
                ledger.add(*unreported(gate, check))
        early = _ended_early(session.exitstatus)
        run = make_run(
            gate,
            started=self._config.stash[STARTED],
            ended_early=early,
            exit_status=int(session.exitstatus) if early else None,
        )
        session.exitstatus = run.verdict.exit_status
        if not (ledger.other_failures or ledger.broken_files):
            terminal.keep_short(self._config)
        return terminal.teller(self._config, gate, run)


def _ended_early(status: int) -> str:
    """Why pytest keeps its own exit status; "" if the verdict decides it."""
    if status in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        return ""
    return _ENDED_EARLY.get(int(status), f"the run was ended with exit status {int(status)}")
