"""Restores into scratch servers, and what must be true of them."""

from opsproof.rehearsal.restored.bases import restore_base
from opsproof.rehearsal.restored.data import DataVerification
from opsproof.rehearsal.restored.dumps import restore_dump
from opsproof.rehearsal.restored.isolation import changes, listing
from opsproof.rehearsal.restored.markers import Marker, plant, time_between, transaction_of
from opsproof.rehearsal.restored.reference import Reference, reference_of
from opsproof.rehearsal.restored.restored import RecoveryTarget, Restored
from opsproof.rehearsal.restored.service import Service
from opsproof.rehearsal.restored.verification import Expectations, RestoredVerification

__all__ = [
    "DataVerification",
    "Expectations",
    "Marker",
    "RecoveryTarget",
    "Reference",
    "Restored",
    "RestoredVerification",
    "Service",
    "changes",
    "listing",
    "plant",
    "reference_of",
    "restore_base",
    "restore_dump",
    "time_between",
    "transaction_of",
]
