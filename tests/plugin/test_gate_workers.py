"""xdist spreads the checks; there is still one run, one folder and one verdict, and a dead worker is not green."""

import os
import signal

import pytest
from answering import Answer, AnsweringServer
from checkout import Checkout, together, until

MIXED = """
@runbook()
@pytest.mark.parametrize("n", range(8))
async def test_async(api, n):
    answer = await api.get(f"/a/{n}")
    assert n != 3, f"{os.environ['PYTEST_XDIST_WORKER']} {answer.status}"

@runbook()
def test_plain(api):
    assert api.get("/plain").ok

@runbook()
def test_lacks_its_target(database):
    pass

def test_ordinary():
    assert True
"""


@pytest.mark.parametrize("dist", ["load", "loadgroup"])
def test_outcomes_and_evidence_of_all_workers_are_one_run(
    checkout: Checkout, server: AnsweringServer, dist: str
) -> None:
    """Results travel on the reports; the verdict is made where they arrive; ordinary tests do not disturb it."""
    server.delay = 0.02
    checkout.checks(MIXED)
    checkout.profile(name="demo/other")

    done = checkout.run("-n", "2", "--dist", dist, "--profile", "demo/other", "--junitxml=own.xml")

    assert (done.status, done.agrees()) == (1, True), done.text
    for profile in ("demo/local", "demo/other"):
        told = {check.partition("[")[2][:-1]: told for check, told in done.told.items() if profile in check}
        assert told[f"{profile}-3"] == "failed: target wrong"
        assert [told[f"{profile}-{n}"] for n in range(8) if n != 3] == ["passed"] * 7
        assert done.told[f"demo.plain[{profile}]"] == "passed"
        assert done.told[f"demo.lacks_its_target[{profile}]"] == "skipped: does not apply"
    assert len(done.run.outcomes) == 20
    ids = [line["id"] for line in done.evidence]
    assert len(ids) == len(set(ids)) == 18
    assert {id_ for outcome in done.run.outcomes for id_ in outcome.observations} == set(ids)
    assert {id_.partition("-")[0] for id_ in ids} != {ids[0]}
    assert done.run.verdict.reasons[0].startswith("demo.async[demo/")
    assert not [reason for reason in done.run.verdict.reasons if "no outcome" in reason]
    own = (checkout.root / "own.xml").read_text()
    assert "test_plain" in own
    assert "opsproof" not in own, "how results travel is nobody's business"
    if dist == "loadgroup":
        pids = [
            {line["id"].partition("-")[0] for line in done.evidence if line["profile"] == profile}
            for profile in ("demo/local", "demo/other")
        ]
        assert [len(workers) for workers in pids] == [1, 1]
        assert pids[0] != pids[1]
        assert server.most_at_once > 4


def test_a_worker_that_dies_is_not_green_and_what_got_lost_is_named(checkout: Checkout) -> None:
    """The other checks have passed; what died with the worker must not be forgotten."""
    checkout.checks("""
        @runbook()
        @pytest.mark.parametrize("n", range(4))
        async def test_async(api, n):
            assert (await api.get(f"/a/{n}")).ok

        @runbook()
        def test_dies(api):
            api.get("/dies")
            os._exit(0)
    """)

    done = checkout.run("-n", "2")

    assert (done.status, done.word, done.agrees()) == (6, "INCONCLUSIVE", True), done.text
    assert "test_dies[demo/local]" in " ".join(done.run.verdict.reasons)
    assert "1 selected tests have no outcome" in done.block


def test_an_interrupt_ends_all_workers_with_a_verdict(checkout: Checkout, server: AnsweringServer) -> None:
    """What has arrived is told; what has not is a gap."""
    server.by_prefix["/slow/"] = Answer({}, delay=60.0)
    checkout.profile("policy: {check_deadline: 60s}", api="timeout: 60s")
    checkout.checks("""
        @runbook()
        async def test_good(api):
            assert (await api.get("/good")).ok

        @runbook()
        @pytest.mark.parametrize("n", range(8))
        async def test_slow(api, n):
            assert (await api.get(f"/slow/{n}")).ok
    """)

    running = checkout.start("-n", "2", start_new_session=True)
    until(lambda: server.asked("/good") == 1 and len(server.requests) > 3)
    os.killpg(running.process.pid, signal.SIGINT)
    done = running.finish()

    assert (done.status, done.word, done.agrees()) == (2, "INCONCLUSIVE", True), done.text
    assert "selected tests have no outcome" in done.block
    assert server.connections == 0


def test_stopping_at_the_first_failure_is_told(checkout: Checkout, server: AnsweringServer) -> None:
    """-x with workers leaves checks without an outcome; FAIL stays FAIL, with xdist's exit status for being stopped."""
    checkout.checks("""
        @runbook()
        @pytest.mark.parametrize("n", range(30))
        def test_one(api, n):
            assert not api.get(f"/{n}").ok
    """)

    done = checkout.run("-n", "2", "-x")

    assert (done.status, done.word, done.agrees()) == (2, "FAIL", True)
    assert len(done.run.outcomes) < 30
    assert "selected tests have no outcome" in " ".join(done.run.verdict.reasons)


def test_mistakes_are_usage_errors_with_workers_too(checkout: Checkout) -> None:
    """A worker's refusal must not end in a green or a traceback only."""
    checkout.checks("""
        async def test_no_card(api):
            assert (await api.get("/")).ok
    """)

    runs = {"no card": lambda: checkout.run("-n", "2"), "unknown": lambda: checkout.run("-n", "2", profile="nothing/*")}
    done, unknown = together(runs).values()

    assert (done.status, done.folder) == (4, None)
    assert "asks an environment and cites no runbook row" in done.text
    assert unknown.status == 4
    assert "nothing/*" in unknown.text


def test_all_deselected_or_skipped_is_no_pass_with_workers(checkout: Checkout) -> None:
    """No path is green with nothing checked."""
    checkout.checks("""
        @runbook()
        def test_lacks_its_target(database):
            pass
    """)

    runs = {"skipped": lambda: checkout.run("-n", "2"), "deselected": lambda: checkout.run("-n", "2", "-k", "nothing")}
    skipped, deselected = together(runs).values()

    assert (skipped.status, skipped.word, skipped.agrees()) == (6, "INCONCLUSIVE", True)
    assert (deselected.status, deselected.word, deselected.agrees()) == (5, "INCONCLUSIVE", True)


def test_workers_of_ordinary_tests_have_no_stack(checkout: Checkout) -> None:
    """One would be started, and run all the while, for tests that ask nothing of it."""
    checkout.profile(name="demo/embedded")
    checkout.write("elsewhere/test_ordinary.py", "def test_one():\n    pass\n")

    ordinary = checkout.run("-n", "2", "elsewhere", profile=None)
    all_of_it = checkout.run("-n", "2", profile=None)

    assert ordinary.status == 0, ordinary.text
    assert "1 passed" in ordinary.text
    assert all_of_it.status == 4
    assert "ed stack for demo" in all_of_it.text
