"""Each check once for every profile that can carry it; what cannot be carried is told, and is never green."""

import pytest
from checkout import Checkout

GOOD = """
@runbook()
async def test_good(api):
    assert (await api.get("/good")).ok
"""
GUARD = """
@runbook(severity="SEV-1")
@needs("payload.max_batch_items")
async def test_guard(api):
    assert (await api.get("/guard")).ok

@runbook()
@each(endpoint="core")
async def test_core(api, endpoint):
    assert (await api.get(endpoint.path)).ok
"""
CORE = "core: [{name: items, path: /items}]\n"


def test_a_profile_that_can_carry_no_check_keeps_the_run_from_green_by_its_name(checkout: Checkout) -> None:
    """Two environments were asked for: a green that is about one of them is no answer about the other."""
    checkout.checks(GUARD + GOOD.replace("async def", '@needs("health.live")\nasync def', 1))
    checkout.profile(CORE + "health: {live: /live}\n")
    checkout.profile(name="demo/bare")

    done = checkout.run("--profile", "demo/bare")

    assert (done.status, done.word, done.agrees()) == (6, "INCONCLUSIVE", True)
    assert "demo/bare: nothing was checked" in done.run.verdict.reasons
    assert {outcome.profile for outcome in done.run.outcomes} == {"demo/local"}


@pytest.mark.parametrize("how", [(), ("-n", "2")], ids=["alone", "with-workers"])
def test_what_a_profile_cannot_carry_is_told_with_what_it_lacks(checkout: Checkout, how: tuple[str, ...]) -> None:
    """A guard that is not there for want of a section must not look like one that passed."""
    checkout.checks(GUARD + GOOD)
    checkout.profile()

    done = checkout.run(*how)
    chosen = checkout.run(*how, "-k", "not core")

    assert (done.status, done.word) == (0, "PASS"), done.text
    assert done.run.profiles["demo/local"].not_carried == {
        "payload.max_batch_items": {"demo.guard": "SEV-1"},
        "core": {"demo.core": "SEV-2"},
    }
    assert "2 checks (1 SEV-1) need what their profile does not have: see " in " ".join(done.block.split())
    assert done.folder is not None
    assert "| `core` | `demo/local` | 1 | `demo.core` |" in (done.folder / "summary.md").read_text("utf-8")
    assert list(chosen.run.profiles["demo/local"].not_carried) == ["payload.max_batch_items"]
