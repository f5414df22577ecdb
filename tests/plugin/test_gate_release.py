"""What answers is the release under test, before any other check counts."""

from functools import partial

from answering import Answer, AnsweringServer, Request
from checkout import Checkout, together

SECTION = "release: {path: /version}\n"
CHECKS = """
@runbook()
async def test_async(api):
    assert (await api.get("/async")).ok

@runbook()
def test_plain(api):
    assert api.get("/plain").ok
"""
OWN = """
@runbook(severity="SEV-1", next_step="Wait for the roll-out.")
@needs("release")
async def test_release(release):
    if release.expected is None:
        pytest.skip("no --expect-version was given")
    seen = await release.seen()
    assert set(seen) == {release.expected}, release.wrong(seen)
    assert not release.absent_replicas(), release.absent_replicas()

@runbook()
def test_release_plain(release):
    assert len(release.seen()) == 1
"""


def versions(server: AnsweringServer, *answers: str) -> None:
    """The version endpoint answers these in turn, again and again."""
    count = iter(range(1_000_000))

    def answer(request: Request) -> Answer:
        return Answer({"version": answers[next(count) % len(answers)]}, delay=0.01)

    server.script["/version"] = answer


def test_the_expected_release_is_asked_for_on_fresh_connections_and_the_checks_count(
    checkout: Checkout, server: AnsweringServer
) -> None:
    """Ten answers, every one on a connection of its own, so that every replica answers."""
    versions(server, "2.0")
    checkout.profile(SECTION)
    checkout.checks(CHECKS + OWN)

    done = checkout.run("--expect-version", "2.0")

    assert (done.status, set(done.told.values()), done.agrees()) == (0, {"passed"}, True), done.text
    assert server.asked("/version") == 10
    assert server.accepted >= 10
    release = done.run.profiles["demo/local"].release
    assert release is not None
    assert (release.expected, release.seen) == ("2.0", {"2.0": 10})
    assert "release 2.0 (10)" in done.block


def test_one_wrong_replica_of_ten_keeps_every_check_from_counting(checkout: Checkout, server: AnsweringServer) -> None:
    """One headline; async and plain checks alike have asked nothing."""
    versions(server, *["2.0"] * 9, "1.9")
    checkout.profile(SECTION)
    checkout.checks(CHECKS + OWN)

    done = checkout.run("--expect-version", "2.0")

    assert (done.status, done.word, done.agrees()) == (1, "FAIL", True)
    assert (done.told["async"], done.told["plain"]) == ("unknown: precondition missing",) * 2
    assert done.told["release"] == "failed: target wrong"
    assert "release 2.0 was expected, 10 requests were answered by 1 x 1.9, 9 x 2.0" in done.block.replace(
        "\n           ", " "
    )
    assert (server.asked("/async"), server.asked("/plain")) == (0, 0)
    assert done.block.count("ROOT CAUSE") == 1


def test_a_replica_that_does_not_answer_is_missed_and_those_that_do_are_named(
    checkout: Checkout, server: AnsweringServer
) -> None:
    """Ten right answers may all come from one of three replicas; the other two may run anything."""
    turns = iter(range(1_000_000))
    server.script["/version"] = lambda request: Answer({"version": "2.0", "instance": f"pod-{next(turns) % 2}"})
    checkout.profile("release: {path: /version, replicas: 3}\n")
    checkout.profile("release: {path: /version, replicas: 2}\n", name="demo/whole")
    checkout.checks(OWN)

    few = checkout.run("--expect-version", "2.0", "-k", "not plain")
    again = checkout.run(f"--replay={few.folder}", "-k", "not plain", profile=None)
    whole = checkout.run("--expect-version", "2.0", "-k", "not plain", profile="demo/whole")

    for done in (few, again):
        assert (done.status, done.told) == (1, {"release": "failed: target wrong"}), done.text
        assert done.outcomes["release"].message == "2 of 3 replicas answered 10 requests: pod-0, pod-1"
    assert (whole.status, whole.told) == (0, {"release": "passed"})


