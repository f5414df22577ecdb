"""Windows: a run that looks again and again, until a stretch of time was unbroken green."""

import itertools
import os
import pty
import signal
import time
from datetime import UTC, datetime, timedelta

import pytest
from answering import Answer, AnsweringServer, Request
from checkout import Checkout, Finished, together, until

from opsproof.judge.windows import Ending, State

CHECK = """
@runbook("DEMO-7", next_step="Start the demo.")
async def test_well(api):
    answer = await api.get("/well")
    assert answer.ok, answer.status_line
"""
STEADY = """
@runbook("DEMO-8")
async def test_steady(api):
    assert (await api.get("/steady")).ok
"""
WRITES = """
@runbook("DEMO-9")
@writes("a thing")
async def test_writes(api):
    assert (await api.post("/things", json={})).ok
"""
QUICK = ("--stable-for=1s", "--interval=200ms", "--deadline=30s")


def course(server: AnsweringServer, letters: str, path: str = "/well") -> None:
    """The path answers 200 or 503 letter by letter (h, f), and then as the last letter says."""
    count = itertools.count()

    def answer(_: Request) -> Answer:
        return Answer({}, status=200 if letters[min(next(count), len(letters) - 1)] == "h" else 503)

    server.script[path] = answer


def asked(server: AnsweringServer, path: str) -> int:
    return sum(request.path == path for request in server.requests)


def states(run: Finished, check: str) -> list[State]:
    window = run.run.window
    assert window is not None
    (line,) = (line for line in window.timelines if line.check.startswith(check))
    return [span.state for span in line.spans if span.state is not State.GAP]


def test_a_service_that_heals_flaps_and_heals_is_stable_only_after_an_unbroken_stretch(
    checkout: Checkout, server: AnsweringServer
) -> None:
    """Both times and the flap are in run.json, and the operator reads them."""
    course(server, "ffffhhfffh")
    checkout.checks(CHECK + STEADY)

    run = checkout.run(*QUICK)

    window = run.run.window
    assert window is not None
    assert (run.word, run.status, run.told) == ("PASS", 0, {"well": "passed", "steady": "passed"})
    assert (window.ending, window.flaps) == (Ending.STABLE, 1)
    assert states(run, "demo.well") == [State.FAILED, State.HEALTHY, State.FAILED, State.HEALTHY]
    assert window.first_healthy is not None
    assert window.stable_since is not None
    assert 0 < window.first_healthy < window.stable_since
    assert (window.ended - window.started).total_seconds() >= window.stable_since + 1
    assert "unbroken since" in run.block
    assert "healthy and then failed again: 1" in run.block
    assert "demo.well[demo/local] failed: 503" in run.text


def test_what_does_not_heal_fails_at_the_deadline_with_its_own_words(
    checkout: Checkout, server: AnsweringServer
) -> None:
    """The other check is not blamed."""
    course(server, "f")
    checkout.checks(CHECK + STEADY)

    run = checkout.run("--stable-for=1s", "--interval=200ms", "--deadline=2s")

    assert (run.word, run.status) == ("FAIL", 1)
    assert run.told == {"well": "failed: target wrong", "steady": "passed"}
    assert run.outcomes["well"].message.startswith("503")
    assert "NOT STABLE: 1 of 2 checks were not healthy for 1.0 s without a break" in run.block


def test_a_check_that_is_green_at_the_deadline_and_was_not_for_long_enough_fails(
    checkout: Checkout, server: AnsweringServer
) -> None:
    """What decides is the stretch, and not the last look at it."""
    count = itertools.count()
    server.script["/well"] = lambda _: Answer({}, status=503 if next(count) % 4 == 0 else 200)
    checkout.checks(CHECK + STEADY)

    run = checkout.run("--stable-for=2s", "--interval=200ms", "--deadline=4s")

    assert (run.word, run.told["well"]) == ("FAIL", "failed: target wrong")
    assert "of 2 s when the time was up" in run.outcomes["well"].message or "503" in run.outcomes["well"].message
    assert run.run.window is not None
    assert run.run.window.flaps >= 2
    assert run.told["steady"] == "passed"


def test_what_could_not_be_read_makes_no_stretch_and_no_failure(checkout: Checkout, server: AnsweringServer) -> None:
    """Not seen is not recovered, and not broken either: INCONCLUSIVE."""
    checkout.checks("""
        @runbook()
        async def test_gone(api):
            assert (await api.get("/no-json")).field("x")
    """)
    server.script["/no-json"] = Answer(body=b"<html>")

    run = checkout.run("--stable-for=1s", "--interval=200ms", "--deadline=2s")

    assert (run.word, run.status, run.told) == ("INCONCLUSIVE", 6, {"gone": "unknown: bad answer"})


