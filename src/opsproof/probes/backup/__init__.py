"""Read what is in a backup store, and not only its listing."""

from opsproof.probes.backup.objects import Objects, StoredObject

__all__ = ["Objects", "StoredObject"]
