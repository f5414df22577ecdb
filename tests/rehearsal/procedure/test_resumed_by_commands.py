"""SIGKILL in the middle of a rehearsal of a real environment, in every scenario, and `--resume` of its journals."""

import pytest
from held import held

from opsproof.judge.outcome import Status
from opsproof.stack.process import told_of

UNPROVEN = {
    "region_loss": {
        "what_only_the_old_primary_has_is_exported",
        "the_old_primary_follows",
        "the_home_site_serves_again",
        "the_objectives_hold",
    },
    "damaged_database": set(),
    "polluted_data": set(),
}
"""What is not proven without an interruption, too: nobody rewinds here."""

ONCE = ("break", "promote", "restore", "recover", "attach-standby", "back-up")
"""What must not be done twice."""


def interrupted(folder, scenario, action, *, done):
    """A rehearsal that is killed in an action, before or after it was done; then one that resumes it."""
    with held(folder) as sites:
        sites.breaks(scenario)
        sites.kill_at = (action, done)
        killed, shown = sites.run(scenario, "--allow-writes=drill")
        assert killed is None, shown
        run, shown = sites.run(scenario, "--allow-writes=drill", "--resume=runs/journals")
        assert told_of(str(folder / "runs" / "journals" / "ledger-")) == []
        tables = sites.site.dr.sql(
            "SELECT relname FROM pg_class WHERE relname LIKE 'opsproof_%'", database="factory-ai"
        )
        return run, shown, sites.did, {name for (name,) in tables}


@pytest.mark.parametrize(
    ("scenario", "action", "done"),
    [
        pytest.param("region_loss", "break", True, id="region-lost"),
        pytest.param("region_loss", "back-up", False, id="region-standby-attached"),
        pytest.param("damaged_database", "declare", True, id="damaged-declared"),
        pytest.param("damaged_database", "restore", True, id="damaged-restored"),
        pytest.param("polluted_data", "recover", True, id="polluted-recovered"),
        pytest.param("polluted_data", "fence", False, id="polluted-to-be-fenced"),
    ],
)
def test_a_rehearsal_that_was_killed_goes_on_and_is_proven(scenario, action, done, tmp_path):
    """What was done is not done twice, what was lost with the process is made anew, and the clock has gone on."""
    run, shown, did, _ = interrupted(tmp_path, scenario, action, done=done)
    (fact,) = run.rehearsals
    outcomes = {outcome.name.rpartition(".")[2]: outcome for outcome in run.outcomes}

    not_passed = {name for name, outcome in outcomes.items() if outcome.status is not Status.PASSED}
    assert not_passed <= UNPROVEN[scenario], shown
    assert [objective.proof for objective in fact.objectives] == ["proven", "proven"], shown
    assert [action for action in ONCE if did.count(action) > 1] == []


def test_a_wrong_change_that_may_have_been_committed_is_not_committed_again(tmp_path):
    """Its transaction is not known: the rehearsal is refused, and ends with its clean-up alone."""
    run, shown, did, tables = interrupted(tmp_path, "polluted_data", "break", done=True)
    told = {outcome.name.rpartition(".")[2]: outcome for outcome in run.outcomes}

    assert did == ["break"]
    assert "nobody knows its transaction" in shown
    assert "without --resume" in told["the_failure_is_noticed"].next_step
    assert told["nothing_is_left_behind"].status is Status.PASSED, shown
    assert {one.status for name, one in told.items() if name != "nothing_is_left_behind"} == {Status.UNKNOWN}
    assert tables & {"opsproof_marker", "opsproof_write_token"} == set()
