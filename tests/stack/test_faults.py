"""Every fault really breaks the stack, is seen to, and is gone afterwards: a check proven by it is proven."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from lifetimes import python

from opsproof.errors import FaultNotHealed, FaultNotInForce, StackError
from opsproof.stack import Stack
from opsproof.stack.ask import ask
from opsproof.stack.control import end_part, freeze_part, thaw_part
from opsproof.stack.faults import FAULTS, Fault, fault, heal, inject, injected
from opsproof.stack.process import wait_for
from opsproof.stack.state import edit_state

NAMES = """
    redis-stopped redis-frozen redis-password-required cache-full postgres-stopped postgres-frozen
    database-password-changed pool-exhausted table-locked migration-behind migration-unknown migration-table-missing
    metadata-key-missing no-evaluation-runs api-stopped api-frozen worker-stopped worker-frozen missing-secret
    default-secret weak-jwt-secret secret-rotated token-expired wrong-version body-limit-off batch-limit-off
    payload-wrong-status health-500 live-500 ready-500 detailed-not-json core-endpoint-500 wrong-body html-body
    slow-answers metrics-missing metrics-garbage metrics-frozen request-id-not-echoed request-id-not-logged
    error-id-not-logged component-missing auth-off role-check-off metadata-key-dropped metadata-lost rate-limit-off
    jobs-stuck half-wrong-version signature-not-verified core-field-null request-id-not-made wrong-path-logged
    wrong-method-logged redis-replica database-read-only placeholder-secret jobs-in-process
    body-limit-one-more body-limit-one-less batch-limit-one-more batch-limit-one-less
    payload-500 payload-truncated payload-reset payload-hangs payload-read-whole payload-chunked-not-counted
    payload-inflated-not-counted payload-echoed payload-stored-anyway payload-kept payload-blocks-others
    slow-body-unbounded edge-html-413 edge-limit-below edge-limit-off edge-no-request-id edge-reset
"""
BREAKS_READINESS = """
    redis-stopped redis-frozen redis-password-required cache-full postgres-stopped postgres-frozen
    database-password-changed pool-exhausted table-locked redis-replica
"""


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack.start() as running:
        yield running


@pytest.fixture(autouse=True)
def well(stack):
    """Every test leaves the stack as it found it."""
    before = contents(stack)
    yield
    assert stack.state.faults == {}
    assert stack.missing(5) == {}
    assert contents(stack) == before


def contents(stack):
    """The stored rows, the revisions and the variables."""
    found = [stack.variables]
    for system, tables in (("ingest", ("items",)), ("evaluation", ("jobs", "evaluation_runs"))):
        with psycopg.connect(stack.variables[f"{system.upper()}_DATABASE_URL"]) as connection:
            for table in (*tables, "alembic_version"):
                found.append(connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall())
    return found


def operator_status(stack, system="ingest", path="/api/v1/items", **headers):
    """What an operator with the stack's variables is answered."""
    bearer = {"Authorization": f"Bearer {stack.variables[f'{system.upper()}_OPERATOR_TOKEN']}"}
    return ask(f"{stack.variables[f'{system.upper()}_URL']}{path}", headers=bearer | headers).status


class Toy(Fault):
    """Breaks nothing; is seen when told to be."""

    name = "toy"
    title = "a toy"
    group = "toys"
    systems = frozenset({"ingest"})

    def __init__(self, takes_hold=True, lets_go=True):
        self.injected = False
        self.takes_hold = takes_hold
        self.lets_go = lets_go

    def inject(self, stack):
        self.injected = True

    def in_force(self, stack):
        return self.injected and self.takes_hold

    def heal(self, stack):
        self.injected = not self.lets_go

    def undo_by_hand(self, stack):
        return "put the toy away"


def test_every_fault_that_the_checks_need_has_its_name():
    """`@proven_by` and people's scripts refer to them."""
    assert set(NAMES.split()) <= set(FAULTS)
    assert all(name == known.name for name, known in FAULTS.items())


@pytest.mark.parametrize("name", BREAKS_READINESS.split())
def test_a_fault_of_what_a_service_needs_shows_in_its_readiness(stack, name):
    """That every fault is seen in force and seen gone is shown in tests/proof, which injects them all."""
    known = FAULTS[name]

    with injected(known, stack):
        assert known.in_force(stack)
        assert list(stack.state.faults) == [name]
        assert wait_for(lambda: operator_status(stack, path="/health/ready") == 503, 5)

    assert stack.missing() == {}


