"""The exit status of every way a run can end; green is earned."""

import functools
from pathlib import Path

from answering import Answer, AnsweringServer
from checkout import Checkout, together

GOOD = """
@pytest.mark.smoke
@runbook("DEMO-GOOD")
async def test_good(api):
    assert (await api.get("/good")).ok
"""
BAD = """
@pytest.mark.smoke
@runbook("DEMO-BAD", severity="SEVERITY")
async def test_bad(api):
    assert not (await api.get("/bad")).ok
"""
UNKNOWN = """
@pytest.mark.smoke
@runbook("DEMO-UNKNOWN", severity="SEVERITY")
async def test_unknown(api):
    await api.get("/unknown")
    raise NoData("nothing there", where="here", next_step="look")
"""
SKIPPED = """
@runbook()
async def test_skipped(database):
    await database.rows("SELECT 1")
"""


VERDICTS = {
    "passed": (GOOD, 0, "PASS", ["passed"]),
    "skipped for a reason": (GOOD + SKIPPED, 0, "PASS", ["passed", "skipped: does not apply"]),
    "failed above": (GOOD + BAD.replace("SEVERITY", "SEV-1"), 1, "FAIL", ["passed", "failed: target wrong"]),
    "failed at": (GOOD + BAD.replace("SEVERITY", "SEV-2"), 1, "FAIL", ["passed", "failed: target wrong"]),
    "failed below": (GOOD + BAD.replace("SEVERITY", "SEV-3"), 0, "PASS", ["passed", "failed: target wrong"]),
    "unknown": (GOOD + UNKNOWN.replace("SEVERITY", "SEV-2"), 6, "INCONCLUSIVE", ["passed", "unknown: no data"]),
    "unknown below": (GOOD + UNKNOWN.replace("SEVERITY", "SEV-3"), 0, "PASS", ["passed", "unknown: no data"]),
    "only failed below": (BAD.replace("SEVERITY", "SEV-3"), 6, "INCONCLUSIVE", ["failed: target wrong"]),
    "only unknown below": (UNKNOWN.replace("SEVERITY", "SEV-3"), 6, "INCONCLUSIVE", ["unknown: no data"]),
    "all skipped": (SKIPPED, 6, "INCONCLUSIVE", ["skipped: does not apply"]),
    "failed and unknown": (
        (BAD + UNKNOWN).replace("SEVERITY", "SEV-2"),
        1,
        "FAIL",
        ["failed: target wrong", "unknown: no data"],
    ),
}


def test_the_verdict_is_the_exit_status(tmp_path: Path, server: AnsweringServer) -> None:
    """PASS 0, FAIL 1, INCONCLUSIVE 6; what only warns is listed, and never all there is."""
    places = {case: Checkout(tmp_path / case.replace(" ", "_"), server.url) for case in VERDICTS}
    for case, (source, *_) in VERDICTS.items():
        places[case].checks(source)

    done = together({case: place.run for case, place in places.items()})

    assert {case: (run.status, run.word, list(run.told.values())) for case, run in done.items()} == {
        case: tuple(expected) for case, (_, *expected) in VERDICTS.items()
    }
    for case, run in done.items():
        assert run.agrees(), case
        assert all(f"demo.{name}[demo/local]" in run.block for name in run.told if name in ("bad", "unknown")), case
        assert len(run.run.verdict.reasons) >= (run.status != 0), case


def test_nothing_selected_is_never_a_pass(checkout: Checkout, server: AnsweringServer) -> None:
    """pytest's own statuses keep their meaning, and the words say the same."""
    checkout.checks(GOOD)

    done = together(
        {
            "deselected": lambda: checkout.run("-k", "nothing_of_that_name"),
            "by marker": lambda: checkout.run("-m", "recovery"),
            "unknown profile": lambda: checkout.run(profile="nothing/*"),
            "misspelt": lambda: checkout.run(profile="demo/locl"),
            "no profile": lambda: checkout.run(profile=None),
            "listed": lambda: checkout.run("--co", "-q"),
            "fixtures": lambda: checkout.run("--fixtures-per-test"),
            "plan": lambda: checkout.run("--setup-plan"),
        }
    )

    assert [run.status for run in done.values()] == [5, 5, 4, 4, 5, 0, 0, 6]
    for case in ("deselected", "by marker"):
        assert (done[case].word, done[case].agrees()) == ("INCONCLUSIVE", True)
        assert "demo/local: nothing was checked" in done[case].block
    assert "demo/local" in done["misspelt"].text
    assert [case for case, run in done.items() if run.folder] == ["deselected", "by marker", "plan"]
    assert "test_demo.py::test_good[demo/local]" in done["listed"].text
    assert server.requests == []


