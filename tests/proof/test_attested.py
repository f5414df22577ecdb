"""
What a person attests is proven, too: unattended it is unknown, a no is red, a yes is green.

No fault of the stack can make a person say no; the answer is given in its place (docs/decisions/0003-human-steps.md).
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from proof_gate import REPOSITORY

from opsproof.judge.outcome import Cause, Status
from opsproof.judge.verdict import Word
from opsproof.profile import find_profiles, load_with_unset
from opsproof.profile.attested import attested_check
from opsproof.report.folder import read_run
from opsproof.report.run import Run
from opsproof.stack import Stack

PROFILES = REPOSITORY / "profiles"
WITH_PEOPLE = [name for name in find_profiles(["*"], PROFILES) if not name.endswith("/embedded")]
ITEMS = {
    f"{attested_check(key)}[{name}]": item
    for name in WITH_PEOPLE
    for key, item in load_with_unset(name, root=PROFILES, variables={})[0].attested.items()
}
PATIENCE = 120.0
"""Seconds in which a busy machine has answered every question once."""

SCHEMES = {
    "_DATABASE_URL": "postgresql",
    "_REDIS_URL": "redis",
    "_BROKER_URL": "redis",
    "_BACKEND_URL": "redis",
    "_URL": "http",
}


def nowhere() -> dict[str, str]:
    """A value for every variable of these profiles; where one is an address, nobody listens there."""
    unset = {one.reference for name in WITH_PEOPLE for one in load_with_unset(name, root=PROFILES, variables={})[1]}
    return {name: _nowhere(name) for name in unset}


def _nowhere(name: str) -> str:
    scheme = next((scheme for end, scheme in SCHEMES.items() if name.endswith(end)), None)
    return f"{scheme}://127.0.0.1:9/0" if scheme else "nothing"


def answers(folder: Path, word: str, checks: Mapping[str, object]) -> str:
    file = folder / f"{word}.yaml"
    at = datetime.now(UTC).isoformat()
    file.write_text("".join(f'"{check}": {{answer: {word}, by: proof, at: "{at}"}}\n' for check in checks))
    return f"--attest={file}"


def gate(folder: Path, reports: Path, *args: str, variables: Mapping[str, str] | None = None) -> Run:
    """Run the gate in a checkout, as a pipeline does: nobody sits at a terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "recovery", f"--reports={reports}", *args],
        cwd=folder,
        env={**os.environ, **(variables or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (reports / "latest").exists(), f"the gate wrote no report:\n{done.stdout}\n{done.stderr}"
    run = read_run(reports / "latest")
    assert done.returncode == run.verdict.exit_status, done.stdout
    return run


@pytest.mark.parametrize("check", ITEMS)
def test_every_system_asks_a_person_in_its_recovery(check):
    """A row that only a person can confirm is asked where an incident ends, and holds the verdict up."""
    item = ITEMS[check]

    assert "recovery" in item.markers
    assert item.severity in ("SEV-1", "SEV-2")
    assert {name.partition("/")[0] for name in WITH_PEOPLE} == {
        name.partition("[")[2].partition("/")[0] for name in ITEMS
    }


@pytest.mark.parametrize("word", ["", "later", "no", "yes"])
def test_every_attested_check_is_as_red_or_green_as_its_answer(word, tmp_path):
    """All systems, all environments; nothing is contacted, for no check but these is selected."""
    given = [answers(tmp_path, word, ITEMS)] if word else []
    profiles = [f"--profile={name}" for name in WITH_PEOPLE]

    run = gate(REPOSITORY, tmp_path / "runs", "-k", "test_attested", *profiles, *given, variables=nowhere())

    expected = {
        "no": (Status.FAILED, Cause.TARGET_WRONG),
        "yes": (Status.PASSED, None),
    }.get(word, (Status.UNKNOWN, Cause.NOT_ATTESTED))
    assert {outcome.check: (outcome.status, outcome.cause) for outcome in run.outcomes} == dict.fromkeys(
        ITEMS, expected
    )
    assert [o.check for o in run.outcomes if o.status is not Status.PASSED and not (o.message and o.next_step)] == []
    # Of a yes alone no verdict is made: the targets that a recovery requires were not asked.
    assert run.verdict.word is (Word.FAIL if word == "no" else Word.INCONCLUSIVE)


def bad(run: Run) -> set[str]:
    return {outcome.check for outcome in run.outcomes if outcome.status in (Status.FAILED, Status.UNKNOWN)}


@pytest.fixture(scope="module")
def stack():
    running = Stack.start(("ingest",))
    yield running
    running.stop()


@pytest.fixture
def peopled(tmp_path):
    """A checkout whose embedded ingest asks people, as production does."""
    for name in ("pyproject.toml", "conftest.py"):
        shutil.copy(REPOSITORY / name, tmp_path)
    for name in ("profiles", "checks"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    embedded = tmp_path / "profiles/ingest/embedded.yaml"
    text = embedded.read_text(encoding="utf-8")
    without = re.sub(r"^attested: null\n", "", text, flags=re.MULTILINE)
    assert without != text
    embedded.write_text(without, encoding="utf-8")
    return tmp_path


def test_a_recovery_of_the_sound_stack_waits_for_its_person(stack, peopled):
    """All that can be measured is green, and the verdict is not; hours later only what is wanting is asked."""
    asked = {check.replace("/staging]", "/embedded]"): "" for check in ITEMS if check.endswith("[ingest/staging]")}
    options = [f"--stack={stack.name}", "--profile=ingest/embedded", "--allow-writes=embedded"]
    runs, end = peopled / "runs", time.monotonic() + PATIENCE

    unattended = gate(peopled, runs / "1", *options)
    while set(asked) != (unknown := bad(unattended)) and time.monotonic() < end:  # a busy machine is slow to answer
        unattended = gate(peopled, runs / "1", *options, f"--resume={runs / '1' / 'latest'}")
    resumed = gate(peopled, runs / "2", *options, f"--resume={runs / '1' / 'latest'}", answers(peopled, "yes", asked))
    denied = gate(peopled, runs / "3", *options, f"--resume={runs / '2' / 'latest'}", answers(peopled, "no", asked))

    assert (unattended.verdict.word, unknown) == (Word.INCONCLUSIVE, set(asked)), unattended.verdict.reasons
    assert resumed.verdict.word is Word.PASS, resumed.verdict.reasons
    passed = [outcome for outcome in resumed.outcomes if outcome.status is Status.PASSED]
    assert {outcome.check for outcome in passed if not outcome.taken_over} == set(asked)
    assert denied.verdict.word is Word.FAIL
    assert {outcome.status for outcome in denied.outcomes if outcome.check in asked} == {Status.FAILED}
    assert {outcome.check for outcome in denied.outcomes if outcome.taken_over} == {
        outcome.check for outcome in passed if outcome.taken_over
    }
