"""A small evaluation with a known answer: a ranking rule is asked questions from a built-in dataset."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

PROMPT_VERSION = "answer-v3"
REQUIRED_METADATA = ("commit_sha", "prompt_version", "data_snapshot_id", "seed", "mode")

Metadata = dict[str, str | int]

_SAMPLE = 12


@dataclass(frozen=True)
class _Question:
    text: str
    right: str
    wrong: str
    weight: int


def _questions(topic: str, count: int) -> tuple[_Question, ...]:
    """Questions whose right answer shares words with them, except for every third, which misleads."""
    asked = []
    for number in range(count):
        text = f"how is {topic} {number} checked after a deploy"
        near, far = f"{topic} {number} is checked by its health page", "somebody looks at it later"
        asked.append(_Question(text, *((far, near) if number % 3 == 2 else (near, far)), number + 1))
    return tuple(asked)


DATASETS = {"golden-v1": _questions("service", 40), "golden-v2": _questions("queue", 25)}


class EvaluationInput(BaseModel):
    """What an evaluation is asked for; `label` is the caller's own name for it."""

    model_config = ConfigDict(extra="forbid")

    dataset: Literal["golden-v1", "golden-v2"] = "golden-v1"
    seed: int = 0
    mode: Literal["offline", "online"] = "offline"
    label: str = ""


def score(dataset: str, seed: int) -> float:
    """The weight of the right answers in a sample, 0 to 1; depends on nothing but the dataset and the seed."""
    sample = random.Random(seed).sample(DATASETS[dataset], _SAMPLE)  # noqa: S311  # must be repeatable
    right = sum(question.weight for question in sample if _answer(question) == question.right)
    return round(right / sum(question.weight for question in sample), 6)


def snapshot_id(dataset: str) -> str:
    """A name for the dataset's exact content."""
    content = json.dumps([vars(question) for question in DATASETS[dataset]], sort_keys=True)
    return f"{dataset}@{hashlib.sha256(content.encode()).hexdigest()[:12]}"


def run_metadata(asked: EvaluationInput, commit: str) -> Metadata:
    """What somebody needs to run the same evaluation again."""
    return {
        "commit_sha": commit,
        "prompt_version": PROMPT_VERSION,
        "data_snapshot_id": snapshot_id(asked.dataset),
        "seed": asked.seed,
        "mode": asked.mode,
    }


def missing_metadata(metadata: Metadata) -> list[str]:
    """The required keys that are absent or empty; a seed of 0 is neither."""
    return [key for key in REQUIRED_METADATA if metadata.get(key) in (None, "")]


def _answer(question: _Question) -> str:
    words = set(question.text.split())
    return max(sorted((question.right, question.wrong)), key=lambda candidate: len(words & set(candidate.split())))
