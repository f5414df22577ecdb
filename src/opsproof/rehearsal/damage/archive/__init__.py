"""Damage to the WAL archive, to what fills it, and to the target of a recovery from it."""

from opsproof.rehearsal.damage.archive import aimed, archiving, stored
from opsproof.rehearsal.damage.archive.lab import DETECTORS, Lab, detect, lab
from opsproof.rehearsal.damage.damage import Area

NOT_HERE = {
    "B14": "An idle primary is no damage: its archive looks old and is not. A test holds that no check says otherwise.",
    "C1": "As C2, by the same check; what a server does at a target that never comes is for the restore to see.",
}
"""Faults of groups B and C that are not here, each with the reason."""

AREA: Area[Lab] = Area("archive", lab, detect, (*stored.DAMAGES, *archiving.DAMAGES, *aimed.DAMAGES))

__all__ = ["AREA", "DETECTORS", "NOT_HERE", "Lab"]
