"""Measure a Locust run so that its numbers can be believed, and judge it by the gates of a profile (docs/load.md)."""

from opsproof.load.answers import NothingToDo, body_of, one_of
from opsproof.load.attaching import attach

__all__ = ["NothingToDo", "attach", "body_of", "one_of"]
