"""A person who debugs a check meets pdb as everywhere: in order, visible, without deadlines, and never a false pass."""

import subprocess

import pytest
from answering import AnsweringServer
from checkout import Checkout

STEPPED = """
@runbook()
async def test_first(api):
    answer = await api.get("/first")
    assert answer.status == 418

@runbook()
def test_second(api):
    answer = api.get("/second")
    assert answer.status == 418
"""


def test_pdb_stops_where_a_check_failed_and_nothing_runs_ahead(checkout: Checkout, server: AnsweringServer) -> None:
    """While a person looks at the first check the second has asked nothing yet."""
    checkout.checks(STEPPED)

    run = checkout.start("--pdb", stdin=subprocess.PIPE)
    assert run.process.stdout is not None
    read = b""
    while b"(Pdb) " not in read:
        read += run.process.stdout.read1(4096)
    assert server.paths == ["GET /first"]
    done = run.finish(b"p answer.status + 1000\nc\np answer.asked.question\nc\n")

    assert "1200" in done.text
    assert "'GET /second'" in done.text
    assert list(done.told.values()) == ["failed: target wrong"] * 2
    assert done.agrees()


def test_trace_steps_through_checks_and_they_are_judged(checkout: Checkout, server: AnsweringServer) -> None:
    """pytest hides what it traces behind a plain function: a coroutine was made, never run, and passed."""
    checkout.checks(STEPPED)
    checkout.profile("policy: {check_deadline: 1ms}")

    done = checkout.start("--trace", stdin=subprocess.PIPE).finish(
        b"n\np 'first saw', answer.status\nc\nn\np 'second saw', answer.status\nc\n"
    )

    assert "('first saw', 200)" in done.text
    assert "('second saw', 200)" in done.text
    assert list(done.told.values()) == ["failed: target wrong"] * 2
    assert (done.status, server.paths) == (1, ["GET /first", "GET /second"])


@pytest.mark.parametrize("kind", ["async def", "def"])
def test_a_breakpoint_in_a_check_can_be_seen_and_used(checkout: Checkout, kind: str) -> None:
    """A prompt that lands in the check's report looks like a gate that hangs."""
    wait = "await " if kind == "async def" else ""
    checkout.checks(f"""
        @runbook()
        {kind} test_stops(api):
            answer = {wait}api.get("/stop")
            print("before")
            breakpoint()
            print("after")
            assert answer.ok

        @runbook()
        async def test_other(api):
            assert (await api.get("/other")).ok
    """)

    done = checkout.start(stdin=subprocess.PIPE).finish(b"p 1000 + answer.status\nc\n")

    assert "1200" in done.text
    assert list(done.told.values()) == ["passed"] * 2
    assert [line for line in done.outcomes["stops"].output.splitlines() if line in ("before", "after")] == [
        "before",
        "after",
    ]


def test_quitting_the_debugger_ends_the_run_without_a_pass(checkout: Checkout) -> None:
    """`q` at the prompt is an interrupt."""
    checkout.checks("""
        @runbook()
        async def test_good(api):
            assert (await api.get("/good")).ok

        @runbook()
        async def test_bad(api):
            assert not (await api.get("/bad")).ok

        @runbook()
        async def test_never(api):
            assert (await api.get("/never")).ok
    """)

    done = checkout.start("--pdb", stdin=subprocess.PIPE).finish(b"q\n")

    assert (done.status, done.word) == (2, "FAIL")
    assert done.told == {"good": "passed", "bad": "failed: target wrong", "never": "unknown: interrupted"}
    assert done.agrees()
