"""What is stored for the day of a disaster: verified by reading it, without restoring it into a server."""

from opsproof.rehearsal.stored.bases import BaseVerification
from opsproof.rehearsal.stored.dumps import DumpVerification
from opsproof.rehearsal.stored.notes import base_note, dump_note

__all__ = ["BaseVerification", "DumpVerification", "StoredVerification", "base_note", "dump_note"]


class StoredVerification(DumpVerification, BaseVerification):
    """Dumps and base backups of one store against their catalogue; arguments as for `Series`."""
