"""Which scenario of the runbook it is."""

from datetime import UTC, datetime

from opsproof.judge.diagnosis import diagnose
from opsproof.judge.outcome import Cause, Outcome, Status
from opsproof.profile.scenarios import Scenario

TEXT = {"en": "x", "ko": "가"}


def outcome(name, status, cause=None, *, between=False):
    return Outcome(
        check=f"{name}[a/b]",
        name=name,
        profile="a/b",
        title=name,
        severity="SEV-2",
        runbook=("X-1",),
        status=status,
        cause=cause,
        started=datetime.now(UTC),
        duration=0.0,
        between=between,
    )


def scenario(*signs):
    return Scenario(title=TEXT, runbook=("X-1",), signs=signs, next_steps=(TEXT,))


DATABASE = scenario({"check": "database.answers"}, {"check": "indicators.errors"})
SLOW = scenario(
    {"check": "indicators.p95", "weight": 2},
    {"check": "database.answers", "shows": "well"},
    {"check": "indicators.errors", "shows": "trouble"},
)
FAILED = (Status.FAILED, Cause.TARGET_WRONG)


def test_the_best_fit_comes_first():
    """Two scenarios share a sign; what tells them apart decides the order."""
    seen = [
        outcome("database.answers", *FAILED),
        outcome("indicators.errors", *FAILED),
        outcome("indicators.p95", Status.PASSED),
    ]

    found = diagnose("a/b", {"slow": SLOW, "database": DATABASE}, seen)

    assert [(fit.scenario, fit.share) for fit in found.fits] == [("database", 1.0)]
    assert found.others[0].there == ("indicators.errors",)
    assert found.others[0].against == ("indicators.p95", "database.answers")


def test_one_symptom_is_enough():
    """The runbook lists them as alternatives; what goes with other incidents, too, is no symptom."""
    seen = [outcome("database.answers", Status.PASSED), outcome("indicators.errors", *FAILED)]

    found = diagnose("a/b", {"database": DATABASE, "slow": SLOW}, seen)

    assert [(fit.scenario, fit.share) for fit in found.fits] == [("database", 0.5)]
    assert [fit.scenario for fit in found.others] == ["slow"]


def test_a_target_that_does_not_answer_is_trouble_to_the_check_whose_subject_that_is():
    """The database that cannot be reached is just what the scenario is about; that it has no p95 says nothing."""
    seen = [
        outcome("database.answers", Status.FAILED, Cause.UNREACHABLE),
        outcome("indicators.p95", Status.UNKNOWN, Cause.UNREACHABLE),
    ]

    found = diagnose("a/b", {"database": DATABASE, "slow": SLOW}, seen)

    assert [fit.scenario for fit in found.fits] == ["database"]
    assert "indicators.p95" in found.others[0].not_measured


def test_a_number_between_well_and_bad_is_no_symptom():
    """2 % is not the 5 % of the runbook, and not well, either."""
    seen = [outcome("database.answers", Status.PASSED), outcome("indicators.p95", *FAILED, between=True)]

    found = diagnose("a/b", {"slow": SLOW}, seen)

    assert found.fits == ()
    assert "indicators.p95" in found.others[0].not_measured


def test_none_fits_is_an_answer():
    """All well, or trouble that the runbook does not know."""
    seen = [outcome("database.answers", Status.PASSED), outcome("indicators.errors", Status.PASSED)]

    found = diagnose("a/b", {"database": DATABASE, "slow": SLOW}, seen)

    assert found.fits == ()
    assert [fit.scenario for fit in found.others] == ["slow", "database"]


def test_blindness_makes_no_diagnosis():
    """What was not measured is not there, and is told."""
    seen = [
        outcome("database.answers", Status.UNKNOWN, Cause.PRECONDITION_MISSING),
        outcome("indicators.errors", Status.SKIPPED),
    ]

    found = diagnose("a/b", {"database": DATABASE}, seen)

    assert found.fits == ()
    assert found.others[0].not_measured == ("database.answers", "indicators.errors")


def test_well_signs_alone_make_no_diagnosis():
    """A sound system shows every well sign."""
    mostly_well = scenario({"check": "indicators.p95"}, {"check": "database.answers", "shows": "well", "weight": 5})

    found = diagnose(
        "a/b",
        {"mostly": mostly_well},
        [outcome("database.answers", Status.PASSED), outcome("indicators.p95", Status.PASSED)],
    )

    assert found.fits == ()
