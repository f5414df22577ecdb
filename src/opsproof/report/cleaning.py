"""The last line of defence: every text of a run is redacted once more before any file is written."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from enum import Enum
from functools import cache, lru_cache
from typing import Any, Literal, TypeVar, get_origin

from pydantic import BaseModel

from opsproof.benchmark.facts import BenchmarkFact, Histogram
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
    return _model(run, _cleaner(redactor))


def clean_benchmark(fact: BenchmarkFact, redactor: Redactor) -> BenchmarkFact:
    """
    The same for a benchmark that no run of pytest asked for.

    Args:
        fact: The benchmark.
        redactor: Knows the secrets of its profile.
    """
    return _model(fact, _cleaner(redactor))


def clean_observations(observations: Iterable[Observation], redactor: Redactor) -> list[Observation]:
    """
    The observations with everything secret or personal masked, and every text fit for a file.

    Args:
        observations: The evidence of a run.
        redactor: Knows the secrets of all profiles of the run.
    """
    text = _cleaner(redactor)
    return [_observation(observation, text, redactor) for observation in observations]


def _cleaner(redactor: Redactor) -> Callable[[str], str]:
    """Names of checks, targets and questions come again and again; each is looked through once."""
    return lru_cache(4096)(lambda text: encodable(redactor.text(text)))


def _observation(observation: Observation, text: Callable[[str], str], redactor: Redactor) -> Observation:
    failure = observation.failure
    return replace(
        observation,
        id=text(observation.id),
        profile=text(observation.profile),
        target=text(observation.target),
        question=text(observation.question),
        by_hand=text(observation.by_hand),
        answer=_value(redactor.value(observation.answer), encodable),
        failure=failure
        and Failure(
            kind=failure.kind,
            what=text(failure.what),
            where=text(failure.where),
            next_step=text(failure.next_step),
        ),
    )


def _model(model: M, text: Callable[[str], str]) -> M:
    return model.model_copy(update={name: _value(getattr(model, name), text) for name in _free_fields(type(model))})


@cache
def _free_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """The fields that may hold any text."""
    return tuple(name for name, field in model.model_fields.items() if get_origin(field.annotation) is not Literal)


def _value(value: Any, text: Callable[[str], str]) -> Any:
    match value:
        case BaseModel():
            return _model(value, text)
        case Enum() | Histogram():
            return value
        case str():
            return text(value)
        case Mapping():
            return {text(str(key)): _value(item, text) for key, item in value.items()}
        case tuple() | list():
            return type(value)(_value(item, text) for item in value)
        case _:
            return value
