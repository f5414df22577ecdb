"""Faults of stored backups: dumps in both forms, base backups, and their catalogue."""

from opsproof.rehearsal.damage.stored import bases, dumps, plain

AREAS = (dumps.AREA, plain.AREA, bases.AREA)
