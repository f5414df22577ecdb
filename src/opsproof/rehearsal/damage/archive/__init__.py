"""Damage to the WAL archive, to what fills it, and to the target of a recovery from it."""

from opsproof.rehearsal.damage.archive import aimed, archiving, stored
from opsproof.rehearsal.damage.archive.lab import DETECTORS, Lab, detect, lab
from opsproof.rehearsal.damage.damage import Area

AREA: Area[Lab] = Area("archive", lab, detect, (*stored.DAMAGES, *archiving.DAMAGES, *aimed.DAMAGES))

AREAS = (AREA,)

__all__ = ["AREA", "AREAS", "DETECTORS", "Lab"]
