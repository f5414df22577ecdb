"""PostgreSQL servers that a rehearsal may break: their own folder among the stacks, and gone with it."""

from opsproof.stack.clusters.cluster import Cluster
from opsproof.stack.clusters.grounds import Grounds
from opsproof.stack.clusters.programs import Done, Programs

__all__ = ["Cluster", "Done", "Grounds", "Programs"]
