"""The rehearsal proves itself: green on sound sites, and each step red for what goes wrong in it."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from proof_gate import CHECKS, REPOSITORY
from rehearsed import NAME, PASSED, rehearsal_of, rehearse, steps_of
from step_faults import BEFORE, FROZEN_WRITES, HARMS

from opsproof.judge.outcome import Status
from opsproof.judge.verdict import Word
from opsproof.profile.rehearsals import SCENARIOS
from opsproof.rehearsal.clock.ledger import read_ledger
from opsproof.rehearsal.clock.reconcile import Became
from opsproof.rehearsal.facts import Proof
from opsproof.rehearsal.failover.promotion import promote
from opsproof.rehearsal.procedure import region_loss
from opsproof.report.folder import read_run
from opsproof.stack.ports import is_free
from opsproof.stack.process import Process, belonging_to, descendants, wait_for
from opsproof.stack.state import read_state

PATIENCE = 900.0
"""Seconds after which a run of pytest hangs, for these tests."""

SHARED = {name.rpartition(".")[2] for name, check in CHECKS.items() if check.step}
"""The steps of all scenarios; one that several have is the same check, and needs one proof."""

TERMINAL = {"the_standby_is_promoted": "test_a_standby_that_does_not_promote_ends_the_rehearsal"}
"""Steps that cannot be done again once they were red: another test here turns them red, in a rehearsal of their own."""


@pytest.fixture(scope="module")
def courses(tmp_path_factory):
    """Each scenario, gone through once with all of its harms, when a test first asks for it."""
    done = {}

    def course(scenario):
        if scenario not in done:
            before = BEFORE if scenario == "region-loss" else {}
            own = [harm for harm in HARMS if harm.scenario == scenario]
            done[scenario] = rehearse(scenario, tmp_path_factory.mktemp(scenario), own, before)
        return done[scenario]

    return course


def test_every_step_is_turned_red_by_something():
    """A step that nothing can turn red is a decoration."""
    assert SHARED - {harm.step for harm in HARMS} - set(TERMINAL) == set()
    assert {harm.step for harm in HARMS} - SHARED == set()
    assert set(TERMINAL) <= SHARED
    assert set(TERMINAL.values()) <= set(globals())


def test_every_step_has_a_title_in_korean():
    """The report is read in both languages."""
    assert [name for name, check in CHECKS.items() if check.step and not check.step.ko] == []


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.name)
def test_a_step_is_red_for_what_goes_wrong_in_it(harm, courses):
    """And for that reason; it is green before, or once it is taken back."""
    course = courses(harm.scenario)

    assert course.harmed[harm.name] != PASSED
    assert "could not be done" not in course.harmed[harm.name]
    assert harm.says in course.harmed[harm.name]
    assert course.told[harm.step] == PASSED


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_rehearsal_comes_to_its_end_after_all_that_was_taken_back(scenario, courses):
    """What was red was the harm's doing: nothing of it is left in the steps."""
    course = courses(scenario)

    assert {step: words for step, words in course.told.items() if words != PASSED} == {}
    assert list(course.told) == [name.rpartition(".")[2] for name in steps_of(scenario)]


def test_what_a_frozen_link_loses_is_what_an_independent_count_finds(courses):
    """The ledger is the only one that knows after a failover; it must be right."""
    course = courses("region-loss")
    reconciled = course.recovery.account.reconciled
    ledger = read_ledger(course.recovery.writer._ledger)
    counted = course.kept["only on the old primary"]
    lost = set(reconciled.ids(Became.LOST))

    assert len(lost) >= FROZEN_WRITES
    assert lost == counted & {write.id for write in ledger.acknowledged}
    assert counted - lost <= set(reconciled.ids(Became.INDETERMINATE_ABSENT))
    (_, point) = course.recovery.account.objectives()
    assert point.proof is Proof.PROVEN
    assert point.upper > 0