def test_a_file_that_cannot_be_read_is_no_pass(checkout: Checkout, server: AnsweringServer) -> None:
    """The operator reads which file, and why, whatever else passes."""
    checkout.checks("import not_a_module\n" + GOOD, "checks/broken/test_broken.py")
    alone = checkout.run()
    checkout.checks(GOOD)
    stops = checkout.run()
    assert server.requests == []
    goes_on = checkout.run("--continue-on-collection-errors")

    for done, status in [(alone, 2), (stops, 2), (goes_on, 6)]:
        assert (done.status, done.word, done.agrees()) == (status, "INCONCLUSIVE", True)
        assert "No module named 'not_a_module'" in done.text
        assert "checks/broken/test_broken.py" in done.block
    assert goes_on.told == {"good": "passed"}


def test_no_checks_are_no_pass(checkout: Checkout) -> None:
    """An ordinary test that passes is no check; named profiles must be checked."""
    checkout.checks("pass")
    none = checkout.run()
    checkout.checks("def test_ordinary():\n    pass")
    ordinary, without = together(
        {"named": checkout.run, "no profile": functools.partial(checkout.run, profile=None)}
    ).values()

    assert (none.status, none.word, none.agrees()) == (5, "INCONCLUSIVE", True)
    assert (ordinary.status, ordinary.word, ordinary.agrees()) == (6, "INCONCLUSIVE", True)
    assert (without.status, without.folder) == (0, None)
    assert "VERDICT" not in without.text


def test_a_profile_that_no_check_ran_against_is_no_pass(checkout: Checkout) -> None:
    """Two environments were asked for, and one was looked at."""
    checkout.profile("health: {live: /live}", name="demo/full")
    checkout.checks("""
        @runbook()
        @needs("health.live")
        async def test_live(api, profile):
            assert (await api.get(profile.health.live)).ok
    """)

    done = checkout.run("--profile", "demo/full")

    assert (done.status, done.word, done.agrees()) == (6, "INCONCLUSIVE", True)
    assert "demo/local: nothing was checked" in done.block


def test_what_fails_outside_of_the_checks_is_no_pass(checkout: Checkout) -> None:
    """A fixture that fails at its end, or an ordinary test that fails, was a PASS in words once."""
    for source in [
        """
        @pytest.fixture
        def ends_badly(api):
            yield
            raise RuntimeError("the end")

        @runbook()
        async def test_good(api, ends_badly):
            assert (await api.get("/")).ok
        """,
        """
        @runbook()
        async def test_good(api):
            assert (await api.get("/")).ok

        def test_ordinary():
            assert 1 == 2
        """,
    ]:
        checkout.checks(source)

        done = checkout.run()

        assert (done.status, done.word, done.agrees()) == (6, "INCONCLUSIVE", True)
        assert "1 failures outside of the checks: checks/demo/test_demo.py::test_" in done.block
        assert done.told == {"good": "passed"}


EARNED = """
@runbook()
async def test_forgets_to_await(api):
    api.get("/x")

@runbook()
async def test_loops_over_nothing(api):
    for path in ():
        assert (await api.get(path)).ok

@runbook()
async def test_returns_its_judgement(api):
    return (await api.get("/x")).status == 418

def decorated(function):
    import functools
    @functools.wraps(function)
    def plain(*args, **kwargs):
        return function(*args, **kwargs)
    return plain

@runbook()
@decorated
async def test_hidden_by_a_decorator(api):
    assert (await api.get("/x")).status == 418

@runbook()
async def test_yields(api):
    yield (await api.get("/x")).status == 418

@runbook()
def test_plain_asks_nothing(api):
    assert api

@runbook()
async def test_exits(api):
    await api.get("/x")
    sys.exit(0)

@runbook()
async def test_expects_to_fail(api):
    await api.get("/x")
    pytest.xfail("known")
"""


def test_a_pass_is_earned_by_an_answer_and_an_assertion(checkout: Checkout) -> None:
    """Each of these is green for no reason in plain pytest, or would be here."""
    checkout.checks(EARNED)

    done = checkout.run("-W", "ignore")

    assert (done.status, done.agrees()) == (1, True)
    assert done.told.pop("expects_to_fail") == "failed: target wrong"
    assert set(done.told.values()) == {"unknown: check broken", "failed: target wrong"}
    assert [name for name, outcome in done.outcomes.items() if outcome.status == "passed"] == []
    assert "without an answer from any target" in done.outcomes["forgets_to_await"].message
    assert "returns a bool, which nobody judges" in done.outcomes["returns_its_judgement"].message
    assert "returns a coroutine" in done.outcomes["hidden_by_a_decorator"].message


IMPROPER = {
    "no card": ("async def test_x(api):\n    await api.get('/')", "asks an environment and cites no runbook row"),
    "no environment": ("@runbook()\ndef test_x():\n    pass", "cites the runbook and asks no environment"),
    "no environment, parametrised": (
        "@runbook()\n@pytest.mark.parametrize('n', [1])\ndef test_x(n):\n    pass",
        "cites the runbook and asks no environment",
    ),
    "xfail": (
        "@pytest.mark.xfail\n@runbook()\ndef test_x(api):\n    api.get('/')",
        "is marked xfail, which hides a failure",
    ),
    "severity": ("@card('X', severity='SEV-9', next_step='x')\ndef test_x(api):\n    pass", "severity 'SEV-9'"),
    "no row": ("@card(severity='SEV-1', next_step='x')\ndef test_x(api):\n    pass", "at least one row id"),
    "marker": ("@pytest.mark.not_known\n@runbook()\ndef test_x(api):\n    pass", "not_known"),
    "one name": (GOOD + GOOD.replace("good", "same") + "globals()['test_other'] = test_same", "two checks have one id"),
}


