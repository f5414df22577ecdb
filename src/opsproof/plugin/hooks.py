"""Hooks only: each is a few lines that call a named function elsewhere."""

import gc
from collections.abc import Generator, Sequence
from typing import Any

import pytest

from opsproof.errors import OpsproofError
from opsproof.plugin import collection, fleet, running
from opsproof.plugin.check import check_of
from opsproof.plugin.cleansing import compare_masked
from opsproof.plugin.marks import MARKERS
from opsproof.plugin.options import add_options
from opsproof.plugin.output import in_debugger
from opsproof.plugin.receiver import Receiver
from opsproof.plugin.stash import GATE
from opsproof.plugin.terminal import STATUS_WORDS, redact_terminal


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add opsproof's options."""
    add_options(parser)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Know the marks; make the gate."""
    for name, text in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {text}")
    try:
        gate = config.stash[GATE] = running.make_gate(config)
    except OpsproofError as exc:
        raise pytest.UsageError(str(exc)) from exc
    redact_terminal(config, gate.redactor)
    config.pluginmanager.register(Receiver(config), "opsproof-receiver")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """End with the words of an xdist worker that refused the checks; learn which checks do not apply."""
    fleet.heed_refusal(node)
    collection.learn_not_carried(node, node.config.stash[GATE])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each profile to one worker, if the operator asks for groups."""
    return fleet.schedule(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell an xdist worker which run it belongs to."""
    running.brief_worker(node)


def pytest_collection(session: pytest.Session) -> None:
    """Load the profiles before the checks ask for them."""
    try:
        session.config.stash[GATE].load_profiles()
    except OpsproofError as exc:
        raise pytest.UsageError(str(exc)) from exc


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each check once for every profile that can carry it."""
    collection.parametrize(metafunc, metafunc.config.stash[GATE])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse what is not a proper check."""
    try:
        collection.select(config, items, config.stash[GATE])
    except pytest.UsageError as exc:
        fleet.refuse(config, str(exc))
        raise


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What is there by now stays to the end; to search it for garbage again and again takes a tenth of a short run."""
    gc.freeze()


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    """Say what a run without a marker leaves out."""
    unasked = config.stash[GATE].unasked
    if not unasked or config.option.markexpr:
        return []
    return [
        f"{unasked} checks of backups, steps of rehearsals, a canary's criteria and a benchmark's gates are left out; "
        "-m monthly, -m quarterly, -m canary_criteria or -m load asks for them"
    ]


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Run ahead what may run ahead."""
    with running.overlapping(session):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """Under xdist: run ahead what this worker was given."""
    running.given(item, nextitem)
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what does not apply, with its reason."""
    running.skip_if_it_does_not_apply(item)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Conduct a check, or take what was run ahead."""
    __tracebackhide__ = True
    check = check_of(pyfuncitem)
    if check is None:
        return None
    running.conduct(pyfuncitem, check)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the outcome of a check on its report."""
    report = yield
    if check := check_of(item):
        running.report_outcome(item, check, call, report)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_assertrepr_compare(config: pytest.Config, op: str, left: object, right: object) -> Sequence[str] | None:
    """Show no piece of a secret."""
    return compare_masked(config, op, left, right, config.stash[GATE].redactor)


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.CollectReport | pytest.TestReport) -> Any:
    """Call a check's outcome by its own word."""
    return STATUS_WORDS.get(getattr(report, "opsproof_status", ""))


def pytest_enter_pdb() -> None:
    """Let the debugger write to the terminal."""
    in_debugger.set()


def pytest_leave_pdb() -> None:
    """Give checks their output back."""
    in_debugger.clear()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing running."""
    if gate := config.stash.get(GATE, None):
        gate.close()
