"""Nothing hangs: not a slow target, not an endless answer, not a check that waits, blocks or will not be cancelled."""

import re
import signal

from answering import Answer, AnsweringServer
from checkout import Checkout

LATE = """
@runbook()
async def test_waits(api):
    await api.get("/fast")
    await asyncio.sleep(60)

@runbook()
async def test_asks_too_long(api):
    await asyncio.gather(*(api.get(f"/slow/{n}") for n in range(40)))

@runbook(verifies="answer")
async def test_verifies_that_it_is_quick(api):
    await api.get("/fast")
    await asyncio.sleep(60)

@runbook()
async def test_is_quick(api):
    assert (await api.get("/fast")).ok

@runbook()
async def test_raises_a_timeout_of_its_own(api):
    await api.get("/fast")
    raise TimeoutError("its own")

@runbook()
def test_plain_waits_in_the_probe(api):
    while True:
        api.get("/slow/1", fresh=True)
"""


def test_a_check_has_a_deadline(checkout: Checkout, server: AnsweringServer) -> None:
    """What is late is unknown, unless being quick is what is verified; the others are not held up."""
    server.by_prefix["/slow/"] = Answer({}, delay=0.2)
    checkout.profile("policy: {check_deadline: 1s}")
    checkout.checks(LATE)

    done = checkout.run()

    assert done.told == {
        "waits": "unknown: timed out",
        "asks_too_long": "unknown: timed out",
        "verifies_that_it_is_quick": "failed: timed out",
        "is_quick": "passed",
        "raises_a_timeout_of_its_own": "unknown: check broken",
        "plain_waits_in_the_probe": "unknown: timed out",
    }
    assert (done.status, done.agrees()) == (1, True)
    late = done.outcomes["waits"]
    assert late.message == "the check did not end within its deadline of 1 s (policy.check_deadline)"
    assert late.where == "GET /fast was its last answered question"


def test_backups_are_read_within_a_time_of_their_own(checkout: Checkout) -> None:
    """A backup of a terabyte is read in hours, whatever time other checks have; its own limit is told by its name."""
    checkout.write("store/dumps/one.dump", "x" * 2048)
    store = checkout.root / "store"
    checkout.checks("""
        @runbook()
        async def test_reads(api, stored):
            await asyncio.sleep(0.5)
            assert (await api.get("/fast")).ok

        @runbook()
        async def test_reads_on(api, stored):
            await api.get("/fast")
            await asyncio.sleep(60)

        @runbook()
        async def test_other(api):
            await api.get("/fast")
            await asyncio.sleep(60)
    """)
    checkout.profile(
        "policy: {check_deadline: 200ms, run_deadline: 300ms}\n"
        "backups: {dumps: {prefix: dumps/, form: custom, freshness: 1d}, read_within: 2s}",
        targets=f'backups: {{kind: store, url: "local://{store}"}}\n'
        'database: {kind: postgres, dsn: "postgresql://nobody@127.0.0.1:1/none"}',
    )

    done = checkout.run("--lang=en")

    assert done.told == {
        "reads": "passed",
        "reads_on": "unknown: timed out",
        "other": "unknown: timed out",
    }
    ends = {name: outcome.message.partition("deadline of ")[2] for name, outcome in done.outcomes.items()}
    assert ends["reads_on"] == "2 s (backups.read_within)"
    assert ends["other"] == "0.2 s (policy.check_deadline)"


def test_a_run_has_a_deadline_for_each_profile(checkout: Checkout, server: AnsweringServer) -> None:
    """What was not begun in time is unknown and asks nothing any more; the other profile goes on."""
    server.by_prefix["/slow/"] = Answer({}, delay=0.4)
    checkout.profile("policy: {run_deadline: 1s}", api="concurrency: 1")
    checkout.profile("policy: {run_deadline: 60s}", name="demo/patient")
    checkout.checks("""
        @runbook()
        @pytest.mark.parametrize("n", range(6))
        async def test_async(api, n):
            assert (await api.get(f"/slow/{n}")).ok

        @runbook()
        def test_plain(api, profile):
            assert api.get(f"/plain/{profile.environment}").ok
    """)

    done = checkout.run("--profile", "demo/patient")

    told = [done.told[f"demo.async[demo/local-{n}]"] for n in range(6)]
    assert told[0] == "passed"
    assert told[-1] == done.told["demo.plain[demo/local]"] == "unknown: timed out"
    assert "the run's deadline of 1 s (policy.run_deadline) was over" in done.text
    assert {told for check, told in done.told.items() if "patient" in check} == {"passed"}
    assert (done.status, server.asked("/plain/local")) == (6, 0)


STUBBORN = """
@runbook()
async def test_does_not_let_itself_be_cancelled(api):
    await api.get("/a")
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass

@runbook()
async def test_good(api):
    assert (await api.get("/b")).ok
"""


