"""What a target can answer ends as a typed outcome in clear words, through the whole gate, with workers and without."""

import pytest
from answering import Answer, AnsweringServer
from checkout import Checkout

BAD = {
    "endless": ("bad answer", "more than 2000000 bytes"),
    "ten_megabytes": ("bad answer", "the target announces 10485760"),
    "html": ("bad answer", "200 OK with HTML where JSON was expected"),
    "empty": ("bad answer", "an empty body"),
    "redirect_loop": ("bad answer", "endless redirects: /redirect_loop -> /loop -> /redirect_loop"),
    "never": ("timed out", "no whole answer within"),
    "trickling": ("timed out", "the answer did not end within"),
    "cut_off": ("bad answer", "the answer broke off"),
    "no_field": ("no data", "without the field status"),
    "deep": ("bad answer", "too deeply nested"),
}
CHECKS = """
@runbook(next_step="Never shown for these.")
@pytest.mark.parametrize("kind", [KINDS])
async def test_bad(api, kind):
    assert (await api.get(f"/{kind}")).field("status") == "healthy"

@runbook()
async def test_good(api):
    assert (await api.get("/good")).field("status") == "healthy"
"""


@pytest.fixture
def answering_badly(server: AnsweringServer) -> AnsweringServer:
    server.script |= {
        "/endless": Answer(body=b"{", endless=True),
        "/ten_megabytes": Answer(body=b"x" * 10_485_760),
        "/html": Answer(body=b"<!doctype html><title>Sign in", headers={"Content-Type": "text/html"}),
        "/empty": Answer(body=b""),
        "/redirect_loop": Answer({}, status=302, headers={"Location": "/loop"}),
        "/loop": Answer({}, status=302, headers={"Location": "/redirect_loop"}),
        "/never": Answer({}, delay=30.0),
        "/trickling": Answer(body=b"{", headers={"Content-Length": "100"}),
        "/cut_off": Answer(body=b'{"status": "heal', headers={"Content-Length": "100"}, closes=True),
        "/no_field": Answer({"state": "healthy"}),
        "/deep": Answer(body=b"[" * 200_000),
    }
    return server


@pytest.mark.parametrize("workers", ["0", "2"])
def test_bad_answers_are_typed_and_told(checkout: Checkout, answering_badly: AnsweringServer, workers: str) -> None:
    """None of them hangs, none is a traceback, none is a pass, and none spoils the others."""
    checkout.profile(api="timeout: 1s")
    checkout.checks(CHECKS.replace("KINDS", ", ".join(map(repr, BAD))))

    done = checkout.run("-n", workers)

    assert (done.status, done.word, done.agrees()) == (6, "INCONCLUSIVE", True), done.text
    for kind, (cause, words) in BAD.items():
        check = f"demo.bad[demo/local-{kind}]"
        assert done.told[check] == f"unknown: {cause}", kind
        assert words in done.outcomes[check].message, kind
        assert done.outcomes[check].next_step, kind
    assert done.told["demo.good[demo/local]"] == "passed"
    assert "Never shown" not in done.text
    assert "Traceback" not in done.text


def test_tls_and_names_that_are_wrong_are_told(checkout: Checkout, answering_badly: AnsweringServer) -> None:
    """A URL with the wrong scheme or host is the operator's mistake more often than an outage."""
    checkout.checks("""
        @runbook()
        async def test_one(api):
            assert (await api.get("/good")).ok
    """)
    told = {}
    for name, url in {
        "tls": answering_badly.url.replace("http", "https"),
        "name": "http://no-such-host.invalid",
        "refused": "http://127.0.0.1:1",
    }.items():
        checkout.profile(url=url)
        done = checkout.run()
        assert (done.status, done.told, done.agrees()) == (6, {"one": "unknown: unreachable"}, True)
        told[name] = done.outcomes["one"].message

    assert "TLS" in told["tls"]
    assert "the name of the host is not known" in told["name"]
    assert "connection refused" in told["refused"]
