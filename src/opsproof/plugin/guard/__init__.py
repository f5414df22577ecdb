"""The payload guard: sends the cases of a check through a hop, and says what is wrong with what came."""

from opsproof.plugin.guard.guard import PayloadGuard

__all__ = ["PayloadGuard"]
