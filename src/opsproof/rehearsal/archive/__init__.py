"""The WAL archive: whether a recovery from it comes to its end, and whether its target is one."""

from opsproof.rehearsal.archive.commits import CommitRecord, commits
from opsproof.rehearsal.archive.targets import Point, Target, choose_backup, lint
from opsproof.rehearsal.archive.verification import ArchiveVerification

__all__ = ["ArchiveVerification", "CommitRecord", "Point", "Target", "choose_backup", "commits", "lint"]
