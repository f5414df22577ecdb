"""The questions of a verification are found by themselves, and each has its check."""

import re
from pathlib import Path

from opsproof.rehearsal.damage.failover import AREAS
from opsproof.rehearsal.failover.detectors import detectors_of
from opsproof.rehearsal.failover.promoted import PromotedVerification
from opsproof.rehearsal.failover.readiness import StandbyVerification
from opsproof.rehearsal.failover.rewound import RewoundVerification
from opsproof.rehearsal.failover.split import SplitVerification

_CHECKS = Path(__file__).parents[3] / "checks/backup/test_standby.py"


def _names(kind):
    return set(detectors_of(object.__new__(kind)))


def test_every_question_about_a_standby_has_its_check():
    """A detector that no check asks looks at nothing."""
    asked = re.findall(r"async def test_(\w+)\(", _CHECKS.read_text(encoding="utf-8"))
    assert sorted(asked) == sorted(_names(StandbyVerification))


def test_every_damage_names_questions_that_are_asked():
    """A name with a slip would never turn red."""
    known = {f"backup.{name}" for name in _names(StandbyVerification)}
    known |= {f"failover.{name}" for kind in (PromotedVerification, SplitVerification) for name in _names(kind)}
    known |= {f"failback.{name}" for name in _names(RewoundVerification)} | {"failback.the_old_primary_is_rewound"}
    for area in AREAS:
        for damage in area.damages:
            assert damage.caught_by
            assert set(damage.caught_by) <= known, damage.name


def test_every_damage_has_a_name_of_its_own():
    """The report counts by name."""
    names = [damage.name for area in AREAS for damage in area.damages]
    assert len(names) == len(set(names))
