"""docs/canary.md: what people write into a profile by it, and what it says of states and statuses."""

import re
from pathlib import Path

import pytest
import yaml

from opsproof.judge.canary.rules import EXIT_STATUS, Answer
from opsproof.judge.canary.series import State
from opsproof.plugin.options import HELP
from opsproof.plugin.windows.plan import HELP as WINDOW_HELP
from opsproof.profile.canary import Canary, Criterion

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "canary.md").read_text(encoding="utf-8")
PROFILE, SCRAPED = (
    yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
)


@pytest.mark.parametrize(("head", "model"), [("canary.", Canary), ("criteria.NAME.", Criterion)])
def test_every_key_of_the_profile_is_told(head: str, model: type[Canary] | type[Criterion]) -> None:
    """A key that is not told is not used; one that is gone ends the run with status 4."""
    table = PAGE.partition(f"| `{head}` |")[2].partition("\n\n")[0]
    told = {key for cell in re.findall(r"^\| (.*?) \|", table, re.MULTILINE) for key in re.findall(r"`(\w+)", cell)}

    assert told == set(model.model_fields)


@pytest.mark.parametrize(
    "field", ["interval", "begin_within", "failure_limit", "consecutive_errors", "confidence", "false_rollback"]
)
def test_defaults_are_those_of_the_code(field: str) -> None:
    (told,) = re.findall(rf"^\| `{field}` \| (\S+) \|", PAGE, re.MULTILINE)

    assert float(told.removesuffix("s")) == Canary.model_fields[field].default


def test_the_examples_are_profiles() -> None:
    canary = Canary.model_validate(PROFILE["canary"])
    canary.take_success_criteria({"error_rate_max": 0.01, "latency_p95_max_ms": 2500, "duration_minutes": 20})

    assert PROFILE["canary_success_criteria"] == {
        "error_rate_max": 0.01,
        "latency_p95_max_ms": 2500,
        "llm_parsing_failure_rate_max": 0.005,
        "duration_minutes": 20,
    }
    assert {limit.bounds[0] for one in canary.criteria.values() if (limit := canary.limit_of(one))} == {0.01, 2.5}
    criteria = {"error-rate": PROFILE["canary"]["criteria"]["error-rate"]}
    scraped = Canary.model_validate({**SCRAPED["canary"], "criteria": criteria})
    assert {name for names in scraped.scrape.values() for name in names} == set(SCRAPED["targets"])


def test_every_state_and_every_answer_is_told() -> None:
    states = PAGE.partition("| state |")[2].partition("\n\n")[0]
    words = {"promote": Answer.PROMOTE, "roll back": Answer.ROLLBACK, "inconclusive": Answer.INCONCLUSIVE}

    assert set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (.*?) \|", states, re.MULTILINE)))) == set(State)
    for word, answer in words.items():
        assert f"| {word} | {EXIT_STATUS[answer]} |" in PAGE


def test_every_option_and_every_link_exists() -> None:
    commands = " ".join(line for line in PAGE.splitlines() if line.startswith("    pytest"))

    assert {*re.findall(r"--([a-z-]+)", commands)} <= {*HELP, *WINDOW_HELP}
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", PAGE):
        assert (DOCS / link).exists(), link
