"""Checks overlap, within budgets, and pytest's order and selection stay pytest's."""

import functools
from pathlib import Path

import pytest
from answering import Answer, AnsweringServer
from checkout import Checkout, together

SIXTY = """
@runbook()
@pytest.mark.parametrize("n", range(60))
async def test_one(api, n):
    assert (await api.get(f"/item/{n}")).ok
"""


def test_sixty_checks_overlap_within_the_budget_of_eight(checkout: Checkout, server: AnsweringServer) -> None:
    """A gate lasts as long as its slowest check, and is never what takes a sick system down."""
    server.delay = 0.05
    checkout.checks(SIXTY)

    done = checkout.run("-v")

    assert (done.status, done.word) == (0, "PASS")
    assert done.agrees()
    assert server.most_at_once == 8
    assert len(server.requests) == 60
    ids = [f"demo.one[demo/local-{n}]" for n in range(60)]
    assert [outcome.check for outcome in done.run.outcomes] == ids
    assert [line.split("::")[1].split()[0] for line in done.text.splitlines() if "::" in line] == [
        f"test_one[demo/local-{n}]" for n in range(60)
    ]
    assert {line["question"] for line in done.evidence} == {f"GET /item/{n}" for n in range(60)}


@pytest.mark.parametrize(("budget", "args"), [(3, ()), (8, ("-n", "2"))])
def test_a_budget_is_the_targets_whoever_asks(
    checkout: Checkout, server: AnsweringServer, budget: int, args: tuple[str, ...]
) -> None:
    """The profile's number holds, and workers share it."""
    server.delay = 0.03
    checkout.checks(SIXTY)
    checkout.profile(api=f"concurrency: {budget}")

    done = checkout.run(*args)

    assert done.status == 0
    assert 1 < server.most_at_once <= budget


def test_the_same_read_is_asked_once_and_both_see_the_same_answer(checkout: Checkout, server: AnsweringServer) -> None:
    """Two checks that judge one page never judge two versions of it; fresh and other identities ask anew."""
    server.script["/count"] = lambda request: Answer({"n": server.asked("/count")}, delay=0.02)
    checkout.profile(api="identities: {reader: {bearer: reader-token-1}}")
    checkout.checks("""
        seen = []

        @runbook()
        @pytest.mark.parametrize("n", range(5))
        async def test_same(api, n):
            seen.append((await api.get("/count")).field("n"))

        @runbook()
        async def test_fresh(api):
            first = (await api.get("/fresh", fresh=True)).status
            assert first == (await api.get("/fresh", fresh=True)).status

        @runbook()
        async def test_identity(api):
            await api.get("/who")
            await api.get("/who", identity="reader")
            await api.get("/who", identity=ANONYMOUS)

        @runbook()
        def test_all_saw_one_answer(api):
            assert len(seen) == 5 and set(seen) == {1}
            assert api.get("/count").field("n") == 1
    """)

    done = checkout.run()

    assert done.status == 0, done.text
    assert (server.asked("/count"), server.asked("/fresh"), server.asked("/who")) == (1, 2, 3)
    asked = {name: outcome.observations for name, outcome in done.outcomes.items()}
    assert asked["demo.same[demo/local-0]"] == asked["demo.same[demo/local-4]"]
    assert len(done.evidence) == 6


def test_what_needs_pytests_own_fixtures_runs_when_it_is_reached(checkout: Checkout, server: AnsweringServer) -> None:
    """A check must see its fixtures as pytest makes them: own, autouse, overridden, indirect, tmp_path, classes."""
    checkout.checks("""
        ready, log = [], []

        @pytest.fixture(autouse=True)
        def prepared(request):
            ready.append(request.node.name)
            yield
            ready.remove(request.node.name)

        @pytest.fixture
        def doubled(request):
            return request.param * 2

        @runbook()
        async def test_autouse(api, request):
            assert (await api.get("/a")).ok and request.node.name in ready

        @runbook()
        async def test_autouse_unnamed(api):
            assert (await api.get("/b")).ok and ready == ["test_autouse_unnamed[demo/local]"]

        @runbook()
        @pytest.mark.parametrize("doubled", [4], indirect=True)
        async def test_indirect(api, doubled):
            assert (await api.get("/c")).ok and doubled == 8

        @runbook()
        async def test_tmp_path(api, tmp_path):
            (tmp_path / "x").write_text((await api.get("/d")).text)
    """)
    checkout.checks(
        """
        @pytest.fixture
        def api(api):
            return [api]

        @runbook()
        async def test_overridden(api):
            assert (await api[0].get("/o")).ok
        """,
        "checks/own/test_own.py",
    )
    checkout.checks(
        """
        class TestGrouped:
            word = "healthy"

            @runbook()
            async def test_in_a_class(self, api):
                assert (await api.get("/e")).field("status") == self.word

            @runbook()
            def test_plain_in_a_class(self, api):
                assert api.get("/f").field("status") == self.word
        """,
        "checks/grouped/test_grouped.py",
    )

    done = checkout.run()

    assert {name: told for name, told in done.told.items() if told != "passed"} == {}
    assert done.status == 0


