"""Two sites on one machine, as a rehearsal of a disaster needs them: databases, services, names, cache and backups."""

from opsproof.stack.site.backing_up import BackedUp
from opsproof.stack.site.names import API, DATABASE, HTTP
from opsproof.stack.site.pollution import Pollution
from opsproof.stack.site.processes import SitePart
from opsproof.stack.site.site import EmbeddedSite

__all__ = ["API", "DATABASE", "HTTP", "BackedUp", "EmbeddedSite", "Pollution", "SitePart"]
