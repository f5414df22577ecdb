"""A rehearsal in an environment that is not opsproof's own: two real sites, changed by commands alone."""

import pytest
from held import held

from opsproof.judge.outcome import Status


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory):
    """A run that was not allowed to write, one of a region's loss, and our tables on the new primary afterwards."""
    with held(tmp_path_factory.mktemp("drill")) as sites:
        refused, done = sites.run("region_loss"), sites.run("region_loss", "--allow-writes=drill")
        names = "SELECT tablename FROM pg_tables WHERE tablename LIKE 'opsproof%'"
        return refused, done, {name for (name,) in sites.site.dr.sql(names, database="factory-ai")}


def test_nothing_is_touched_before_the_operator_allows_it(rehearsed):
    """A forgotten option must not break an environment, and a rehearsal that was not executed is none."""
    (refused, shown), _, _ = rehearsed

    assert {outcome.status for outcome in refused.outcomes} == {Status.UNKNOWN}
    assert "--allow-writes drill" in shown
    assert refused.rehearsals == ()


def test_a_failover_by_the_profiles_own_commands_is_verified_from_failure_to_protection(rehearsed):
    """opsproof did nothing itself; what it says rests on what it asked."""
    _, (run, shown), _ = rehearsed
    told = {outcome.name.rpartition(".")[2]: outcome for outcome in run.outcomes}
    (fact,) = run.rehearsals

    unproven = {name for name, outcome in told.items() if outcome.status is not Status.PASSED}
    assert unproven == {
        "what_only_the_old_primary_has_is_exported",
        "the_old_primary_follows",
        "the_home_site_serves_again",
    }, shown
    assert {step.by for step in fact.steps} == {"command", ""}
    assert [objective.proof for objective in fact.objectives] == ["proven", "proven"]
    assert fact.moments.t5 is not None
    assert fact.moments.t6 is None


def test_the_tables_of_a_rehearsal_are_taken_back(rehearsed):
    """The ledger's, too; the heartbeat's is the environment's own."""
    _, _, left = rehearsed

    assert left == {"opsproof_environment", "opsproof_heartbeat"}


def test_a_command_that_fails_is_told_with_its_status(rehearsed):
    """Somebody must mend the command, and not the database."""
    _, (run, _), _ = rehearsed
    told = {outcome.name.rpartition(".")[2]: outcome.message for outcome in run.outcomes}

    assert "ended with status 1" in told["the_old_primary_follows"]


def test_no_secret_of_the_environment_is_written_down(rehearsed, tmp_path_factory):
    """The ledger, the journal and the report lie outside of the grounds, for good."""
    folder = next(tmp_path_factory.getbasetemp().glob("drill*"))
    written = [path for path in (folder / "runs").rglob("*") if path.is_file()]
    _, (run, _), _ = rehearsed

    assert any(path.suffix == ".jsonl" for path in written)
    words = [word for path in written for word in path.read_text(errors="replace").split()]
    assert [word for word in words if "postgresql://" in word and "@" in word and "***" not in word] == []
    assert run.id
