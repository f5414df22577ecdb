"""Step after step, by the clock, given up where going on makes no sense; nothing is contacted here."""

import asyncio
import json

import pytest
from planning import ALWAYS, CRITICAL, FIRST, LATER, STEPS, plan_of

from opsproof.errors import OpsproofError, PreconditionMissing, StackError
from opsproof.judge.outcome import Cause, Outcome, Status
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.facts import Proof
from opsproof.rehearsal.procedure.account import Account
from opsproof.rehearsal.procedure.journal import Journal
from opsproof.rehearsal.procedure.rehearsal import Rehearsal
from opsproof.rehearsal.procedure.surroundings import Surroundings


class Going:
    """A rehearsal whose steps the test says; what came of each is what an outcome would be made of."""

    def __init__(self, described, folder, surroundings=None, **changes):
        self.made = 0
        self.plan = changes.pop("plan", plan_of(described))
        asking = Asking.alone(described.name)

        def make():
            self.made += 1
            return Surroundings.open(described, asking, embedded=False, reload=lambda *_: described)

        how = {"run": "run-1", "say": lambda _: None, "allowed": True, "resumes": False, **changes}
        self.journal = folder / "journals" / "demo.jsonl"
        self.rehearsal = Rehearsal(
            self.plan, surroundings=surroundings or make, asking=asking, journal=self.journal, **how
        )
        self.ran = []

    def step(self, name, body=None):
        """Do a step; what it raised, or None."""

        async def go():
            async with self.rehearsal.step(name) as goes_on:
                if goes_on:
                    self.ran.append(name)
                    (body or (lambda: None))()

        try:
            asyncio.run(go())
        except BaseException as exc:  # noqa: BLE001 - an interrupt, too, is compared
            return exc
        return None

    def noted(self):
        return [(entry.step, entry.status) for entry in Journal(self.journal, self.plan.sha256).read()]


@pytest.fixture
def going(described, tmp_path):
    made = Going(described, tmp_path)
    yield made
    if made.rehearsal._recovery is not None:
        made.rehearsal._recovery.at.close()


def fails():
    raise AssertionError("it is wrong, because")


def test_steps_are_done_in_order_and_noted(going):
    """Each on disk before the next one begins, with what later steps need."""
    assert [going.step(step.check) for step in STEPS] == [None] * 4

    assert going.noted() == [(step.check, "passed") for step in STEPS]
    state = json.loads(going.journal.read_text().splitlines()[-1])["state"]
    assert set(state) >= {"token", "writer"}


def test_nothing_is_made_before_the_first_step_and_then_once(going):
    """`--plan` and collection touch nothing."""
    assert going.made == 0
    for step in STEPS:
        going.step(step.check)
    assert going.made == 1


def test_after_a_failed_critical_step_the_rest_is_not_executed(going):
    """And says so, with what must be mended; what always runs still runs."""
    going.step(FIRST)
    assert isinstance(going.step(CRITICAL, fails), AssertionError)

    later = going.step(LATER)

    assert isinstance(later, PreconditionMissing)
    assert later.what == "not executed: the rehearsal was given up"
    assert "it is wrong, because" in later.next_step
    assert going.step(ALWAYS) is None
    assert going.ran == [FIRST, CRITICAL, ALWAYS]
    assert going.rehearsal.aborted == "What all stands on is done - it is wrong, because"


def test_after_a_failed_step_that_is_not_critical_it_goes_on(going):
    """The rest of the recovery is still worth knowing; its phase is known to have failed."""
    going.step(FIRST, fails)

    assert [going.step(name) for name in (CRITICAL, LATER, ALWAYS)] == [None] * 3
    assert going.rehearsal.failed == {"declare"}
    assert going.noted()[0] == (FIRST, "failed")


def test_a_critical_step_that_could_not_look_gives_up_too(going):
    """Unknown is not well enough to promote on."""

    def blind():
        raise PreconditionMissing("dr cannot be asked", where="dr", next_step="See dr.")

    going.step(FIRST)
    going.step(CRITICAL, blind)

    assert "dr cannot be asked" in going.step(LATER).next_step


def test_a_step_without_those_before_it_is_not_executed(going):
    """`-k` can select a step; it stands on the steps before it."""
    left = going.step(LATER)

    assert isinstance(left, PreconditionMissing)
    assert left.what.startswith("not executed: the steps before it were left out")
    assert "-k" in left.next_step
    assert (going.made, going.ran, going.journal.exists()) == (0, [], False)


def test_without_leave_to_write_nothing_is_executed(described, tmp_path):
    """Neither made nor noted; and it is said how to allow it."""
    going = Going(described, tmp_path, allowed=False)

    told = [going.step(step.check) for step in STEPS]

    assert {one.what for one in told} == {
        "not executed: a rehearsal writes, and the operator did not allow that here",
    }
    assert told[0].next_step.startswith("--allow-writes embedded")
    assert (going.made, going.ran, going.journal.exists()) == (0, [], False)


