"""`--resume RUN`: what passed and is fresh is taken over with its evidence; all else is checked again."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from answering import Answer, AnsweringServer
from checkout import Checkout, Finished

CHECKS = """
@runbook()
async def test_good(api):
    assert (await api.get("/good")).field("status") == "healthy"

@runbook()
async def test_bad(api):
    assert (await api.get("/bad")).field("status") == "healthy", "bad"

@runbook()
def test_plain(api, run_id):
    assert api.get(f"/plain/{run_id}").ok

@writes("a thing, deleted again")
@runbook()
async def test_writing(api, run_id):
    assert (await api.post(f"/things/{run_id}", json={})).ok

@runbook()
async def test_lacks(cache):
    await cache.ping()

@each(entry="attested")
async def test_attested(entry, attester):
    answer = await attester.ask(entry)

    assert answer.answer == "yes", answer.words
"""
PROFILE = """
release: {path: /version}
attested:
  told:
    title: {en: Users were told, ko: 공지 확인}
    ask: {en: "Were the users told?", ko: 사용자에게 공지했습니까?}
    runbook: [ING-033]
    markers: [recovery]
    next_step: {en: Tell them., ko: 공지한다.}
    valid_for: 4h
policy: {writes: true, fail_on: SEV-2}
"""
CACHE = 'cache: {kind: redis, url: "redis://127.0.0.1:9", absent: none here}'
WRITES = "--allow-writes=local"


@pytest.fixture
def gate(checkout: Checkout, server: AnsweringServer) -> Checkout:
    """Of its checks one fails, one lacks its target, one writes, and one is a person's to answer."""
    checkout.checks(CHECKS)
    checkout.profile(PROFILE, targets=CACHE)
    server.script["/version"] = Answer({"version": "1.4.2"})
    server.script["/bad"] = Answer({"status": "down"})
    return checkout


def told(checkout: Checkout, word: str = "yes", age: timedelta = timedelta()) -> str:
    at = (datetime.now(UTC) - age).isoformat()
    return f"--attest={checkout.write('answers.yaml', f'told: {{answer: {word}, by: kim, at: {json.dumps(at)}}}')}"


def taken(done: Finished) -> set[str]:
    return {name for name, outcome in done.outcomes.items() if outcome.taken_over}


def asked(server: AnsweringServer, since: int) -> set[str]:
    return {request.path for request in server.requests[since:]}


def edited(done: Finished, **changes: Any) -> Path:
    """The run's folder after its run.json was made older, or other."""
    assert done.folder is not None
    file = done.folder / "run.json"
    run = json.loads(file.read_text("utf-8"))
    for outcome in run["outcomes"]:
        outcome.update(changes.get(outcome["name"].partition(".")[2], {}))
    run.update(changes.get("run", {}))
    file.write_text(json.dumps(run), encoding="utf-8")
    return done.folder


def test_what_passed_is_taken_over_and_the_rest_is_asked_again(gate: Checkout, server: AnsweringServer) -> None:
    """What was seen an hour ago with its evidence is not seen worse for a restart of the gate."""
    before = gate.run(WRITES, told(gate))
    server.script["/bad"] = Answer({"status": "healthy"})
    then = len(server.requests)

    done = gate.run(f"--resume={before.folder}", "--lang=en", profile=None)

    assert before.told == {
        "good": "passed",
        "bad": "failed: target wrong",
        "plain": "passed",
        "writing": "passed",
        "lacks": "skipped: does not apply",
        "told": "passed",
    }
    assert asked(server, then) == {"/version", "/bad"}
    assert taken(done) == {"good", "plain", "writing", "told"}
    assert done.told == before.told | {"bad": "passed"}
    assert (done.status, done.word, done.agrees()) == (0, "PASS", True)
    assert (done.run.resume_of, done.run.id != before.run.id) == (before.run.id, True)
    assert done.folder != before.folder
    old, new = before.outcomes["good"], done.outcomes["good"]
    assert (new.started, new.taken_over, new.duration) == (old.started, before.run.id, old.duration)
    assert done.outcomes["told"].attested == before.outcomes["told"].attested


