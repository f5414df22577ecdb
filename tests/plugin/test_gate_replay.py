"""The evidence of a run is judged again, with today's limits and no network."""

import json
import shutil
from functools import partial
from pathlib import Path

import pytest
from answering import Answer, AnsweringServer
from checkout import Checkout, Finished, together

CHECKS = """
@runbook()
async def test_good(api):
    assert (await api.get("/good")).field("status") == "healthy"

@runbook()
@needs("payload.max_batch_items")
async def test_limit(api, profile):
    items = (await api.get("/items")).field("count")
    assert items <= profile.payload.max_batch_items, f"{items} items"

@runbook()
def test_plain(api, run_id):
    assert api.get(f"/plain/{run_id}").ok

@runbook(verifies="answer")
async def test_html(api):
    (await api.get("/html")).json()

@runbook()
async def test_polls(api):
    for _ in range(5):
        if (await api.get("/poll", fresh=True)).field("n") == 3:
            return
    raise AssertionError("never 3")

@runbook()
async def test_lacks(cache):
    await cache.ping()

@runbook(verifies="answer")
async def test_late(api):
    await api.get("/good")
    await asyncio.sleep(30)

@runbook(verifies="answer")
async def test_late_with_a_question_open(api):
    await api.get("/good")
    await api.get("/slow")

@runbook()
async def test_broken(api):
    await api.get("/good")
    raise KeyError("x")

@runbook()
async def test_down(down):
    await down.get("/")

@runbook()
@needs("release")
async def test_release(release):
    seen = await release.seen()
    assert set(seen) == {release.expected}, release.wrong(seen)
"""
PAYLOAD = (
    "payload: {max_body_bytes: 1, max_batch_items: LIMIT, endpoints: [{name: x, path: /}]}\n"
    "release: {path: /version, requests: 3}\n"
    "policy: {check_deadline: 1s, waivers: [{check: demo.broken, owner: kim, reason: known, until: 2999-01-01}]}\n"
)


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with a run in it that has an outcome of every kind; its server is gone."""
    server = AnsweringServer()
    counts = iter(range(100))
    server.script |= {
        "/slow": Answer({}, delay=3.0),
        "/items": Answer({"count": 7}),
        "/html": Answer(body=b"<html><body>login", headers={"Content-Type": "text/html"}),
        "/poll": lambda request: Answer({"n": next(counts)}),
        "/version": Answer({"version": "1.4"}),
    }
    checkout = Checkout(tmp_path_factory.mktemp("earlier"), server.url)
    checkout.checks(CHECKS.replace("(down)", "(logs)").replace("await down", "await logs"))
    profile(checkout, limit=10)
    checkout.run("--expect-version", "1.4", env=ENVIRONMENT | {"DEMO_URL": server.url})
    server.close()
    return checkout.root


@pytest.fixture
def checkout(earlier: Path, tmp_path: Path) -> Checkout:
    """A copy of it, to change."""
    shutil.copytree(earlier, tmp_path, dirs_exist_ok=True, symlinks=True)
    copy = Checkout(tmp_path, "http://127.0.0.1:1")
    profile(copy, limit=10)
    return copy


@pytest.fixture
def first(checkout: Checkout) -> Finished:
    """The earlier run, as it lies in the copy."""
    return Finished(1, "", (checkout.root / "reports" / "of-1" / "latest").resolve())


ENVIRONMENT = {"DEMO_TOKEN": "token-of-the-demo-1"}


def profile(checkout: Checkout, limit: int) -> None:
    checkout.profile(
        PAYLOAD.replace("LIMIT", str(limit)),
        url="${DEMO_URL}",
        api='auth: {bearer: "${DEMO_TOKEN}"}',
        targets="logs: {kind: http, url: 'http://127.0.0.1:1'}",
    )


def test_a_replay_says_the_same_without_network_and_without_the_environments_variables(
    checkout: Checkout, first: Finished
) -> None:
    """Weeks later, on another machine, the same evidence gives the same verdict for the same reasons."""
    assert first.told == {
        "good": "passed",
        "limit": "passed",
        "plain": "passed",
        "html": "failed: bad answer",
        "polls": "passed",
        "lacks": "skipped: does not apply",
        "late": "failed: timed out",
        "late_with_a_question_open": "failed: timed out",
        "broken": "waived: check broken",
        "down": "unknown: unreachable",
        "release": "passed",
    }
    again = checkout.run(f"--replay={first.folder}", profile=None)

    assert again.told == first.told, again.text
    assert (again.status, again.word, again.agrees()) == (1, "FAIL", True)
    assert {name: outcome.message for name, outcome in again.outcomes.items()} == {
        name: outcome.message for name, outcome in first.outcomes.items()
    }
    assert again.run.replay_of == first.run.id
    assert again.run.profiles["demo/local"].release == first.run.profiles["demo/local"].release
    assert [root.what for root in again.run.root_causes] == [root.what for root in first.run.root_causes]
    assert again.evidence == first.evidence
    assert f"judged again from the evidence of run {first.run.id}" in again.block
    twice = checkout.run("--replay", str(again.folder.relative_to(checkout.root) if again.folder else ""), profile=None)
    assert twice.told == first.told


def test_a_replay_judges_by_todays_limits(checkout: Checkout, first: Finished) -> None:
    """That is what it is for: would this night have passed under the new limit?"""
    profile(checkout, limit=5)

    done = checkout.run(f"--replay={first.folder}", "-k", "limit or good", profile=None)

    assert done.told == {"good": "passed", "limit": "failed: target wrong"}
    assert done.outcomes["limit"].message.startswith("7 items")
    assert done.status == 1


def test_an_answer_that_the_evidence_does_not_hold_is_unknown(checkout: Checkout, first: Finished) -> None:
    """A check that asks more than it did then is not guessed at, nor is one that did not exist."""
    source = checkout.root / "checks/demo/test_demo.py"
    text = source.read_text()
    source.write_text(
        text.replace('(await api.get("/good")).field("status") ==', '(await api.get("/better")).field("status") ==')
        + "\n@runbook()\nasync def test_new(api):\n    assert (await api.get('/good')).ok\n"
    )

    done = checkout.run(f"--replay={first.folder}", "-k", "good or new or plain", profile=None)

    assert done.told == {
        "good": "unknown: precondition missing",
        "new": "unknown: precondition missing",
        "plain": "passed",
    }
    assert done.status == 6
    assert "the evidence of that run holds no answer to: GET /better" in done.text


def test_damaged_evidence_is_refused_in_words(checkout: Checkout, first: Finished) -> None:
    """A verdict on half of the evidence would be a lie."""
    assert first.folder is not None

    def damaged(case: str, name: str, damage: str | None) -> Finished:
        assert first.folder is not None
        copy = checkout.root / case
        shutil.copytree(first.folder, copy)
        path = copy / name
        if damage is None:
            path.unlink()
        else:
            path.write_text(damage.replace("WHOLE", path.read_text()))
        return checkout.run(f"--replay={copy}", profile=None)

    lines = (first.folder / "evidence.jsonl").read_text().splitlines()
    newer = (first.folder / "run.json").read_text().replace('"schema_version": 1', '"schema_version": 99')
    cases = {
        "cut": ("evidence.jsonl", "\n".join(lines)[:-40], "this line of the evidence is no observation"),
        "text": ("evidence.jsonl", "WHOLEwhat?\n", "this line of the evidence is no observation"),
        "gone": ("evidence.jsonl", None, "the evidence cannot be read"),
        "run": ("run.json", '{"half":', "run.json is cut or no JSON"),
        "no_run": ("run.json", None, "no run can be read"),
        "newer": ("run.json", newer, "written by a newer opsproof"),
    }
    runs = together({case: partial(damaged, case, name, damage) for case, (name, damage, _) in cases.items()})

    for case, (_, _, words) in cases.items():
        done = runs[case]
        assert done.status in (4, 6), case
        assert words in done.text, case
        assert "next:" in done.text, case
        assert "Traceback" not in done.text, case
        assert done.folder is None or done.word == "INCONCLUSIVE", case


def test_a_forged_answer_is_judged_as_it_stands_and_says_that_it_is_a_replay(
    checkout: Checkout, first: Finished
) -> None:
    """Evidence is not signed: a replay never passes for a run."""
    assert first.folder is not None
    path = Path(first.folder) / "evidence.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if line["question"] == "GET /items":
            line["answer"]["body"]["json"]["count"] = 99
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))

    done = checkout.run(f"--replay={first.folder}", "-k", "limit", profile=None)

    assert done.told == {"limit": "failed: target wrong"}
    assert done.run.id == f"{first.run.id}-replay"


def test_a_replay_may_be_spread_over_workers(checkout: Checkout, first: Finished) -> None:
    """Every worker finds its answers."""
    done = checkout.run(f"--replay={first.folder}", "-n", "2", profile=None)

    assert done.told == first.told
    assert done.agrees()
