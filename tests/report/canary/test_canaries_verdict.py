"""verdict.json: what a deployer acts on."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from canary_builders import (
    a_canary,
    a_canary_run,
    a_canary_with_a_hole,
    a_canary_with_little_traffic,
    a_canary_without_traffic,
    a_healthy_canary,
    a_refused_canary,
    a_sick_canary,
    an_interrupted_canary,
    counted,
)
from report_builders import a_run, an_outcome

from opsproof.canary.facts import CanaryFact
from opsproof.evidence.redaction import Redactor
from opsproof.report.folder import read_run, write_run
from opsproof.report.schema import run_schema, verdict_schema

ALL = (
    a_healthy_canary,
    a_sick_canary,
    a_canary_with_a_hole,
    a_canary_without_traffic,
    a_canary_with_little_traffic,
    a_refused_canary,
    an_interrupted_canary,
)


def strict(text: str) -> Any:
    """JSON as the standard has it: no bare NaN."""

    def refuse(word: str) -> None:
        raise ValueError(word)

    return json.loads(text, parse_constant=refuse)


def written(folder: Path, *facts: CanaryFact, **changes: Any) -> tuple[Path, Any]:
    path = write_run(a_canary_run(*facts, **changes), [], folder, Redactor())
    return path, strict((path / "verdict.json").read_text("utf-8"))


@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
def test_it_is_valid_and_follows_the_published_schema(make: Callable[[], CanaryFact], tmp_path: Path) -> None:
    """Other programs rely on docs/verdict.schema.json; run.json has the same numbers."""
    folder, verdict = written(tmp_path, make())

    jsonschema.Draft202012Validator(json.loads(verdict_schema())).validate(verdict)
    run = strict((folder / "run.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(json.loads(run_schema())).validate(run)


def test_numbers_that_are_not_finite_are_valid_json(tmp_path: Path) -> None:
    """The last edge of a histogram is always infinite, and a share of nothing is none."""
    fact = a_healthy_canary()
    look = fact.criteria[0].looks[0]
    broken = look.model_copy(update={"estimate": float("nan"), "upper": float("inf")})
    criteria = (fact.criteria[0].model_copy(update={"looks": (broken,)}), *fact.criteria[1:])

    folder, verdict = written(tmp_path, fact.model_copy(update={"criteria": criteria}))

    jsonschema.Draft202012Validator(json.loads(verdict_schema())).validate(verdict)
    first, latency, _ = verdict["canaries"][0]["criteria"]
    assert (first["estimate"], first["upper"]) == ("NaN", "Infinity")
    assert latency["looks"][0]["canary"]["edges"][-1] == "Infinity"
    assert read_run(folder).canaries[0].criteria[1] == fact.criteria[1]


def test_the_published_schema_is_the_one_of_the_model() -> None:
    """It is made by `python -m opsproof.report.schema docs/verdict.schema.json`."""
    published = Path(__file__).parents[3] / "docs" / "verdict.schema.json"

    assert published.read_text("utf-8") == verdict_schema()


def test_a_deployer_reads_the_answer_on_top(tmp_path: Path) -> None:
    """`jq -r .answer`; the exit status is the one of the run."""
    _, verdict = written(tmp_path, a_sick_canary())

    assert verdict["answer"] == "rollback"
    assert verdict["exit_status"] == 1
    assert verdict["reasons"][0]["en"].startswith("error-rate: surely worse than the baseline: 5 % against 0.167 %")
    assert verdict["reasons"][0]["ko"].startswith("error-rate: 기준 트랙보다 나쁨이 확실")
    canary = verdict["canaries"][0]
    assert canary["versions"] == {"canary": "2.1.0", "baseline": "2.0.4"}
    errors = canary["criteria"][0]
    assert (errors["answer"], errors["state"], errors["requests"]) == ("rollback", "violation", 120)
    assert len(errors["looks"]) == 2
    assert errors["looks"][1]["canary"]["failed"] == 6
    assert errors["looks"][1]["reason"]["en"] == errors["reason"]["en"]
    assert errors["lower"] == errors["looks"][1]["lower"]


def test_what_is_missing_is_a_number(tmp_path: Path) -> None:
    """So that a deployer can wait for so many requests."""
    _, verdict = written(tmp_path, a_canary_with_little_traffic())

    assert (verdict["answer"], verdict["exit_status"]) == ("inconclusive", 6)
    assert [one["more_needed"] for one in verdict["canaries"][0]["criteria"]] == [269, 568]


@pytest.mark.parametrize(
    ("facts", "answer", "status"),
    [
        ((a_healthy_canary, a_healthy_canary), "promote", 0),
        ((a_healthy_canary, a_canary_without_traffic), "inconclusive", 6),
        ((a_canary_without_traffic, a_sick_canary, a_healthy_canary), "rollback", 1),
    ],
    ids=["all good", "one open", "one bad"],
)
def test_of_several_canaries_the_gravest_counts(
    facts: tuple[Callable[..., CanaryFact], ...], answer: str, status: int, tmp_path: Path
) -> None:
    """One answer on top, and each of them in the list, with a picture of its own."""
    made = [make(profile=f"factory-ai/{number}") for number, make in enumerate(facts)]

    folder, verdict = written(tmp_path, *made)

    assert (verdict["answer"], verdict["exit_status"]) == (answer, status)
    assert [canary["profile"] for canary in verdict["canaries"]] == [fact.profile for fact in made]
    pictures = sorted(path.name for path in folder.glob("canary*.svg"))
    assert len(pictures) == len(made)
    assert "factory-ai/1" in (folder / "canary-2.svg").read_text("utf-8")


def test_a_criterion_that_was_never_looked_at_never_promotes(tmp_path: Path) -> None:
    """A refused watch has an answer, too."""
    _, verdict = written(tmp_path, a_refused_canary())

    errors = verdict["canaries"][0]["criteria"][0]
    assert (verdict["answer"], errors["answer"], errors["state"]) == ("inconclusive", "inconclusive", None)
    assert errors["reason"]["ko"] == "한 번도 판정되지 않음"
    assert verdict["canaries"][0]["refused"][0].startswith("latency-p95: the limit 2.5 s is above")


def test_without_a_canary_there_is_no_verdict(tmp_path: Path) -> None:
    """A deployer that finds none must not take an old one."""
    folder = write_run(a_run([an_outcome()]), [], tmp_path, Redactor())

    assert not (folder / "verdict.json").exists()
    assert not [*folder.glob("*.svg")]


def test_secrets_reach_neither_verdict_nor_picture(tmp_path: Path) -> None:
    """Queries and reasons come from people and targets."""
    fact = a_canary({"error-rate": counted(10, 0)}, {}, notes=("token hunter2-Tr0ub4dor",))
    folder = write_run(a_canary_run(fact), [], tmp_path, Redactor(["hunter2-Tr0ub4dor"]))

    found = [path for path in folder.rglob("*") if path.is_file() and b"hunter2-Tr0ub4dor" in path.read_bytes()]
    assert found == []
    assert (folder / "verdict.json").exists()
    assert (folder / "canary.svg").exists()