def test_waiting_changes_nothing_ends_the_window_at_once(checkout: Checkout, server: AnsweringServer) -> None:
    """Half an hour of waiting for a schema that cannot match is lost."""
    checkout.checks(
        CHECK
        + """
from opsproof import Hopeless

@runbook()
async def test_schema(api):
    await api.get("/schema")
    raise Hopeless("revision 99 is not known to the scripts")
"""
    )

    run = checkout.run("--stable-for=1m")

    window = run.run.window
    assert window is not None
    assert (run.word, window.ending) == ("FAIL", Ending.TERMINAL)
    assert "revision 99 is not known to the scripts" in window.why
    assert "STOPPED, since waiting changes nothing" in run.block


def test_what_writes_is_tried_once_and_only_after_the_stretch(checkout: Checkout, server: AnsweringServer) -> None:
    """A sick system is not asked for work again and again, nor at all before it has recovered."""
    checkout.profile("policy: {writes: true}\n")
    checkout.checks(CHECK + WRITES)
    course(server, "ffh")

    held = checkout.run(*QUICK, "--allow-writes=local")
    writes = asked(server, "/things")
    course(server, "f")
    broken = checkout.run("--stable-for=1s", "--interval=200ms", "--deadline=2s", "--allow-writes=local")

    assert (held.told, writes) == ({"well": "passed", "writes": "passed"}, 1)
    assert asked(server, "/things") == 1
    assert broken.told == {"well": "failed: target wrong", "writes": "unknown: precondition missing"}


def test_ready_after_a_while_is_never_plain_green(checkout: Checkout, server: AnsweringServer) -> None:
    """A pipeline must see that the deploy needed nearly all of its patience."""
    checkout.checks(CHECK)
    course(server, "ffffh")

    run = checkout.run("--wait-ready=30s", "--interval=200ms")

    window = run.run.window
    assert window is not None
    assert (run.word, run.status, window.attempts >= 5) == ("PASS", 0, True)
    assert "READY after" in run.block
    assert any("not ready at once" in reason for reason in run.run.verdict.reasons)
    assert run.folder is not None
    assert "not ready at once" in (run.folder / "junit.xml").read_text("utf-8")
    assert run.text.rstrip().splitlines()[-1].startswith("VERDICT PASS after")
    assert f"on attempt {window.attempts} " in run.text.rstrip().splitlines()[-1]


def test_what_is_waived_or_below_fail_on_breaks_no_stretch(checkout: Checkout, server: AnsweringServer) -> None:
    """What does not stop the gate does not stop a recovery; it is told all the same."""
    course(server, "f")
    checkout.profile("policy: {fail_on: SEV-2}\n")
    checkout.checks(STEADY + CHECK.replace('next_step="Start the demo."', 'severity="SEV-3"'))

    run = checkout.run(*QUICK)

    assert (run.word, run.told["well"]) == ("PASS", "failed: target wrong")
    assert "warning  demo.well" in run.block


def test_a_process_that_was_stopped_has_not_seen_the_stretch(checkout: Checkout, server: AnsweringServer) -> None:
    """Time that passed unseen, by a suspended machine or a stopped process, is a gap and no green."""
    checkout.checks(CHECK)
    running = checkout.start("--stable-for=4s", "--interval=300ms", "--deadline=50s")
    until(lambda: asked(server, "/well") >= 3)
    running.process.send_signal(signal.SIGSTOP)
    stopped = asked(server, "/well")
    time.sleep(5)
    running.process.send_signal(signal.SIGCONT)
    run = running.finish()

    window = run.run.window
    assert window is not None
    assert (run.word, window.gaps >= 1) == ("PASS", True)
    assert asked(server, "/well") - stopped > 4 / 0.3 / 2
    assert any(span.state is State.GAP for span in window.timelines[0].spans)


def test_ctrl_c_ends_a_window_and_the_run_says_what_it_had_seen(checkout: Checkout, server: AnsweringServer) -> None:
    """An operator who has seen enough still has the timeline."""
    course(server, "f")
    checkout.checks(CHECK)

    run = checkout.start("--stable-for=1m").interrupt(lambda: asked(server, "/well") >= 1)

    window = run.run.window
    assert window is not None
    assert (run.word, run.status, window.ending) == ("FAIL", 2, Ending.INTERRUPTED)
    assert run.told == {"well": "failed: target wrong"}
    assert [line["answer"]["status"] for line in run.evidence][-1:] == [503]


