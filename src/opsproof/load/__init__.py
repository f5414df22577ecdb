"""Measure a Locust run so that its numbers can be believed, and judge it by the gates of a profile (docs/load.md)."""

from opsproof.load.answers import body_of
from opsproof.load.attaching import attach

__all__ = ["attach", "body_of"]
