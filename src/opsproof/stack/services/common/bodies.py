"""Reading request bodies and parameters, with the right error for each mistake."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from opsproof.stack.services.common.failures import ApiError

Model = TypeVar("Model", bound=BaseModel)


async def read_json(request: Request, model: type[Model]) -> Model:
    """
    The request body as a model.

    Raises:
        ApiError: 400 for what is no JSON, 422 for JSON of another shape, 408 or 413 from the body limit.
    """
    return validated(parsed(await request.body()), model)


def parsed(raw: bytes) -> Any:
    """A text as JSON; raises ApiError 400 for what is none."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise ApiError(400, "the body is no JSON") from None


def validated(document: Any, model: type[Model]) -> Model:
    """JSON as a model; raises ApiError 422 for JSON of another shape."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        raise ApiError(422, f"{where}: {first['msg']}") from None


@contextmanager
def storable() -> Iterator[None]:
    """Answer 422 where the database refuses a value for its content (a NUL character, a lone surrogate)."""
    try:
        yield
    except (psycopg.DataError, UnicodeEncodeError):
        raise ApiError(422, "a value cannot be stored") from None


def limit_of(request: Request, *, name: str = "limit", default: int = 20, most: int = 200) -> int:
    """The `limit` parameter, whatever its name, 1 to `most`; raises ApiError 422 otherwise."""
    raw = request.query_params.get(name, str(default))
    if not raw.isascii() or not raw.isdigit() or not 1 <= int(raw[:9]) <= most:
        raise ApiError(422, f"{name} must be a whole number from 1 to {most}")
    return int(raw)


def id_of(request: Request, name: str) -> UUID:
    """An id from the path; what is no id cannot exist, so ApiError 404."""
    try:
        return UUID(request.path_params[name])
    except ValueError:
        raise ApiError(404, "there is no such thing") from None