def test_a_replay_of_a_window_that_was_not_stable_is_not_green(checkout: Checkout, server: AnsweringServer) -> None:
    """The last look may have been green; the stretch was not."""
    count = itertools.count()
    server.script["/well"] = lambda _: Answer({}, status=503 if next(count) % 4 == 0 else 200)
    checkout.checks(CHECK)
    before = checkout.run("--stable-for=2s", "--interval=200ms", "--deadline=4s")

    assert before.folder is not None
    again = checkout.run(f"--replay={before.folder}", profile=None)

    assert again.word in ("FAIL", "INCONCLUSIVE")
    assert again.run.window == before.run.window


def test_a_window_that_cannot_be_is_refused_with_the_fix(checkout: Checkout) -> None:
    """Each of these would silently look at less than was asked for."""
    checkout.checks(CHECK)
    refused = {
        "--stable-for=soon": "expected a duration",
        "--interval=5s": "says nothing alone",
        "--stable-for=1m --wait-ready=1m": "two windows",
        "--stable-for=1m --deadline=10s": "no stretch of 1m",
        "--stable-for=10s --interval=9s": "only at its ends",
        "--stable-for=10s --interval=10ms": "asks too often",
        "--wait-ready=2s --interval=5s": "no second look",
        "--stable-for=10s -n 2": "one process must see",
        "--wait-ready=10s --pdb": "leave --pdb out",
        "--stable-for=10s --setup-plan": "leave --setup-plan out",
        "--incident-started=yesterday": "is no time",
        "--incident-started=2026-11-20T02:10": "names no time zone",
        "--incident-started=2999-01-01T00:00Z": "is in the future",
        "--incident-started=0001-01-01T00:00+09:00": "is long past",
    }
    runs = together({args: lambda args=args: checkout.run(*args.split()) for args in refused})

    assert {args: (run.status, refused[args] in run.text) for args, run in runs.items()} == dict.fromkeys(
        refused, (4, True)
    )
    assert all("next: " in run.text and "Traceback" not in run.text for run in runs.values())


def test_the_incident_is_told_in_local_time_and_utc(checkout: Checkout, server: AnsweringServer) -> None:
    """At night nobody should have to count hours."""
    checkout.checks(CHECK)
    started = datetime.now(UTC) - timedelta(hours=2)

    run = checkout.run(f"--incident-started={started.isoformat(timespec='seconds')}")

    assert run.run.incident is not None
    assert run.run.incident.timezone == "Asia/Seoul"
    assert f"{started + timedelta(hours=9):%Y-%m-%d %H:%M:%S} KST" in run.block
    assert f"{started:%H:%M:%S}Z" in run.block


