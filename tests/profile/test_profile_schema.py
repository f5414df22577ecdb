"""The JSON Schema that editors use."""

from pathlib import Path

import jsonschema
import pytest

from opsproof.profile import Profile, as_document
from opsproof.profile.models import Policy
from opsproof.profile.schema import file_schema, schema_text
from opsproof.profile.tree import plain
from opsproof.profile.yaml_source import read_yaml

PROFILES = Path(__file__).parents[2] / "profiles"
FILES = sorted(PROFILES.glob("*/*.yaml"))


def mistakes(document: object) -> list[str]:
    validator = jsonschema.Draft202012Validator(file_schema())
    return [error.json_path for error in validator.iter_errors(document)]


def test_the_schema_is_valid_itself() -> None:
    """Editors ignore a broken schema without a word."""
    jsonschema.Draft202012Validator.check_schema(file_schema())


def test_the_committed_schema_is_that_of_the_models() -> None:
    """After a change of the models: run `opsproof profile schema`."""
    assert (PROFILES / "schema.json").read_text(encoding="utf-8") == schema_text()


@pytest.mark.parametrize("file", FILES, ids=[f"{file.parent.name}/{file.stem}" for file in FILES])
def test_every_profile_file_is_valid_for_editors(file: Path) -> None:
    """No red lines in a file that opsproof takes; and the file names its schema."""
    tree, _ = read_yaml(file)

    assert mistakes(plain(tree, {})) == []
    assert file.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=../schema.json\n")


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"extends": "base.yaml", "environment": "staging"}, id="all-but-a-little-is-inherited"),
        pytest.param({"targets": {"api": {"timeout": "2s"}}}, id="a-part-of-a-target"),
        pytest.param({"targets": {"api": None}, "health": None}, id="null-removes"),
        pytest.param({"policy": {"writes": "${W}", "check_deadline": "${D:-5s}", "fail_on": "${F}"}}, id="references"),
        pytest.param({"rate_limit": {"limit": "file:limit"}}, id="a-file-for-a-number"),
        pytest.param({"policy": {"check_deadline": 5, "run_deadline": "5m"}}, id="durations"),
        pytest.param({"policy": {"require": ["api"]}}, id="require-as-list"),
        pytest.param({"policy": {"require": {"smoke": ["api"]}}}, id="require-by-marker"),
    ],
)
def test_the_schema_allows_what_a_file_may_hold(document: object) -> None:
    """A file is less than a profile: the rest is inherited, or comes from variables."""
    assert mistakes(document) == []


@pytest.mark.parametrize(
    ("document", "path"),
    [
        pytest.param({"healht": {}}, "$", id="unknown-key"),
        pytest.param({"health": {"livee": "/x"}}, "$.health", id="unknown-key-of-a-section"),
        pytest.param({"policy": {"check_deadline": "soon"}}, "$.policy", id="no-duration"),
        pytest.param({"policy": {"fail_on": "P1"}}, "$.policy", id="no-severity"),
        pytest.param({"targets": {"api": {"kind": "htp"}}}, "$.targets", id="unknown-kind"),
    ],
)
def test_the_schema_refuses_what_opsproof_refuses(document: object, path: str) -> None:
    """The editor shows it before the run does."""
    assert mistakes(document) == [path]


def test_the_schema_explains_the_keys() -> None:
    """Descriptions come from the models."""
    shown = file_schema()["$defs"]["Policy"]["properties"]["fail_on"]

    assert shown["description"] == Policy.model_fields["fail_on"].description
    assert shown["default"] == "SEV-2"


def test_a_resolved_profile_is_valid_for_the_schema() -> None:
    """What `opsproof profile show` prints can be the beginning of a new file."""
    profile = Profile.model_validate(
        {
            "system": "shop",
            "environment": "staging",
            "title": {"en": "Shop", "ko": "상점"},
            "targets": {"api": {"kind": "http", "url": "http://h", "auth": {"bearer": "t"}}},
            "core": [{"name": "x", "path": "/x"}],
        }
    )

    assert mistakes(as_document(profile)) == []