def test_a_standby_that_does_not_promote_ends_the_rehearsal(tmp_path, monkeypatch):
    """false is no promotion: nothing after it is executed, what always runs is, and nothing is left."""
    told, course = {}, rehearsal_of("region-loss", tmp_path)
    monkeypatch.setattr(region_loss, "promote", lambda node: promote(node, wait=2, patience=2))

    def freeze():
        ((pid,),) = course.at.embedded.dr.sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'startup'")
        Process.of(pid).send(signal.SIGSTOP)

    async def go():
        for name, check in steps_of("region-loss").items():
            if name.endswith(".the_standby_is_promoted"):
                await asyncio.to_thread(freeze)
            try:
                async with course.step(name) as goes_on:
                    assert goes_on
                    await check(None, course)
                told[name.rpartition(".")[2]] = PASSED
            except Exception as exc:  # noqa: BLE001 - whatever it is, it is compared
                told[name.rpartition(".")[2]] = str(exc).partition("\n")[0]

    asyncio.run(go())

    later = list(told)[list(told).index("the_standby_is_promoted") + 1 :]
    assert told["the_archive_reaches_the_failure"] == PASSED
    assert "returned false" in told["the_standby_is_promoted"]
    assert {told[name] for name in later if name not in ("the_objectives_hold", "nothing_is_left_behind")} == {
        "not executed: the rehearsal was given up"
    }
    assert "not proven" in told["the_objectives_hold"]
    assert told["nothing_is_left_behind"] == PASSED
    assert belonging_to(course.at.grounds.directory) == []
    assert not course.at.grounds.directory.exists()


def _pytest(place, reports, *options, **how):
    """`pytest -m dr` as a person runs it, with a TMPDIR of its own."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "dr", "--profile", NAME]
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True} | how
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    environment |= {"TMPDIR": str(place), "PYTHONPATH": str(REPOSITORY / "src")}
    return subprocess.Popen([*command, f"--reports={reports}", *options], cwd=REPOSITORY, env=environment, **how)


def _finished(process):
    try:
        text, _ = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    return text


def _grounds(place):
    return [path for path in place.glob("opsproof-*/*") if path.is_dir() and not path.name.startswith("bin-")]


@pytest.fixture
def short_place():
    """A TMPDIR with a short name, for sockets, which PostgreSQL's user can pass through."""
    with tempfile.TemporaryDirectory(prefix="dr-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def test_killed_in_the_middle_the_next_run_cleans_up_and_proves_all_three(short_place, tmp_path):
    """`kill -9` once a scenario is under way; then all of it anew, green, and with nothing left behind."""
    journals = tmp_path / "journals"
    killed = _pytest(short_place, tmp_path, "-k", "region_loss", stdout=subprocess.DEVNULL)
    try:
        assert wait_for(
            lambda: killed.poll() is not None or any("the_disaster_is_declared" in text for text in _texts(journals)),
            PATIENCE,
            pause=0.1,
        )
        assert killed.poll() is None
        children = descendants(Process.of(killed.pid))
        killed.send_signal(signal.SIGKILL)
    finally:
        killed.kill()
        killed.wait()
    left = _grounds(short_place)
    assert left
    assert children
    ports = [port for folder in left for port in read_state(folder).ports.values()]

    process = _pytest(short_place, tmp_path, "-k", "rehearsal")
    text = _finished(process)

    run = read_run(tmp_path / "latest")
    assert process.returncode == 0, text
    assert run.verdict.word is Word.PASS
    assert {outcome.status for outcome in run.outcomes} == {Status.PASSED}
    assert sorted(fact.scenario for fact in run.rehearsals) == sorted(SCENARIOS)
    for fact in run.rehearsals:
        assert [(one.name, one.proof) for one in fact.objectives] == [("RTO", Proof.PROVEN), ("RPO", Proof.PROVEN)]
        assert fact.ledger.unexpected == fact.ledger.conflicting == 0
        assert re.search(rf"REHEARSAL  proven: {fact.scenario}", text)
    assert text.count("  RTO     proven, ") == text.count("  RPO     proven, ") == 3
    assert wait_for(lambda: not _grounds(short_place), 30)
    assert [one for folder in left for one in belonging_to(folder)] == []
    assert [port for port in ports if not is_free(port)] == []
    _replays(tmp_path, short_place, run)


def _texts(journals):
    return [path.read_text(encoding="utf-8") for path in journals.glob("*.jsonl")] if journals.exists() else []


def _replays(reports, place, run):
    """A replay judges nothing of it anew, and touches nothing."""
    before = (reports / "latest").resolve()
    process = _pytest(place, reports / "replayed", "-k", "rehearsal", f"--replay={before}")
    text = _finished(process)

    again = read_run(reports / "replayed" / "latest")
    assert process.returncode == 0, text
    assert [(one.check, one.status) for one in again.outcomes] == [(one.check, one.status) for one in run.outcomes]
    assert again.rehearsals == run.rehearsals
    assert _grounds(place) == []