def test_without_the_releases_own_check_a_wrong_release_is_still_no_pass(
    checkout: Checkout, server: AnsweringServer
) -> None:
    """-k or -m may leave that check out; the expectation holds all the same, however the version is not told."""
    checkout.profile(SECTION, api="timeout: 300ms")
    checkout.checks(CHECKS)
    wrong = {
        "another": Answer({"version": "1.9"}),
        "none": Answer({"name": "demo"}),
        "html": Answer(body=b"<html>"),
        "error": Answer({}, status=500),
        "silent": Answer({}, delay=5.0),
    }

    for case, answer in wrong.items():
        server.script[f"/{case}/version"] = answer
        limit = "300ms" if case == "silent" else "10s"
        checkout.profile(SECTION, name=f"demo/{case}", url=f"{server.url}/{case}", api=f"timeout: {limit}")
    runs = {case: partial(checkout.run, "--expect-version", "2.0", profile=f"demo/{case}") for case in wrong}
    for case, done in together(runs).items():
        assert (done.status, done.word, done.agrees()) == (6, "INCONCLUSIVE", True), case
        assert "release 2.0 was expected" in done.block.replace("\n           ", " "), case
        assert case == "silent" or "passed" not in done.told.values(), case


def test_a_version_is_noted_where_none_is_expected(checkout: Checkout, server: AnsweringServer) -> None:
    """Which release was checked stands in every report; nobody waits for it, nothing depends on it."""
    versions(server, "3.1")
    checkout.profile(SECTION)
    checkout.checks(CHECKS)

    done = checkout.run("-k", "async")
    server.script["/version"] = Answer(status=404)
    unknown = checkout.run()

    release = done.run.profiles["demo/local"].release
    assert (done.status, server.asked("/version")) == (0, 2)
    assert release is not None
    assert (release.expected, release.seen) == (None, {"3.1": 1})
    assert "release 3.1" in done.block
    assert (unknown.status, unknown.run.profiles["demo/local"].release) == (0, None)


def test_a_release_that_cannot_be_verified_is_a_usage_error(checkout: Checkout, server: AnsweringServer) -> None:
    """An expectation that is quietly dropped is worse than none, also for a misspelt system."""
    checkout.checks(CHECKS)

    done = together(
        {
            "plain": lambda: checkout.run("--expect-version", "2.0"),
            "system": lambda: checkout.run("--expect-version", "demo=2.0"),
            "workers": lambda: checkout.run("--expect-version", "2.0", "-n", "2"),
            "another system": lambda: checkout.run("--expect-version", "other=2.0"),
        }
    )

    for case in ("plain", "system", "workers"):
        assert (done[case].status, done[case].folder) == (4, None), case
        assert "the release cannot be verified: this profile has no `release:` section" in done[case].text, case
    assert done["another system"].status == 4
    assert "other" in done["another system"].text
    assert [path for path in server.paths if "version" in path] == []


def test_every_system_has_its_own_release(checkout: Checkout, server: AnsweringServer) -> None:
    """SYSTEM=X wins over X; one system's wrong release does not hold up the other."""
    server.script |= {"/a/version": Answer({"version": "1"}), "/b/version": Answer({"version": "2"})}
    checkout.profile(SECTION, url=f"{server.url}/a")
    checkout.profile(SECTION, name="other/local", url=f"{server.url}/b")
    checkout.checks(CHECKS)

    right = checkout.run("--profile", "other/local", "--expect-version", "2", "--expect-version", "demo=1")
    wrong = checkout.run("--profile", "other/local", "--expect-version", "1")

    assert (right.status, set(right.told.values())) == (0, {"passed"})
    assert wrong.status == 6
    assert {told for check, told in wrong.told.items() if "demo/local" in check} == {"passed"}
    assert {told for check, told in wrong.told.items() if "other/local" in check} == {"unknown: precondition missing"}


def test_workers_ask_for_the_release_too(checkout: Checkout, server: AnsweringServer) -> None:
    """Nothing counts on any worker before the release is confirmed there."""
    versions(server, "1.9")
    checkout.profile(SECTION)
    checkout.checks(CHECKS)

    done = checkout.run("--expect-version", "2.0", "-n", "2")

    assert (done.status, set(done.told.values())) == (6, {"unknown: precondition missing"})
    assert (server.asked("/async"), server.asked("/plain")) == (0, 0)