def test_evidence_is_copied_and_every_file_says_whose_it_is(gate: Checkout) -> None:
    """The new folder stands alone: the post-mortem needs no second one."""
    before = gate.run(WRITES, told(gate))

    done = gate.run(f"--resume={before.folder}", "--lang=en", "-v")

    assert done.folder is not None
    lines = {line["id"]: line for line in done.evidence}
    for name in taken(done):
        outcome = done.outcomes[name]
        assert outcome.observations
        assert all(id_.startswith(f"{before.run.id}:") and id_ in lines for id_ in outcome.observations)
    assert any(line["question"] == f"GET /plain/{before.run.id}" for line in lines.values())
    assert f"resumes run {before.run.id}: 4 taken over, 1 checked now" in done.block
    assert f"taken over  4 checks from run {before.run.id}, of " in done.block
    assert "PASSED (taken over)" in done.text
    summary = (done.folder / "summary.md").read_text("utf-8")
    assert f"Resumes run `{before.run.id}`" in summary
    assert f"from run `{before.run.id}`, 4 of " in summary
    cases = ET.parse(done.folder / "junit.xml").iter("property")
    assert [one.get("value") for one in cases if one.get("name") == "taken_over"] == [before.run.id] * 4


def test_a_resumed_run_can_be_resumed_and_replayed(gate: Checkout, server: AnsweringServer) -> None:
    """The first run stays the one that looked; a replay leaves as it was what its run had not asked itself."""
    first = gate.run(WRITES, told(gate))
    second = gate.run(f"--resume={first.folder}")
    third = gate.run(f"--resume={second.folder}")
    then = len(server.requests)
    replay = gate.run(f"--replay={third.folder}")
    refused = gate.run(f"--resume={replay.folder}")

    assert third.run.resume_of == second.run.id
    assert {outcome.taken_over for outcome in third.run.outcomes} == {"", first.run.id}
    assert third.outcomes["good"].started == first.outcomes["good"].started
    assert (replay.told, replay.run.replay_of) == (third.told, third.run.id)
    assert taken(replay) == taken(third)
    assert len(server.requests) == then
    assert (refused.status, f"this is a replay of run {third.run.id}" in refused.text) == (4, True)


def test_what_is_no_longer_fresh_is_checked_again(gate: Checkout, server: AnsweringServer) -> None:
    """By the profile's own number; an answer of a person by its own validity."""
    before = gate.run(WRITES, told(gate, age=timedelta(hours=3)))
    hour = {"started": (datetime.now(UTC) - timedelta(minutes=61)).isoformat()}
    future = {"started": (datetime.now(UTC) + timedelta(minutes=9)).isoformat()}
    folder = edited(before, good=hour, plain=future, told=hour)

    done = gate.run(f"--resume={folder}")
    other = PROFILE.replace("policy: {", "policy: {fresh_for: 2h, ").replace("valid_for: 4h", "valid_for: 2h")
    gate.profile(other, targets=CACHE)
    longer = gate.run(f"--resume={folder}")

    assert taken(done) == {"writing", "told"}
    assert taken(longer) == {"writing", "good"}
    assert longer.told["told"] == "unknown: not attested"


def test_what_is_from_before_the_incident_is_checked_again(gate: Checkout) -> None:
    """Green from before it broke says nothing about whether it is mended."""
    before = gate.run(WRITES, told(gate, age=timedelta(hours=1)))
    began = before.outcomes["plain"].started - timedelta(minutes=1)
    old = {"started": (began - timedelta(minutes=1)).isoformat()}
    folder = edited(before, good=old, run={"incident": {"started": began.isoformat(), "timezone": "Asia/Seoul"}})

    done = gate.run(f"--resume={folder}", told(gate, age=timedelta(hours=1)))

    assert taken(done) == {"plain", "writing"}
    assert "it is from before the incident began" in done.outcomes["told"].message


def test_a_new_word_of_a_person_wins_over_the_old_one(gate: Checkout) -> None:
    """Who has looked again and says no is not overruled by what they said before."""
    before = gate.run(WRITES, told(gate))

    done = gate.run(f"--resume={before.folder}", told(gate, "no"))

    assert done.told["told"] == "failed: target wrong"
    assert "told" not in taken(done)