def test_what_is_no_proper_check_is_refused(tmp_path: Path, server: AnsweringServer) -> None:
    """A check that is not one is silently not there; nothing is contacted before that is mended."""
    places = {case: Checkout(tmp_path / case.replace(" ", "_"), server.url) for case in IMPROPER}
    for case, (source, _) in IMPROPER.items():
        places[case].checks(source)

    done = together({case: place.run for case, place in places.items()})

    for case, (_, words) in IMPROPER.items():
        assert done[case].status in (2, 4), case
        assert words in done[case].text, case
    assert server.requests == []


def test_two_checks_of_one_name_are_refused(checkout: Checkout) -> None:
    """One outcome would hide the other."""
    checkout.checks(GOOD)
    checkout.checks(GOOD.replace("assert", "assert not"), "checks/demo/test_more.py")

    done = checkout.run()

    assert (done.status, done.folder) == (4, None)
    assert "two checks have one id: demo.good[demo/local]" in done.text


def test_parametrised_with_no_entries_is_no_pass(checkout: Checkout) -> None:
    """An empty list is nothing to check."""
    checkout.checks("""
        @runbook()
        @pytest.mark.parametrize("n", [])
        async def test_none(api, n):
            assert (await api.get("/")).ok

        @runbook()
        @each(endpoint="core")
        async def test_each(api, endpoint):
            assert (await api.get(endpoint.path)).ok
    """)

    none = checkout.run()
    checkout.profile("core: [{name: a, path: /a}, {name: b, path: /b}]")
    some = checkout.run()

    assert (none.status, none.word, none.agrees()) == (6, "INCONCLUSIVE", True)
    assert (some.status, some.word) == (0, "PASS")
    assert [check for check, told in some.told.items() if told == "passed"] == [
        "demo.each[demo/local-a]",
        "demo.each[demo/local-b]",
    ]


REQUIRING = """
policy: {require: {smoke: [api], recovery: [api, database], any: [api]}}
"""


def test_what_the_profile_requires_must_have_answered(checkout: Checkout, server: AnsweringServer) -> None:
    """Per marker; what stands under a `not` is not asked for; a narrowed run is not the gate."""
    checkout.profile(REQUIRING)
    checkout.checks(GOOD + GOOD.replace("smoke", "recovery").replace("test_good", "test_recovered"))

    expected = {
        "smoke": 0,
        "recovery": 6,
        "smoke or recovery": 6,
        "smoke and not recovery": 0,
        "smoke and not (recovery or daily)": 0,
        "not (not recovery)": 6,
        "not daily": 0,
    }
    done = together({expression: functools.partial(checkout.run, "-m", expression) for expression in expected})
    everything = checkout.run()

    assert {expression: run.status for expression, run in done.items()} == expected
    assert everything.status == 6
    for run in (everything, done["recovery"]):
        assert run.agrees()
        assert "demo/local: the profile requires database, and no check got an answer from it" in run.block


def test_a_required_target_that_is_unreachable_is_no_pass_below_fail_on_either(
    checkout: Checkout, server: AnsweringServer
) -> None:
    """A SEV-3 check of the cache may be unknown; that the cache was required and not seen may not."""
    checkout.profile("policy: {require: [cache]}", targets="cache: {kind: redis, url: 'redis://127.0.0.1:1/0'}")
    checkout.checks(
        GOOD
        + """
@runbook(severity="SEV-3")
async def test_cache(cache):
    assert await cache.ping()
"""
    )

    done = checkout.run()

    assert (done.status, done.told["cache"]) == (6, "unknown: unreachable")
    assert "the profile requires cache" in done.block


def test_a_check_that_raises_is_broken_not_the_target(checkout: Checkout, server: AnsweringServer) -> None:
    """A KeyError is our mistake; the operator reads where, and is not sent to the target."""
    server.script["/error"] = Answer({"error": "x"}, status=500)
    checkout.checks("""
        @runbook()
        async def test_raises(api):
            (await api.get("/error")).json()["status"]

        @runbook()
        async def test_setup(api, not_a_fixture):
            pass

        @pytest.fixture
        def broken():
            raise ValueError("a fixture of ours")

        @runbook()
        async def test_fixture(api, broken):
            pass
    """)

    done = checkout.run()

    assert (done.status, done.word, done.agrees()) == (6, "INCONCLUSIVE", True)
    assert set(done.told.values()) == {"unknown: check broken"}
    assert done.outcomes["raises"].message == "KeyError: 'status'"
    assert done.outcomes["raises"].where.startswith("test_demo.py:")
    assert "mend the check" in done.block
    assert "Mend the demo" not in done.block
