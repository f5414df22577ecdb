"""A text in both languages of the operators."""

from typing import Annotated

from pydantic import AfterValidator, Field

from opsproof.profile.targets import Section


def _written(value: str) -> str:
    if not value.strip():
        raise ValueError("expected a text, not an empty one")
    return value


Words = Annotated[str, Field(json_schema_extra={"minLength": 1}), AfterValidator(_written)]


class Text(Section):
    """A text in both languages of the operators."""

    en: Words
    ko: Words
