"""One root cause, not forty reds."""

import socket

from answering import Answer, AnsweringServer
from checkout import Checkout

MANY = """
@runbook("DEMO-1", severity="SEV-1", next_step="Look at the page.")
@pytest.mark.parametrize("n", range(20))
async def test_page(api, n):
    assert (await api.get(f"/{n}")).ok

@runbook("DEMO-2")
async def test_other(other):
    assert (await other.get("/")).ok

@runbook("DEMO-3", verifies="reach")
async def test_reach(api):
    assert (await api.get("/reach")).ok
"""


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def with_other(checkout: Checkout, **how: str) -> None:
    checkout.checks(MANY.replace("(other)", "(logs)").replace("await other", "await logs"))
    checkout.profile(targets=f'logs: {{kind: http, url: "{checkout.url}"}}', **how)


def test_an_unreachable_target_is_one_headline(checkout: Checkout, server: AnsweringServer) -> None:
    """With its count, its own next step, and the line that repeats the question; few connections were tried."""
    with_other(checkout, url=f"http://127.0.0.1:{closed_port()}")

    done = checkout.run()

    assert (done.status, done.word, done.agrees()) == (1, "FAIL", True)
    assert done.told["demo.reach[demo/local]"] == "failed: unreachable"
    assert done.told["demo.page[demo/local-0]"] == "unknown: unreachable"
    assert done.told["demo.other[demo/local]"] == "passed"
    (root,) = done.run.root_causes
    assert (len(root.direct), root.downstream) == (21, ())
    assert done.block.count("ROOT CAUSE") == 1
    assert "connection refused" in done.block
    assert "20 checks could not run, 1 check failed" in done.block
    assert "Start the target" in done.block
    assert "Look at the page" not in done.block
    assert "curl" in done.block


def test_what_depends_on_a_target_that_is_down_is_grouped_under_it(checkout: Checkout, server: AnsweringServer) -> None:
    """The API answers 503 because its database is gone; the headline is the database."""
    server.by_prefix["/"] = Answer({"status": "sick"}, status=503)
    checkout.checks(MANY.replace("(other)", "(cache)").replace('await other.get("/")).ok', "await cache.ping())"))
    checkout.profile(
        targets=f"cache: {{kind: redis, url: 'redis://127.0.0.1:{closed_port()}/0'}}", api="depends_on: [cache]"
    )

    done = checkout.run()

    (root,) = done.run.root_causes
    assert root.direct == ("demo.other[demo/local]",)
    assert len(root.downstream) == 21
    assert "cache of demo/local (redis://127.0.0.1:" in done.block.replace("\n  ", " ")
    assert "21 more depend on it" in done.block
    assert done.block.count("ROOT CAUSE") == 1
    assert done.status == 1


def test_two_profiles_on_one_server_are_one_headline(checkout: Checkout) -> None:
    """One machine that is down is one finding, however many environments it carries."""
    port = closed_port()
    with_other(checkout, url=f"http://127.0.0.1:{port}/a")
    checkout.profile(name="demo/other", url=f"http://127.0.0.1:{port}/b")

    done = checkout.run("--profile", "demo/other")

    (root,) = done.run.root_causes
    assert len(root.direct) == 42
    assert root.subject == f"api of demo/local, api of demo/other (http://127.0.0.1:{port})"


def test_one_missing_precondition_is_one_headline(checkout: Checkout) -> None:
    """Twenty checks that lack one credential are one thing to do."""
    checkout.checks("""
        @runbook()
        @pytest.mark.parametrize("n", range(20))
        async def test_admin(api, n):
            assert (await api.get(f"/{n}", identity="admin")).ok

        @runbook()
        async def test_good(api):
            assert (await api.get("/")).ok
    """)

    done = checkout.run()

    (root,) = done.run.root_causes
    assert (done.status, str(root.cause), len(root.direct)) == (6, "precondition missing", 20)
    assert "20 checks could not run" in done.block
    assert done.block.count("COULD NOT BE MEASURED") == 0


def test_independent_failures_stay_apart(checkout: Checkout, server: AnsweringServer) -> None:
    """What has no common reason is not swept under one."""
    with_other(checkout)
    server.by_prefix["/1"] = Answer({}, status=500)

    done = checkout.run()

    assert done.run.root_causes == ()
    assert done.block.count("FAILED SEV-1") == 11