def test_a_check_that_swallows_its_cancellation_does_not_hold_the_gate(
    checkout: Checkout, server: AnsweringServer
) -> None:
    """The gate waits for the run's deadline and the clean-up, and then no longer."""
    checkout.profile("policy: {check_deadline: 1s, run_deadline: 1s}")
    checkout.checks(STUBBORN)
    checkout.write("conftest.py", SHORT_GRACE)

    done = checkout.run()

    assert done.told == {"does_not_let_itself_be_cancelled": "unknown: check broken", "good": "passed"}
    assert "it must let asyncio.CancelledError through" in done.block
    assert (done.status, done.agrees()) == (6, True)


SHORT_GRACE = """\
from opsproof.plugin import conductor, engine

pytest_plugins = ["opsproof.plugin"]
conductor.CLEAN_UP_LIMIT = engine.CLEAN_UP_GRACE = engine.CLOSING_GRACE = 0.2
"""


def test_a_check_that_blocks_the_loop_is_named_and_does_not_hold_the_gate(
    checkout: Checkout, server: AnsweringServer
) -> None:
    """time.sleep in a coroutine stops every check at once; the operator reads where it is."""
    checkout.profile("policy: {check_deadline: 300ms}")
    checkout.write("conftest.py", SHORT_GRACE)
    checkout.checks("""
        @runbook()
        async def test_good(api):
            assert (await api.get("/b")).ok

        @runbook()
        async def test_blocks(api):
            await api.get("/a")
            time.sleep(3600)

        @runbook()
        @pytest.mark.parametrize("n", range(20))
        async def test_others(api, n):
            assert (await api.get(f"/others/{n}")).ok

        @runbook()
        def test_plain(api):
            assert api.get("/plain").ok
    """)

    done = checkout.run()

    assert (done.status, done.agrees()) == (6, True)
    assert done.told["demo.blocks[demo/local]"] == "unknown: check broken"
    assert "a check holds up all others" in done.text
    assert re.search(r"/test_demo\.py:\d+ \(test_blocks\)$", done.outcomes["demo.blocks[demo/local]"].where)


def test_an_interrupt_ends_the_run_with_a_verdict_and_nothing_left_open(
    checkout: Checkout, server: AnsweringServer
) -> None:
    """Ctrl-C in the middle: what is known is told, what is not is `interrupted`, connections are closed."""
    server.by_prefix["/slow/"] = Answer({}, delay=60.0)
    checkout.profile("policy: {check_deadline: 60s}", api="timeout: 60s")
    checkout.checks("""
        import asyncio

        known = asyncio.Event()

        @runbook()
        @pytest.mark.parametrize("n", range(12))
        async def test_slow(api, n):
            await known.wait()
            assert (await api.get(f"/slow/{n}")).ok

        @runbook(severity="SEV-2")
        async def test_bad(api):
            answer = await api.get("/good")
            asyncio.get_running_loop().call_soon(known.set)
            assert answer.status == 500, "the answer that came while pytest waited for another check"

        @runbook()
        async def test_good(api):
            assert (await api.get("/good")).ok
    """)

    for number in (signal.SIGINT, signal.SIGTERM):
        server.requests.clear()
        server.given_up = 0
        done = checkout.start().interrupt(lambda: len(server.requests) == 9, number)

        assert (done.status, done.word, done.agrees()) == (2, "FAIL", True), done.text
        assert done.told["demo.good[demo/local]"] == "passed"
        assert done.told["demo.bad[demo/local]"] == "failed: target wrong"
        assert "the answer that came while pytest waited for another check" in done.block
        assert list(done.told.values()).count("unknown: interrupted") == 12
        assert (server.given_up, server.connections, len(server.requests)) == (8, 0, 9)
        assert "12 checks could not run" in done.block
        assert "Traceback" not in done.text
        assert "never retrieved" not in done.text
        assert "was destroyed" not in done.text


def test_a_frozen_target_costs_its_time_limit_and_no_more(checkout: Checkout, server: AnsweringServer) -> None:
    """A target that has left eight questions unanswered is left alone; sixty checks are one headline."""
    server.delay = 30.0
    checkout.profile(api="timeout: 200ms")
    checkout.checks("""
        @runbook()
        @pytest.mark.parametrize("n", range(60))
        async def test_one(api, n):
            assert (await api.get(f"/item/{n}")).ok
    """)

    done = checkout.run()

    assert (done.status, done.word, done.agrees()) == (6, "INCONCLUSIVE", True)
    assert set(done.told.values()) == {"unknown: timed out"}
    assert len(server.requests) < 20
    (root,) = done.run.root_causes
    assert len(root.direct) == 60
    assert "60 checks could not run" in done.block
