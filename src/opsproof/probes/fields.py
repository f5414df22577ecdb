"""Parts of a JSON value by dotted name."""

from typing import Any


class FieldMissing(LookupError):
    """
    There is no such part.

    Attributes:
        name: Dotted name of the part that was looked into; "" for the whole.
        there: What is there instead, in words.
    """

    def __init__(self, name: str, there: str) -> None:
        super().__init__(name, there)
        self.name = name
        self.there = there


def field(value: Any, name: str) -> Any:
    """
    A part of a JSON value.

    Args:
        value: The whole.
        name: Dotted name; a number picks from a list: `components.database.status`, `items.0.id`.

    Raises:
        FieldMissing: There is no such part.
    """
    found: list[str] = []
    for key in name.split("."):
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            raise FieldMissing(".".join(found), _what_is_there(value, key))
        found.append(key)
    return value


def has_value(line: dict[str, Any], name: str, value: Any) -> bool:
    """Whether an object has a value under a name, plain or dotted."""
    if name in line:
        return bool(line[name] == value)
    try:
        return bool(field(line, name) == value)
    except FieldMissing:
        return False


def _what_is_there(value: Any, key: str) -> str:
    if isinstance(value, dict):
        return f"has no {key!r}, it has {', '.join(map(str, list(value)[:20])) or 'nothing'}"
    if isinstance(value, list):
        return f"is a list of {len(value)}"
    return "is null" if value is None else f"is a {type(value).__name__}"
