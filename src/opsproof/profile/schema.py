"""
JSON Schema of a profile file, for editors.

It allows more than a profile: every key may be left out (it may be inherited) or null (it removes what is inherited),
and a reference may stand for any number, choice or duration. `opsproof profile check` says whether a profile is valid.
"""

import json
from typing import Any

from opsproof.profile.models import Profile

_REFERENCE_NAME = "reference"
_REFERENCE = {"$ref": f"#/$defs/{_REFERENCE_NAME}"}
_NULL = {"type": "null"}
_NOT_FOR_FILES = ("title", "required", "discriminator", "writeOnly", "format", "gt", "allow_inf_nan")


def schema_text() -> str:
    """
    The schema as the text of `profiles/schema.json`.

    Returns:
        JSON, ending in a newline; the same text for the same models.
    """
    return json.dumps(file_schema(), ensure_ascii=False, indent=2) + "\n"


def file_schema() -> dict[str, Any]:
    """
    The schema of one profile file, base files included.

    Returns:
        A JSON Schema of draft 2020-12.
    """
    schema = Profile.model_json_schema()
    definitions = {name: _loosened(part) for name, part in schema.pop("$defs").items()}
    definitions[_REFERENCE_NAME] = {
        "description": "${VAR}, ${VAR:-default}, or file:PATH relative to this file.",
        "type": "string",
        "pattern": r"\$\{|^file:",
    }
    loosened = _loosened(schema)
    extends = {"description": "File that this one lies over, relative to it; usually base.yaml.", "type": "string"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "opsproof profile",
        **loosened,
        "properties": {"extends": extends, **loosened["properties"]},
        "$defs": definitions,
    }


def _loosened(schema: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in schema.items() if not _is_noise(key, value)}
    if "properties" in kept:
        kept["properties"] = {name: _or_null(_loosened(part)) for name, part in kept["properties"].items()}
    if isinstance(kept.get("additionalProperties"), dict):
        kept["additionalProperties"] = _or_null(_loosened(kept["additionalProperties"]))
    if "items" in kept:
        kept["items"] = _loosened(kept["items"])
    choices = kept.pop("anyOf", None) or kept.pop("oneOf", None)
    if choices:
        kept["anyOf"] = [_loosened(choice) for choice in choices]
        return _flat(kept)
    if kept.get("type") in ("integer", "number", "boolean") or kept.keys() & {"enum", "const", "pattern"}:
        return _either(kept, _REFERENCE)
    return kept


def _is_noise(key: str, value: object) -> bool:
    if key == "default":
        return value is None or isinstance(value, (dict, list))
    return key in _NOT_FOR_FILES


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return _either(schema, _NULL)


def _either(schema: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """`schema` or `other`; what is said about the key stays outside, where editors show it."""
    about: dict[str, Any] = {key: schema[key] for key in ("description", "default") if key in schema}
    rest = {key: value for key, value in schema.items() if key not in about}
    return _flat({**about, "anyOf": [rest, other]})


def _flat(schema: dict[str, Any]) -> dict[str, Any]:
    """Choices of choices as one list, each choice once."""
    choices: list[dict[str, Any]] = []
    for choice in schema["anyOf"]:
        for part in choice["anyOf"] if choice.keys() == {"anyOf"} else [choice]:
            if part not in choices:
                choices.append(part)
    return {**schema, "anyOf": choices}