PLAIN = """
@runbook()
def test_before(api):
    assert api.get("/before").ok

@runbook()
@pytest.mark.parametrize("n", range(4))
async def test_async(api, n):
    assert (await api.get(f"/async/{n}")).ok

@runbook()
def test_after(api, profile, run_id):
    answer = api.get("/after")
    assert answer.status == 200 and repr(api).startswith("<api: ") and profile.name == "demo/local" and run_id
    assert answer.json() == {"status": "sick"}
"""


def test_a_plain_check_waits_for_its_answers(checkout: Checkout, server: AnsweringServer) -> None:
    """Little Python is enough to write a check; what it asks and how it fails is kept all the same."""
    checkout.checks(PLAIN)

    done = checkout.run()

    assert done.told == {
        "demo.before[demo/local]": "passed",
        **{f"demo.async[demo/local-{n}]": "passed" for n in range(4)},
        "demo.after[demo/local]": "failed: target wrong",
    }
    assert "'sick'" in done.outcomes["demo.after[demo/local]"].message
    assert done.outcomes["demo.after[demo/local]"].answered == ("api",)
    assert (done.status, done.agrees()) == (1, True)


SELECTED = """
@runbook("DEMO-1")
@pytest.mark.smoke
async def test_good(api):
    assert (await api.get("/good")).ok

@runbook("DEMO-2")
@pytest.mark.smoke
async def test_bad(api):
    assert (await api.get("/bad")).status == 418

@runbook("DEMO-3")
@pytest.mark.recovery
async def test_other(api):
    assert (await api.get("/other")).ok
"""


SELECTIONS = {
    "-m smoke": (1, ["good", "bad"]),
    "-k other": (0, ["other"]),
    "-k good -p no:cacheprovider": (0, ["good"]),
    "--deselect checks/demo/test_demo.py::test_bad": (0, ["good", "other"]),
    "checks/demo/test_demo.py::test_other": (0, ["other"]),
}


def test_pytest_selects_and_only_what_is_selected_is_asked(tmp_path: Path, server: AnsweringServer) -> None:
    """-m, -k, --deselect and node ids mean what they mean everywhere; nothing else is contacted."""
    places = [Checkout(tmp_path / str(n), f"{server.url}/of-{n}") for n in range(len(SELECTIONS))]
    for place in places:
        place.checks(SELECTED)

    done = together(
        {args: functools.partial(place.run, *args.split()) for place, args in zip(places, SELECTIONS, strict=True)}
    )

    assert {args: (run.status, list(run.outcomes)) for args, run in done.items()} == SELECTIONS
    for n, (args, (_, names)) in enumerate(SELECTIONS.items()):
        asked = {request.path for request in server.requests if request.path.startswith(f"/of-{n}/")}
        assert asked == {f"/of-{n}/{name}" for name in names}, args
        assert done[args].agrees()


def test_last_failed_runs_what_failed(checkout: Checkout, server: AnsweringServer) -> None:
    """--lf is how an operator looks again."""
    checkout.checks(SELECTED)

    first, again = checkout.run(), checkout.run("--lf")

    assert (first.status, first.told["bad"]) == (1, "failed: target wrong")
    assert (again.status, list(again.outcomes)) == (1, ["bad"])


STOPPING = """
@runbook()
async def test_first(api):
    assert (await api.get("/first")).ok

@runbook()
async def test_wrong(api):
    assert (await api.get("/wrong")).status == 418

@runbook()
@pytest.mark.parametrize("n", range(6))
async def test_slow(api, n):
    assert (await api.get(f"/slow/{n}")).ok
"""


def test_stopping_at_the_first_failure_cancels_what_runs_ahead(checkout: Checkout, server: AnsweringServer) -> None:
    """With -x nobody waits for answers that nobody reads; what has no outcome is told, not dropped."""
    server.script |= {f"/slow/{n}": Answer({}, delay=30.0) for n in range(6)}
    checkout.profile(api="timeout: 60s", more="policy: {check_deadline: 60s}")
    checkout.checks(STOPPING)

    done = checkout.run("-x")

    assert done.status == 1
    assert done.told["demo.first[demo/local]"] == "passed"
    assert done.told["demo.wrong[demo/local]"] == "failed: target wrong"
    assert {done.told[f"demo.slow[demo/local-{n}]"] for n in range(6)} == {"unknown: interrupted"}
    assert (server.given_up, server.connections) == (6, 0)
    assert "stopping after 1 failures" in done.text
    assert done.agrees()