def test_surroundings_that_cannot_be_had_give_it_up(described, tmp_path):
    """Once, and not again with each step."""
    tried = []

    def none():
        tried.append(1)
        raise StackError("there is no initdb", where="PATH", next_step="Install PostgreSQL.")

    going = Going(described, tmp_path, surroundings=none)

    assert isinstance(going.step(FIRST), StackError)
    assert "there is no initdb" in going.step(CRITICAL).next_step
    assert "there is no initdb" in going.step(ALWAYS).what
    assert (len(tried), going.ran) == (1, [])
    assert going.rehearsal.fact({}) is None


def test_a_step_that_was_cut_off_was_not_done(going):
    """By its deadline or by Ctrl-C: whoever resumes must do it again."""

    def interrupted():
        raise asyncio.CancelledError

    going.step(FIRST, interrupted)

    assert [status for _, status in going.noted()] == ["failed"]
    assert going.rehearsal.failed
    assert going.rehearsal.watch.open == ""


def test_what_an_earlier_step_was_told_is_asked_again(going):
    """The archive after the failure is not the one before it."""
    asked = []

    def look():
        asked.append(1)
        return len(asked)

    async def go():
        for name in (FIRST, CRITICAL):
            async with going.rehearsal.step(name) as goes_on:
                assert goes_on
                for _ in range(2):
                    await going.rehearsal.asking.ask("LIST wal/*", "ls", look, fresh=False)

    asyncio.run(go())

    assert len(asked) == 2


def test_a_rehearsal_of_a_changed_plan_is_not_resumed(described, tmp_path):
    """What was added since would be left out in silence."""
    going = Going(described, tmp_path)
    going.step(FIRST)
    going.rehearsal._recovery.at.close()

    other = Going(described, tmp_path, plan=plan_of(described, steps=STEPS[::-1]), resumes=True)

    assert isinstance(other.step(ALWAYS), OpsproofError)
    assert other.made == 0


def test_a_rehearsal_is_resumed_with_its_token_its_clock_and_what_was_done(described, tmp_path):
    """The ledger goes on, and the time in between counts."""
    first = Going(described, tmp_path)
    first.step(FIRST)
    zero = first.rehearsal.watch.note("t0")
    first.step(CRITICAL, fails)
    token = first.rehearsal._recovery.token
    first.rehearsal._recovery.at.close()

    going = Going(described, tmp_path, resumes=True)

    try:
        assert [going.step(name) for name in (FIRST, CRITICAL, LATER)] == [None] * 3
        assert going.ran == [CRITICAL, LATER]
        assert going.rehearsal._recovery.token == token
        assert going.rehearsal.watch.moments.t0 == zero
    finally:
        going.rehearsal._recovery.at.close()


def outcome(step, status, message=""):
    """As pytest's report would have it."""
    cause = {Status.FAILED: Cause.TARGET_WRONG, Status.UNKNOWN: Cause.PRECONDITION_MISSING}.get(status)
    return Outcome.model_validate(
        {
            "check": f"{step.check}[demo]",
            "name": step.check,
            "profile": "demo",
            "title": step.title["en"],
            "severity": "SEV-1",
            "runbook": (),
            "markers": (),
            "status": status,
            "cause": cause,
            "message": message,
            "where": "",
            "next_step": "",
            "target": "",
            "observations": (),
            "telling": "",
            "answered": (),
            "statuses": (),
            "unwell": (),
            "started": "2026-11-21T09:00:00Z",
            "duration": 2.0,
            "output": "",
            "details": "",
            "channels": (),
            "priority": None,
        }
    )


def test_what_was_not_measured_is_never_proven(going):
    """No ledger, and no T4: neither RPO nor RTO, and no step has taken zero seconds."""
    going.step(FIRST)
    going.rehearsal.watch.note("t0")
    outcomes = {
        FIRST: outcome(STEPS[0], Status.PASSED),
        CRITICAL: outcome(STEPS[1], Status.FAILED, "it is wrong"),
        LATER: outcome(STEPS[2], Status.UNKNOWN, "not executed: the rehearsal was given up"),
        ALWAYS: None,
    }

    fact = going.rehearsal.fact(outcomes)

    assert [(one.name, one.proof, one.upper) for one in fact.objectives] == [
        ("RTO", Proof.NOT_PROVEN, None),
        ("RPO", Proof.NOT_PROVEN, None),
    ]
    assert "T4" in fact.objectives[0].why
    assert fact.ledger is None
    assert [(step.status, step.seconds) for step in fact.steps] == [
        ("passed", 2.0),
        ("failed", 2.0),
        ("not executed", None),
        ("not executed", None),
    ]
    assert fact.not_executed == (
        "The later is done: not executed: the rehearsal was given up",
        "Nothing is left: it was not reached",
    )
    assert [one.what for one in fact.findings] == ["What all stands on is done: it is wrong"]
    assert {one.proof for one in fact.phases if one.seconds is None} == {Proof.NOT_PROVEN}
    assert fact.plan == going.plan.sha256


def test_the_account_of_a_ledger_that_was_not_reconciled_is_no_account(described, going):
    """Zero lost writes of nothing compared would be the best result of all."""
    account = Account(plan_of(described), going.rehearsal.watch, embedded=True)

    with pytest.raises(OpsproofError, match="the ledger was not reconciled"):
        account.ledger()