@pytest.mark.parametrize("ci", ["", "true"])
def test_a_terminal_shows_the_window_live_and_a_pipeline_a_line_a_change(
    checkout: Checkout, server: AnsweringServer, ci: str
) -> None:
    """A log full of redrawn lines is no log; a silent terminal looks dead."""
    checkout.checks(CHECK)
    course(server, "ffhh")
    master, slave = pty.openpty()
    running = checkout.start(*QUICK, env={"CI": ci, "TERM": "xterm"}, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    shown = b""
    try:
        while part := os.read(master, 65536):
            shown += part
    except OSError:  # the other end of a pseudo-terminal was closed
        assert shown
    finally:
        os.close(master)
    running.process.wait()

    text = shown.decode(errors="replace")
    assert ("\x1b[2K" in text) is not bool(ci)
    assert ("s of at most 30 s" in text) is not bool(ci)
    assert "demo.well[demo/local] healthy" in " ".join(text.split())


def test_a_sample_that_misses_its_deadline_breaks_the_stretch(checkout: Checkout, server: AnsweringServer) -> None:
    """A hanging answer that vanished would leave the stretch green for no reason."""
    count = itertools.count()
    server.script["/well"] = lambda _: Answer({}, delay=3.0 if next(count) % 2 else 0.0)
    checkout.profile("policy: {check_deadline: 400ms}\n", api="timeout: 10s")
    checkout.checks(CHECK + STEADY)

    run = checkout.run("--stable-for=4s", "--interval=300ms", "--deadline=8s")

    assert (run.word, run.told) == ("INCONCLUSIVE", {"well": "unknown: timed out", "steady": "passed"})
    assert State.UNKNOWN in states(run, "demo.well")


def test_a_check_that_was_broken_for_a_while_is_no_failure_of_the_target(
    checkout: Checkout, server: AnsweringServer
) -> None:
    """A traceback of ours says nothing about the environment, at the deadline either."""
    count = itertools.count()
    server.script["/shape"] = lambda _: Answer({} if next(count) % 5 == 0 else {"key": 1})
    checkout.checks("""
        @runbook()
        async def test_shape(api):
            assert (await api.get("/shape")).json()["key"]
    """)

    run = checkout.run("--stable-for=3s", "--interval=200ms", "--deadline=6s")

    assert (run.word, run.told) == ("INCONCLUSIVE", {"shape": "unknown: check broken"})


def test_ctrl_c_after_a_missed_deadline_still_makes_a_report(checkout: Checkout, server: AnsweringServer) -> None:
    """The traceback of the gate itself would be read as a failure of the environment."""
    server.script["/hangs"] = Answer({}, delay=10.0)
    checkout.profile("policy: {check_deadline: 300ms}\n", api="timeout: 10s")
    checkout.checks("""
        @runbook()
        def test_a_plain_one(api):
            api.get("/plain")
            time.sleep(3)

        @runbook()
        async def test_hangs(api):
            await api.get("/hangs")
    """)

    run = checkout.start().interrupt(lambda: asked(server, "/hangs") >= 1 and asked(server, "/plain") >= 1)

    assert (run.status, "Traceback" in run.text) == (2, False)
    assert run.run.verdict.exit_status == 2


def test_a_slow_version_is_no_reason_to_be_never_ready(checkout: Checkout, server: AnsweringServer) -> None:
    """After a deploy a cold service answers more slowly than it is looked at."""
    server.script["/version"] = Answer({"version": "2"}, delay=1.0)
    checkout.profile("release: {path: /version, requests: 2}\n", api="timeout: 5s")
    checkout.checks(
        CHECK
        + """
        @runbook()
        @needs("release")
        async def test_release(release):
            assert set(await release.seen()) == {release.expected}
        """.replace("\n        ", "\n")
    )

    run = checkout.run("--wait-ready=30s", "--interval=300ms", "--expect-version=2")

    assert (run.word, run.told) == ("PASS", {"well": "passed", "release": "passed"})


def test_a_check_that_cannot_be_sampled_is_refused_by_name(checkout: Checkout) -> None:
    """Looked at once, it would pass among those that were watched for the whole stretch."""
    checkout.checks(
        CHECK
        + """
@runbook()
def test_plain(api):
    assert api.get("/plain").ok
"""
    )

    run = checkout.run(*QUICK)

    assert run.status == 4
    assert "cannot be sampled: demo.plain[demo/local]" in run.text


def test_a_check_of_a_target_that_is_not_there_does_not_keep_a_window_from_being_held(
    checkout: Checkout, server: AnsweringServer
) -> None:
    """It is skipped with its reason, as in every run."""
    checkout.checks(
        CHECK
        + """
@runbook()
async def test_workers(workers):
    assert await workers.ping()
"""
    )

    run = checkout.run(*QUICK)

    assert (run.word, run.told["workers"]) == ("PASS", "skipped: does not apply")


def test_a_check_that_applies_only_later_is_watched_from_then_on(checkout: Checkout, server: AnsweringServer) -> None:
    """A skip in the first round is no leave for the rest of the window."""
    count = itertools.count()
    server.script["/jobs"] = lambda _: Answer({"jobs": 0 if next(count) < 3 else 1})
    checkout.checks(
        CHECK
        + """
@runbook(severity="SEV-1")
async def test_jobs(api):
    if not (await api.get("/jobs")).json()["jobs"]:
        pytest.skip("no job yet")
    raise AssertionError("the first job failed")
"""
    )

    run = checkout.run("--stable-for=3s", "--interval=300ms", "--deadline=6s")

    assert (run.word, run.told["jobs"]) == ("FAIL", "failed: target wrong")


def test_hopeless_below_fail_on_is_a_warning_as_in_every_run(checkout: Checkout, server: AnsweringServer) -> None:
    """What does not stop the gate does not stop a window."""
    checkout.profile("policy: {fail_on: SEV-2}\n")
    checkout.checks(
        CHECK
        + """
from opsproof import Hopeless

@runbook(severity="SEV-3")
async def test_schema(api):
    await api.get("/schema")
    raise Hopeless("revision 99 is not known to the scripts")
"""
    )

    run = checkout.run(*QUICK)

    assert (run.word, run.told["schema"]) == ("PASS", "failed: target wrong")


def test_a_window_in_which_nothing_changes_still_gives_a_sign_of_life(
    checkout: Checkout, server: AnsweringServer
) -> None:
    """Half an hour without a line looks like a pipeline that hangs."""
    course(server, "f")
    checkout.checks(CHECK)
    checkout.write(
        "conftest.py",
        """
        pytest_plugins = ["opsproof.plugin"]
        import opsproof.plugin.windows.window as window
        window._TELL_EVERY = 1.0
        """,
    )

    run = checkout.run("--stable-for=1s", "--interval=200ms", "--deadline=4s")

    assert run.text.count("1 of 1 checks are not healthy: demo.well[demo/local]") >= 2
