"""The last line of defence: every text of a run is redacted once more before any file is written."""

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import Any, Literal, TypeVar, get_origin

from pydantic import BaseModel

from opsproof.evidence.observation import Failure, Observation
from opsproof.evidence.redaction import Redactor
from opsproof.report.run import Run
from opsproof.report.text import encodable

M = TypeVar("M", bound=BaseModel)


def clean_run(run: Run, redactor: Redactor) -> Run:
    """
    The run with everything secret or personal masked, and every text fit for a file.

    Args:
        run: What a report is made from.
        redactor: Knows the secrets of all profiles of the run.
    """
    return _model(run, redactor)


def clean_observation(observation: Observation, redactor: Redactor) -> Observation:
    """The observation with everything secret or personal masked, and every text fit for a file."""
    failure = observation.failure
    return replace(
        observation,
        id=_text(observation.id, redactor),
        profile=_text(observation.profile, redactor),
        target=_text(observation.target, redactor),
        question=_text(observation.question, redactor),
        by_hand=_text(observation.by_hand, redactor),
        answer=None if observation.answer is None else _value(redactor.value(observation.answer), redactor),
        failure=failure
        and Failure(
            kind=failure.kind,
            what=_text(failure.what, redactor),
            where=_text(failure.where, redactor),
            next_step=_text(failure.next_step, redactor),
        ),
    )


def _text(text: str, redactor: Redactor) -> str:
    return encodable(redactor.text(text))


def _model(model: M, redactor: Redactor) -> M:
    texts = {
        name: _value(getattr(model, name), redactor)
        for name, field in type(model).model_fields.items()
        if get_origin(field.annotation) is not Literal
    }
    return model.model_copy(update=texts)


def _value(value: Any, redactor: Redactor) -> Any:
    match value:
        case BaseModel():
            return _model(value, redactor)
        case Enum():
            return value
        case str():
            return _text(value, redactor)
        case Mapping():
            return {_text(str(key), redactor): _value(item, redactor) for key, item in value.items()}
        case tuple() | list():
            return type(value)(_value(item, redactor) for item in value)
        case _:
            return value
