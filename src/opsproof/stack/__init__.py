"""The embedded stack: real PostgreSQL, Valkey and reference services as local processes."""

from opsproof.stack.parts import ALL
from opsproof.stack.stack import PartStatus, Stack

__all__ = ["ALL", "PartStatus", "Stack"]