@pytest.mark.parametrize(
    ("version", "words"),
    [
        pytest.param(
            Answer({"version": "1.5.0"}), "release 1.5.0 answers now, and then it was release 1.4.2", id="other"
        ),
        pytest.param(Answer(status=503), "no release answers now, and then it was release 1.4.2", id="none"),
    ],
)
def test_nothing_is_taken_over_of_another_release(
    gate: Checkout, server: AnsweringServer, version: Answer, words: str
) -> None:
    """A green of the release before is none of this one; who cannot tell assumes the worst."""
    before = gate.run(WRITES, told(gate))
    server.script["/version"] = version

    done = gate.run(f"--resume={before.folder}")

    assert taken(done) == set()
    assert f"demo/local: nothing was taken over from run {before.run.id}: {words}" in done.run.notes


def test_nothing_is_taken_over_of_another_address(gate: Checkout, server: AnsweringServer) -> None:
    """The same name over another machine is another environment; a new embedded stack is one."""
    before = gate.run(WRITES, told(gate))
    gate.profile(PROFILE, url=server.url.replace("127.0.0.1", "localhost"))

    done = gate.run(f"--resume={before.folder}")

    assert taken(done) == set()
    assert any("other addresses than then: api" in note for note in done.run.notes)


def test_other_questions_than_those_of_the_run_are_refused(gate: Checkout) -> None:
    """Before anything is asked, with what to do instead."""
    before = gate.run(WRITES, "--expect-version=1.4.2", "-k", "good")
    gate.profile(PROFILE, name="demo/other")

    profile = gate.run(f"--resume={before.folder}", profile="demo/other")
    release = gate.run(f"--resume={before.folder}", "--expect-version=1.5.0")
    replay = gate.run(f"--resume={before.folder}", f"--replay={before.folder}")
    none = gate.run(f"--resume={gate.root}")
    same = gate.run(f"--resume={before.folder}", "-k", "good")

    assert [done.status for done in (profile, release, replay, none, same)] == [4, 4, 4, 4, 0]
    assert f"run {before.run.id} checked demo/local; this one is to check demo/other" in profile.text
    assert "leave --profile out" in profile.text
    assert "expected release 1.4.2 of demo/local; this one expects 1.5.0" in release.text
    assert "--resume and --replay exclude each other" in replay.text
    assert "no run can be read" in none.text
    assert "--resume reports/runs/journals" in none.text
    assert (same.run.profiles["demo/local"].release.expected, taken(same)) == ("1.4.2", {"good"})


def test_evidence_that_is_not_whole_is_asked_for_again(gate: Checkout) -> None:
    """A pass without what was seen is only a word in a file."""
    before = gate.run(WRITES, told(gate))
    assert before.folder is not None
    file = before.folder / "evidence.jsonl"
    lines = file.read_text("utf-8").splitlines(keepends=True)
    file.write_text("".join(line for line in lines if "/good" not in line), encoding="utf-8")

    done = gate.run(f"--resume={before.folder}")

    assert taken(done) == {"plain", "told"} | {"writing"}


def test_a_run_that_saw_nothing_can_be_resumed(gate: Checkout, server: AnsweringServer) -> None:
    """It was interrupted before its first answer; the next one begins where it did."""
    before = gate.run("-k", "lacks")

    done = gate.run(f"--resume={before.folder}", told(gate), WRITES)

    assert before.evidence == []
    assert done.told["good"] == "passed"
    assert any("release 1.4.2 answers now, and then it was no release" in note for note in done.run.notes)


def test_workers_of_xdist_take_over_as_well(gate: Checkout, server: AnsweringServer) -> None:
    """A fleet is resumed like one environment."""
    before = gate.run(WRITES, told(gate))
    then = len(server.requests)

    done = gate.run("-n", "2", f"--resume={before.folder}")

    assert taken(done) == {"good", "plain", "writing", "told"}
    assert asked(server, then) == {"/version", "/bad"}
    assert len(done.evidence) >= len(before.evidence)
