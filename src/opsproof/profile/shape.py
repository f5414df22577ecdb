"""What the models allow at a place of a profile."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from opsproof.profile.models import Profile
from opsproof.profile.tree import Loc


@dataclass(frozen=True, slots=True)
class Spot:
    """
    A place of a profile, as the models see it.

    Attributes:
        loc: The way to it, as the file writes it.
        parent: The section that it is a key of; none for an item of a list or of a free mapping.
        description: What the model says about it.
    """

    loc: Loc
    parent: type[BaseModel] | None
    description: str


def spot(loc: Loc, top: Any = Profile) -> Spot:
    """
    Follow the `loc` of a pydantic error, which names the chosen member of a union in between.

    Args:
        loc: As pydantic gives it: `("targets", "api", "http", "url")`.
        top: What the file as a whole is.

    Returns:
        The place: `("targets", "api", "url")` in the section HttpTarget.
    """
    annotation: Any = top
    written: list[str | int] = []
    parent: type[BaseModel] | None = None
    description = ""
    for part in loc:
        annotation = _without_wrapping(annotation)
        if get_origin(annotation) in (Union, UnionType):
            annotation = _member(annotation, str(part))
            continue
        written.append(part)
        parent, description = None, ""
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            parent = annotation
            field = parent.model_fields.get(str(part))
            annotation = field.annotation if field else None
            description = (field.description or "") if field else ""
        else:
            annotation = get_args(annotation)[1 if get_origin(annotation) in (dict, Mapping) else 0 :]
            annotation = annotation[0] if annotation else None
    return Spot(tuple(written), parent, description)


def _without_wrapping(annotation: Any) -> Any:
    """`Annotated[X, ...]` and `X | None` as X."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, UnionType):
            members = [member for member in get_args(annotation) if member is not NoneType]
            if len(members) > 1:
                return annotation
            annotation = members[0]
        else:
            return annotation


def _member(union: Any, tag: str) -> Any:
    """The member of a union that pydantic calls `tag`: by the value of its `kind`, else by its name."""
    for member in map(_without_wrapping, get_args(union)):
        if isinstance(member, type) and issubclass(member, BaseModel):
            kind = member.model_fields.get("kind")
            if kind and get_origin(kind.annotation) is Literal and tag in get_args(kind.annotation):
                return member
        if getattr(member, "__name__", None) == tag:
            return member
    return None
