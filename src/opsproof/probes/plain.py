"""Answers that are one plain JSON value."""

from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Plain:
    """
    An answer that is one plain JSON value.

    Attributes:
        value: Made of dicts, lists, texts, numbers, true, false and None.
    """

    value: Any

    def to_json(self) -> dict[str, Any]:
        """The value as evidence keeps it."""
        return {"value": self.value}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """The value as evidence kept it."""
        return cls(kept["value"])
