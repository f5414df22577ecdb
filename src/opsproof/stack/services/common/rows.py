"""Database rows as callers see them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID


def public(row: dict[str, Any]) -> dict[str, Any]:
    """The row with times and ids as text."""
    return {name: _text(value) for name, value in row.items()}


def _text(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            return value
