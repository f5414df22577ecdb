"""Before the payload checks send anything, the operator reads how much; a lowered limit is given by --expect."""

import json

import pytest
from answering import Answer, AnsweringServer, Request
from checkout import Checkout

CHECKS = """
@runbook()
@writes("lists of items")
@each(part="payload.plan.batch_guards")
@needs("payload")
async def test_batch(guard, part):
    seen = await guard.batches("guard", part)

    assert not seen.wrong, str(seen)
"""
PROFILE = """
payload:
  max_body_bytes: 4000
  max_batch_items: 3
  endpoints: [{name: batch, path: /batch, batch_field: items}]
  normal: /stats
  answer_within: 2s
policy: {writes: true}
"""


@pytest.fixture
def guarded(checkout: Checkout, server: AnsweringServer) -> Checkout:
    """A checkout whose server takes lists of up to three items."""

    def answer(request: Request) -> Answer:
        if len(json.loads(request.body)["items"]) <= 3:
            return Answer({}, status=201)
        return Answer({"error": {"code": "PAYLOAD_TOO_LARGE"}}, status=413)

    server.script["/batch"] = answer
    checkout.profile(PROFILE)
    checkout.checks(CHECKS)
    return checkout


def test_what_will_be_sent_is_told_first(guarded: Checkout, server: AnsweringServer) -> None:
    done = guarded.run("--allow-writes", "local")

    assert (done.status, done.told) == (0, {"batch": "passed"}), done.text
    line = "demo/local: payload checks send 2 requests with at most 0.0 MB (payload.max_total_bytes: 256 MB)"
    assert f"{line}; limits: 4000 bytes and 3 items" in done.text
    assert done.text.index(line) < done.text.index("checks/demo/test_demo.py")
    assert "storing is not verified: the profile has no payload.stored" in done.outcomes["batch"].output
    assert sorted(len(json.loads(r.body)["items"]) for r in server.requests if r.method == "POST") == [3, 4]


def test_nothing_is_announced_where_nothing_will_be_sent(guarded: Checkout, server: AnsweringServer) -> None:
    done = guarded.run()

    assert done.told == {"batch": "skipped: not allowed"}
    assert "payload checks send" not in done.text
    assert server.requests == []


def test_a_lowered_limit_that_is_not_in_force_is_found(guarded: Checkout) -> None:
    """Runbook 003, stabilisation: what was rolled out must be what refuses."""
    done = guarded.run("--allow-writes", "local", "--expect", "payload.max_batch_items=2")

    assert done.status == 1
    assert "limits: 4000 bytes and 2 items" in done.text
    assert "items+1 (3 items, " in done.outcomes["batch"].message
    assert "gets 201 Created in " in done.outcomes["batch"].message
    assert "POST /batch with" in done.outcomes["batch"].where
    assert done.folder
    assert "--data-binary @- http://127.0.0.1:" in (done.folder / "summary.md").read_text("utf-8")


def test_the_evidence_is_judged_again(guarded: Checkout, server: AnsweringServer) -> None:
    first = guarded.run("--allow-writes", "local")
    asked = len(server.requests)

    again = guarded.run("--replay", str(first.folder))

    assert (again.status, again.told) == (0, {"batch": "passed"}), again.text
    assert len(server.requests) == asked


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ("payload.max_batch_item=2", "did you mean `max_batch_items`?"),
        ("payload.max_batch_items=few", "payload.max_batch_items: "),
        ("max_batch_items=2", "is no key of `payload`"),
        ("payload.max_batch_items", "is not KEY=VALUE"),
        ("payload.max_batch_items=", "is not KEY=VALUE"),
    ],
)
def test_a_mistyped_expectation_is_a_usage_error(
    guarded: Checkout, server: AnsweringServer, expected: str, words: str
) -> None:
    done = guarded.run("--expect", expected)

    assert done.status == 4, done.text
    assert words in done.text
    assert server.requests == []


def test_an_expectation_needs_a_profile_that_has_such_limits(checkout: Checkout) -> None:
    checkout.checks(CHECKS)

    done = checkout.run("--expect", "payload.max_batch_items=2")

    assert done.status == 4
    assert "no profile of this run has a `payload:` section" in done.text


def test_a_check_that_may_not_send_what_tells_is_unknown(guarded: Checkout, server: AnsweringServer) -> None:
    """Nothing sent, nothing shown."""
    guarded.profile(PROFILE.replace("answer_within: 2s", "max_total_bytes: 1"))

    done = guarded.run("--allow-writes", "local")

    assert done.told == {"batch": "unknown: precondition missing"}
    assert "payload.max_total_bytes (1) does not suffice for items+1, items" in done.outcomes["batch"].message
    assert server.requests == []


def test_nothing_is_sent_to_production_that_could_not_be_removed(guarded: Checkout, server: AnsweringServer) -> None:
    """What passes is stored among what people own."""
    guarded.profile(PROFILE, name="demo/production")

    done = guarded.run("--allow-writes", "production", "--profile=demo/production")

    (outcome,) = (o for o in done.run.outcomes if o.profile == "demo/production")
    assert (outcome.status, outcome.cause) == ("unknown", "precondition missing")
    assert "could not be removed" in outcome.message
    assert server.requests == []


def test_a_hop_over_a_target_that_is_not_there_is_a_mistake_of_the_profile(guarded: Checkout) -> None:
    """Skipped as "has no target", a typo would look like an edge that this environment lacks."""
    guarded.profile(PROFILE.replace("  normal:", "  hops: {app: {target: apy}}\n  normal:"))

    done = guarded.run("--allow-writes", "local")

    assert done.status == 4
    assert "payload.hops.app.target: names no target" in done.text
