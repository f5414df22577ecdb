"""No secret reaches a file, whatever field it hides in (design, section 7)."""

import base64
import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from report_builders import a_bad_night, a_run, an_observation, an_outcome

from opsproof.evidence.observation import Observation
from opsproof.evidence.redaction import Redactor
from opsproof.report.cleaning import clean_observations, clean_run
from opsproof.report.folder import write_run

SECRET = "hunter2-Tr0ub4dor&3"


def planted(value: Any, secret: str) -> Any:
    """The same value with the secret in every text that a target or a check can fill."""
    match value:
        case BaseModel():
            texts = {
                name: planted(getattr(value, name), secret)
                for name, field in type(value).model_fields.items()
                if field.annotation is not None and "Literal" not in str(field.annotation)
            }
            return value.model_copy(update=texts)
        case str() if type(value) is str:
            return f"{value} {secret}"
        case tuple():
            return tuple(planted(item, secret) for item in value)
        case dict():
            return {planted(key, secret): planted(item, secret) for key, item in value.items()}
        case _:
            return value


def planted_observation(observation: Observation, secret: str) -> Observation:
    failure = observation.failure
    return replace(
        observation,
        **{name: planted(getattr(observation, name), secret) for name in ("id", "profile", "target")},
        question=f"GET /?token={secret}",
        by_hand=f"curl -H 'X-Key: {secret}'",
        answer=planted(observation.answer, secret),
        failure=failure and replace(failure, what=secret, where=secret, next_step=secret),
    )


def files_with(folder: Path, secret: str) -> list[str]:
    """Files that hold the secret, as it is or as URL, JSON or base64 would hold it; also in their name."""
    raw = secret.encode()
    forms = {
        raw,
        quote(secret, safe="").encode(),
        json.dumps(secret)[1:-1].encode(),
        base64.b64encode(raw).rstrip(b"="),
    }
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if secret in path.name or (path.is_file() and any(form in path.read_bytes() for form in forms))
    ]


def test_the_search_finds_what_is_planted(tmp_path: Path) -> None:
    """A search that finds nothing proves nothing: without the redactor every file holds the secret."""
    run, observations = a_bad_night()

    folder = write_run(
        planted(run, SECRET), [planted_observation(o, SECRET) for o in observations], tmp_path, Redactor()
    )

    found = files_with(folder, SECRET)
    assert {"run.json", "evidence.jsonl", "summary.md"} <= set(found)
    assert any(name.endswith("-result.json") for name in found)


@pytest.fixture(scope="module")
def without_plants(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run with nothing planted: its words are the report's own, `application/json` for one."""
    return write_run(*a_bad_night(), tmp_path_factory.mktemp("plain"), Redactor())


@settings(max_examples=25, deadline=None)
@given(
    secret=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), min_size=8, max_size=40)
)
def test_a_planted_secret_is_in_no_file(secret: str, without_plants: Path) -> None:
    """Every text of the run and of its evidence carries it; no file of the folder does."""
    assume(not files_with(without_plants, secret))
    run, observations = a_bad_night()
    reports = Path(tempfile.mkdtemp())
    try:
        folder = write_run(
            planted(run, secret), [planted_observation(o, secret) for o in observations], reports, Redactor([secret])
        )

        assert files_with(reports, secret) == []
        assert (folder / "summary.md").exists()
    finally:
        shutil.rmtree(reports)


FIELDS = [name for name, field in type(an_outcome()).model_fields.items() if field.annotation is str]


@pytest.mark.parametrize("field", FIELDS)
def test_each_text_of_an_outcome_is_masked(field: str) -> None:
    """A new field is covered the day it is added."""
    run = a_run([an_outcome()])
    leaking = run.model_copy(update={"outcomes": (run.outcomes[0].model_copy(update={field: f"<{SECRET}>"}),)})

    cleaned = clean_run(leaking, Redactor([SECRET]))

    assert getattr(cleaned.outcomes[0], field) == "<***>"


def test_a_secret_is_masked_in_an_answer_by_the_name_of_its_key() -> None:
    """A token nobody told us about is still a token."""
    observation = an_observation(answer={"headers": {"set-cookie": "sid=abc"}, "body": "fine"})

    assert clean_observations([observation], Redactor())[0].answer == {"headers": {"set-cookie": "***"}, "body": "fine"}


def test_cleaning_twice_changes_nothing_more() -> None:
    """Observations were redacted when they were made; the last line of defence must not garble them."""
    run, observations = a_bad_night()
    redactor = Redactor([SECRET])
    once = clean_run(planted(run, SECRET), redactor)

    assert clean_run(once, redactor) == once
    assert clean_observations(observations, redactor) == observations
