"""A known failure does not stop the gate until its waiver expires, and then it does."""

from functools import partial

from checkout import Checkout, together

CHECKS = """
@runbook("DEMO-1")
async def test_good(api):
    assert (await api.get("/good")).ok

@runbook("DEMO-2")
@pytest.mark.parametrize("n", [1, 2])
async def test_bad(api, n):
    assert not (await api.get("/bad")).ok

@runbook("DEMO-3", severity="SEV-3")
async def test_blind(api):
    await api.get("/blind")
    raise NoData("nothing there", where="here", next_step="look")
"""


def waiver(check: str, until: str = "2999-01-01") -> str:
    return f'{{check: "{check}", owner: kim, reason: OPS-77, until: {until}}}'


def test_a_waiver_applies_by_check_by_instance_and_by_row(checkout: Checkout) -> None:
    """It names what it hides, no more; what it hides is shown with owner, reason and expiry."""
    checkout.checks(CHECKS)

    def waived(*waivers: str) -> dict[str, str]:
        checkout.profile(f"policy: {{waivers: [{', '.join(waivers)}]}}")
        done = checkout.run("-x")
        assert done.agrees()
        if "waived" in " ".join(done.told.values()):
            assert "by kim until 2999-01-01: OPS-77" in done.block
        return {check: told.partition(":")[0] for check, told in done.told.items()} | {"status": str(done.status)}

    good, one, two, blind = (
        f"demo.{name}" for name in ("good[demo/local]", "bad[demo/local-1]", "bad[demo/local-2]", "blind[demo/local]")
    )
    all_waived = {good: "passed", one: "waived", two: "waived", blind: "waived", "status": "0"}
    assert waived(waiver("demo.bad"), waiver("DEMO-3")) == all_waived
    assert waived(waiver("DEMO-2"), waiver("demo.blind")) == all_waived
    # -x stops at the failure that is left, not at the waived one before it.
    assert waived(waiver(one)) == {good: "passed", one: "waived", two: "failed", blind: "unknown", "status": "1"}


def test_an_expired_waiver_fails_the_check_even_below_fail_on(checkout: Checkout) -> None:
    """What nobody looked at again in time blocks, whatever it was."""
    checkout.checks(CHECKS)
    checkout.profile(
        f"policy: {{waivers: [{waiver('demo.bad')}, {waiver('DEMO-3', '2020-01-31')}]}}",
    )

    done = checkout.run()

    blind = done.outcomes["demo.blind[demo/local]"]
    assert (done.status, done.word, done.agrees()) == (1, "FAIL", True)
    assert (str(blind.status), str(blind.cause)) == ("failed", "no data")
    assert blind.waiver is not None
    assert blind.waiver.expired
    assert "demo.blind[demo/local]" in done.block


def test_a_waiver_of_nothing_is_a_usage_error_however_the_run_is_narrowed(checkout: Checkout) -> None:
    """It hides nothing today and something else tomorrow; one of a check that is elsewhere is none of that."""
    checkout.checks(CHECKS)
    checkout.checks(CHECKS.replace("DEMO", "MORE"), "checks/more/test_more.py")
    known = ["demo.bad", "more.blind", "MORE-2", "DEMO-3", "more.bad[demo/local-1]"]
    narrowed = {
        "all": (),
        "-k": ("-k", "good"),
        "-m": ("-m", "not daily"),
        "path": ("checks/demo/test_demo.py::test_good",),
    }

    checkout.profile(f"policy: {{waivers: [{', '.join(map(waiver, known))}]}}")
    right = together({case: partial(checkout.run, *args) for case, args in narrowed.items()})
    checkout.profile(f"policy: {{waivers: [{waiver('demo.bd')}]}}")
    wrong = together({case: partial(checkout.run, *args) for case, args in narrowed.items() if case != "-m"})

    assert {case: run.status for case, run in right.items()} == dict.fromkeys(narrowed, 0)
    for case, run in wrong.items():
        assert (run.status, run.folder) == (4, None), case
        assert "a waiver names the check 'demo.bd', and there is none of that id" in run.text, case
        assert "policy.waivers of demo/local" in run.text, case


def test_a_waiver_that_is_no_longer_needed_is_reported(checkout: Checkout) -> None:
    """Else it hides the next failure of that check."""
    checkout.checks(CHECKS)
    checkout.profile(f"policy: {{waivers: [{waiver('demo.good')}, {waiver('demo.bad')}]}}")

    done = checkout.run()

    (note,) = done.run.notes
    assert note == "demo/local: the waiver of kim for demo.good is no longer needed; delete it"
    assert "no longer needed" in done.block


def test_waived_alone_is_no_pass(checkout: Checkout) -> None:
    """A run in which nothing passed has not shown that anything works."""
    checkout.checks(CHECKS)
    checkout.profile(f"policy: {{waivers: [{waiver('demo.bad')}]}}")

    done = checkout.run("-k", "bad")

    assert (done.status, done.word, done.agrees()) == (6, "INCONCLUSIVE", True)
    assert "demo/local: no check passed" in done.block
