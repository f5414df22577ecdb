"""pydantic's errors as mistakes: in words of the operator, at the line of the file, without any value."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from opsproof.profile.mistakes import Mistake
from opsproof.profile.models import Profile
from opsproof.profile.shape import Spot, spot
from opsproof.profile.tree import Node, place_of

_MANY_KEYS = 15

_EXPECTED = {
    "string_type": "expected a text (put a number or true/false in quotes)",
    "string_too_short": "expected a text of at least {min_length} characters",
    "string_too_long": "expected a text of at most {max_length} characters",
    "string_pattern_mismatch": "expected a text of the form {pattern}",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_parsing_size": "expected a smaller whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "finite_number": "expected a finite number",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "greater_than": "expected more than {gt}",
    "greater_than_equal": "expected at least {ge}",
    "less_than": "expected less than {lt}",
    "less_than_equal": "expected at most {le}",
    "literal_error": "expected one of: {expected}",
    "union_tag_invalid": "unknown kind; the kinds are: {expected_tags}",
    "union_tag_not_found": "has no key `kind`, which says what it is",
    "model_type": "expected a mapping (keys with values)",
    "model_attributes_type": "expected a mapping (keys with values)",
    "dict_type": "expected a mapping (keys with values)",
    "tuple_type": "expected a list",
    "list_type": "expected a list",
    "too_short": "expected a list of at least {min_length}",
    "too_long": "expected a list of at most {max_length}",
    "path_type": "expected a path",
    "value_error": "{error}",
} | dict.fromkeys(
    ("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "datetime_object_invalid"),
    "expected a date (2026-12-31) or a time with zone (2026-12-31T18:00:00+09:00)",
)


def mistakes_of(error: ValidationError, tree: Node, top: Any = Profile) -> list[Mistake]:
    """
    Every error of a validation as a mistake.

    Args:
        error: What pydantic found.
        tree: The merged profile, which knows the lines.
        top: What the file as a whole is.

    Returns:
        The mistakes, in pydantic's order.
    """
    return [_mistake(details, tree, top) for details in error.errors(include_input=False, include_url=False)]


def _mistake(details: ErrorDetails, tree: Node, top: Any) -> Mistake:
    where = spot(details["loc"], top)
    kind = details["type"]
    place = place_of(tree, where.loc)
    if kind == "extra_forbidden":
        return Mistake(place, where.loc, _unknown_key(where))
    if kind == "missing":
        return Mistake(place, where.loc, f"is missing ({where.description.rstrip('.')})".removesuffix(" ()"))
    loc = (*where.loc, "kind") if kind == "union_tag_invalid" else where.loc
    words = _EXPECTED.get(kind, details["msg"])
    return Mistake(place_of(tree, loc), loc, words.format_map(_shown(details.get("ctx", {}))))


def _shown(context: dict[str, Any]) -> dict[str, Any]:
    """The limits of an error as people write them: 0 for 0.0."""
    return {key: f"{value:g}" if isinstance(value, float) else value for key, value in context.items()}


def _unknown_key(where: Spot) -> str:
    known = list(where.parent.model_fields) if where.parent else []
    return unknown(str(where.loc[-1]), "unknown key", "the keys here are", known)


def unknown(name: str, what: str, introduction: str, known: Sequence[str]) -> str:
    """
    Say that a name is unknown, what the nearest known one is, and all known ones if they are few.

    Args:
        name: The unknown name; it is not repeated.
        what: What is wrong, as "unknown key".
        introduction: Words before the list of known names.
        known: The known names.

    Returns:
        `unknown key; did you mean `url`? The keys here are: kind, url`.
    """
    nearest = get_close_matches(name, known, 1)
    text = f"{what}; did you mean `{nearest[0]}`?" if nearest else what
    if nearest and len(known) > _MANY_KEYS:
        return text
    joiner = " " if nearest else "; "
    begin = introduction[0].upper() + introduction[1:] if nearest else introduction
    return f"{text}{joiner}{begin}: {', '.join(known) or 'none'}"
