"""Ask an object store."""

from opsproof.probes.store.listing import MOST_OBJECTS, Found, Listing
from opsproof.probes.store.probe import StoreProbe

__all__ = ["MOST_OBJECTS", "Found", "Listing", "StoreProbe"]