def test_a_block_that_raises_is_healed_too(stack):
    """A check that fails under the fault leaves nothing broken."""
    with pytest.raises(ZeroDivisionError), injected(FAULTS["live-500"], stack):
        1 / 0  # noqa: B018

    assert operator_status(stack, path="/health/live") == 200


def test_a_fault_that_never_takes_hold_is_said_so(stack, monkeypatch):
    """What would run under it proves nothing."""
    monkeypatch.setattr(fault, "SECONDS_TO_TAKE_HOLD", 0.1)

    with pytest.raises(FaultNotInForce, match="toy was not seen in force"), injected(Toy(takes_hold=False), stack):
        pytest.fail("the block must not run")


def test_a_fault_that_does_not_let_go_is_said_so_with_the_way_to_undo_it(stack, monkeypatch):
    """The stack is still broken, and somebody has to act now."""
    monkeypatch.setattr(fault, "SECONDS_TO_GO", 0.1)
    toy = Toy(lets_go=False)

    with pytest.raises(FaultNotHealed) as caught, injected(toy, stack):
        pass

    assert "toy is not healed: it is still seen in force" in caught.value.what
    assert "put the toy away" in caught.value.next_step
    assert "toy" in stack.state.faults
    toy.lets_go = True
    heal(toy, stack)


def test_a_healing_that_breaks_is_said_so_with_the_way_to_undo_it(stack):
    """Whatever went wrong inside, the operator needs the same words."""
    toy = Toy()
    toy.heal = lambda stack: 1 / 0

    with pytest.raises(FaultNotHealed, match="healing it failed: ZeroDivisionError") as caught, injected(toy, stack):
        pass

    assert "put the toy away" in caught.value.next_step
    del toy.heal
    heal(toy, stack)


def test_a_fault_that_is_gone_while_the_stack_is_not_ready_is_not_healed(stack, monkeypatch):
    """Gone is not enough: the next check would be red for nothing."""
    monkeypatch.setattr(fault, "SECONDS_TO_READY", 0.1)
    toy = Toy()
    inject(toy, stack)
    freeze_part(stack.directory, "ingest-api")

    with pytest.raises(FaultNotHealed, match="not ready again: ingest-api: /health/ready is not answered"):
        heal(toy, stack)

    thaw_part(stack.directory, "ingest-api")


def test_a_part_that_ended_under_a_fault_is_started_again(stack):
    """As a supervisor would: not every program survives everything, and the next test needs it."""
    with injected(Toy(), stack):
        end_part(stack.directory, "evaluation-worker")

    assert {part.name: part.state for part in stack.parts()}["evaluation-worker"] == "running"
    assert stack.missing() == {}


def test_a_fault_is_injected_once(stack):
    """A second time, its notes on how to heal would be lost."""
    with injected(FAULTS["migration-unknown"], stack):
        with pytest.raises(StackError, match="is injected already"):
            inject(FAULTS["migration-unknown"], stack)

        assert FAULTS["migration-unknown"].in_force(stack)


def test_a_fault_of_another_system_is_refused(stack):
    """It would be in force nowhere."""
    toy = Toy()
    toy.systems = frozenset({"another"})

    with pytest.raises(StackError, match="touches only another"):
        inject(toy, stack)


def test_a_stack_that_is_still_starting_is_not_broken(stack):
    """Its variables are not all there, and what is not up yet looks like a fault."""
    with edit_state(stack.directory) as state:
        state.ready = False
    try:
        with pytest.raises(StackError, match="is still starting"):
            inject(FAULTS["redis-stopped"], stack)
    finally:
        with edit_state(stack.directory) as state:
            state.ready = True


def test_another_process_can_heal(stack):
    """`opsproof stack heal` is not the process that broke it, and neither started the stack."""
    inject(FAULTS["table-locked"], stack)
    code = f"""
from pathlib import Path
from opsproof.stack import Stack
from opsproof.stack.faults import FAULTS, heal
heal(FAULTS["table-locked"], Stack(Path({str(stack.directory)!r})))
"""

    done = python(stack.directory.parent.parent, code)

    assert (done.returncode, done.stderr) == (0, "")


