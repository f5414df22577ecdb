"""Two rehearsals side by side."""

import pytest
from clock_histories import at

from opsproof.rehearsal.clock.compare import compare
from opsproof.rehearsal.facts import CopyFact, Moments, ObjectiveFact, PhaseFact, Proof, RehearsalFact


def rehearsal(begin, rpo, **changes):
    told = {
        "profile": "factory-ai/embedded",
        "scenario": "region-loss",
        "title": {"en": "Region loss", "ko": "리전 손실"},
        "plan": "a" * 64,
        "embedded": True,
        "started": at(begin),
        "finished": at(begin + 60),
        "declared": 0.0,
        "moments": Moments(t0=at(begin + 5)),
        "phases": (PhaseFact(name="database", budget=60, seconds=rpo * 2, proof=Proof.PROVEN),),
        "steps": (),
        "objectives": (
            ObjectiveFact(
                name="RPO", limit=60, lower=0, upper=rpo, resolution=1, proof=Proof.PROVEN, why="no write is lost"
            ),
        ),
        "ledger": None,
        "copies": (CopyFact(name="archive", newest=at(begin), exposure=rpo * 3, why="end of 0001"),),
        "projected": "",
        "seeded": (),
        "findings": (),
        "not_executed": (),
        "clean_up": (),
        "aborted": "",
        "system_identifier": "77",
        "versions": {"server": "18"},
    }
    return RehearsalFact(**{**told, **changes})


def test_the_worst_of_two_failures_is_shown():
    """A failure just after a segment was switched flatters; the other one tells by how much."""
    comparison = compare(rehearsal(100, 9.0), rehearsal(0, 2.0))

    assert comparison.apart == 100
    assert comparison.doubts == ()
    assert {
        change.name: (change.earlier, change.later, change.worst, change.change) for change in comparison.changes
    } == {
        "RPO": (2, 9, 9, 7),
        "phase database": (4, 18, 18, 14),
        "exposure of archive": (6, 27, 27, 21),
    }


def test_what_one_of_them_did_not_measure_has_no_worst():
    """The missing one may have been the worse one."""
    change = compare(rehearsal(0, 2.0), rehearsal(100, 9.0, objectives=())).changes[0]

    assert (change.later, change.worst, change.change) == (None, None, None)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"plan": "b" * 64}, "the plan was changed", id="plan"),
        pytest.param({"scenario": "polluted-data"}, "of different scenarios", id="scenario"),
        pytest.param({"embedded": False}, "clusters of its own", id="embedded"),
        pytest.param({"versions": {"server": "17"}}, "versions", id="versions"),
        pytest.param({"aborted": "no standby"}, "was aborted: no standby", id="aborted"),
        pytest.param({"moments": Moments()}, "one of them has no T0", id="no-failure"),
        pytest.param({"moments": Moments(t0=at(5))}, "the same T0", id="one-failure"),
    ],
)
def test_what_makes_a_comparison_doubtful_is_said(changes, words):
    """Numbers of different things are no trend."""
    (doubt,) = compare(rehearsal(0, 2.0), rehearsal(100, 9.0, **changes)).doubts

    assert words in doubt