def test_faults_of_one_kind_stand_side_by_side(stack):
    """Healing one leaves the other in force, though both changed the same process and the same file."""
    for first, second in (("missing-secret", "wrong-version"), ("live-500", "metrics-missing")):
        with injected(FAULTS[first], stack):
            inject(FAULTS[second], stack)
            assert FAULTS[first].in_force(stack)
            heal(FAULTS[second], stack)
            assert FAULTS[first].in_force(stack)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        pytest.param("weak-jwt-secret", 200, id="weak-secret-callers-are-let-in"),
        pytest.param("secret-rotated", 401, id="rotated-secret-callers-are-refused"),
        pytest.param("token-expired", 401, id="expired-token-callers-are-refused"),
        pytest.param("auth-off", 200, id="auth-off"),
    ],
)
def test_a_fault_of_credentials_shows_to_callers_as_it_would_in_real_life(stack, name, status):
    """Each must turn only its own checks red."""
    with injected(FAULTS[name], stack):
        assert operator_status(stack) == status
        assert operator_status(stack, "evaluation", "/api/v1/jobs") == status


def test_the_weak_secret_has_31_bytes_and_the_process_is_found_by_its_pid_file(stack):
    """The runbook wants 32; opsproof reads the running process's environment."""
    with injected(FAULTS["weak-jwt-secret"], stack):
        pid = Path(stack.variables["INGEST_PID_FILE"]).read_text().strip()
        raw = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        (secret,) = [entry.partition(b"=")[2] for entry in raw if entry.startswith(b"JWT_SECRET=")]

    assert len(secret) == 31


def test_the_variables_file_follows_the_faults(stack):
    """A shell that reads it again has what the stack now accepts."""
    before = stack.variables_file.read_text()

    with injected(FAULTS["token-expired"], stack):
        assert stack.variables["INGEST_READER_TOKEN"] in stack.variables_file.read_text()
        assert stack.variables_file.read_text() != before

    assert stack.variables_file.read_text() == before
    assert stack.variables_file.stat().st_mode & 0o077 == 0


def test_a_damaged_defects_file_is_replaced_by_the_next_fault(stack):
    """Somebody edited it by hand."""
    (stack.directory / "defects.json").write_text("{not json")
    assert operator_status(stack) == 200

    with injected(FAULTS["core-endpoint-500"], stack):
        assert operator_status(stack) == 500


def test_a_frozen_postgres_freezes_its_children_too(stack):
    """A backend that goes on would answer, and the fault would only be half in force."""
    with injected(FAULTS["postgres-frozen"], stack):
        frozen = [part.state for part in stack.parts() if part.name == "postgres"]
        assert frozen == ["frozen"]
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(stack.variables["INGEST_DATABASE_URL"], connect_timeout=2)


def test_used_up_connections_refuse_every_service_but_not_the_superuser(stack):
    """The one who has to find out why still gets in."""
    from opsproof.stack.parts.postgres import superuser_url

    with injected(FAULTS["pool-exhausted"], stack), psycopg.connect(superuser_url(stack.plan)) as connection:
        with pytest.raises(psycopg.OperationalError, match="remaining connection slots"):
            psycopg.connect(stack.variables["INGEST_DATABASE_URL"])
        (used,) = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'opsproof-fault'"
        ).fetchone()
        assert used > 50


def test_a_fault_of_a_stopped_stack_says_that_the_stack_is_gone(stack):
    """Not a traceback about a missing file."""
    with pytest.raises(StackError, match="the stack is gone"):
        inject(FAULTS["live-500"], Stack(stack.directory.with_name("no-such-stack")))


def test_a_fault_that_another_one_keeps_from_being_injected_is_said_so(stack):
    """With PostgreSQL down nobody can change a row; no traceback, and all is well after healing both."""
    inject(FAULTS["postgres-stopped"], stack)

    with pytest.raises(StackError, match="migration-unknown"):
        inject(FAULTS["migration-unknown"], stack)

    heal(FAULTS["postgres-stopped"], stack)
    heal(FAULTS["migration-unknown"], stack)


def test_a_fault_that_breaks_while_it_is_injected_is_healed_and_said_so(stack):
    """The reason is in the message; half a fault does not stay."""
    toy = Toy()
    toy.inject = lambda stack: 1 / 0

    with pytest.raises(FaultNotInForce, match="toy could not be injected: ZeroDivisionError"):
        inject(toy, stack)
