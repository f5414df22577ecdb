"""What an indicator of a profile may say: units, limits, placeholders, texts."""

from typing import Any

import pytest
from pydantic import ValidationError

from opsproof.profile.indicators import Indicator
from opsproof.profile.numbers import ObjectsNumber, RedisNumber
from opsproof.profile.text import Text

TEXT = {"en": "A title.", "ko": "제목."}


def indicator(**given: Any) -> Indicator:
    """An indicator with what every one has."""
    return Indicator.model_validate({"title": TEXT, "next_step": TEXT, "promql": "sum(up)", **given})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param({"unit": "GB", "ok": "<= 80 GB"}, "`ok` .* write `unit: bytes`", id="size"),
        pytest.param({"unit": "%", "ok": "< 1 %", "p0": "> 5"}, "`p0` .* write `> 5 %`", id="share"),
        pytest.param({"p0": "> 20", "p1": "> 40"}, "`p1` could never hold", id="inside"),
        pytest.param({"p0": "> 20", "p2": "> 20.0"}, "`p2` could never hold", id="equal"),
        pytest.param({"ok": "< 1,5"}, "decimals behind a point: 1.5", id="comma"),
        pytest.param({"empty": "nan"}, "finite number", id="nan"),
        pytest.param({"empty": float("inf")}, "finite number", id="infinite"),
    ],
)
def test_limits_that_cannot_judge_the_number_are_refused(given: dict[str, Any], words: str) -> None:
    """Each of them was accepted and passed, or could never be heard."""
    with pytest.raises(ValidationError, match=words):
        indicator(**given)


def test_limits_of_growing_urgency_are_taken() -> None:
    """The runbooks' own form."""
    assert list(indicator(ok="< 1000", p1="> 5000", p2="> 2000").limits) == ["P1", "P2"]


@pytest.mark.parametrize("name", ["a:{today.nosuch}", "a:{tomorow}", "a:{today!r}", "a:{", "a}", "{0}", "{today:{x}}"])
def test_a_placeholder_that_nobody_fills_in_is_refused(name: str) -> None:
    """It died in the middle of a run, or was looked for as it stands."""
    for build in (lambda: RedisNumber(get=name), lambda: ObjectsNumber(prefix=name, of="count")):
        with pytest.raises(ValidationError, match=r"no placeholder but \{today\}"):
            build()


@pytest.mark.parametrize("name", ["a:{today}", "a:{today:%Y%m%d}", "a", "{{shard}}:a"])
def test_the_placeholders_of_the_documentation_are_taken(name: str) -> None:
    """And braces, where they are written twice."""
    assert RedisNumber(llen=name).llen == name


@pytest.mark.parametrize("empty", ["", " "])
def test_a_text_is_written_in_both_languages(empty: str) -> None:
    """The operator on duty reads one of them."""
    for language in TEXT:
        with pytest.raises(ValidationError, match="not an empty one"):
            Text.model_validate({**TEXT, language: empty})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param({"normal": {}}, "expected `at_most` .* `at_least`, or both", id="nothing"),
        pytest.param({"normal": {"offset": "7d"}}, "expected `at_most`", id="only-when"),
        pytest.param({"normal": {"at_most": 0.5}}, "greater than or equal to 1", id="the-reference-too-high"),
        pytest.param({"normal": {"at_least": 1.5}}, "less than or equal to 1", id="the-reference-too-low"),
        pytest.param({"normal": {"at_least": 0.5, "above": 3}}, "`above`, which belongs to `at_most`", id="above"),
        pytest.param({"normal": {"at_most": 2, "offset": 0}}, "greater than 0", id="now"),
        pytest.param(
            {"promql": None, "sql": "SELECT 1", "normal": {"at_most": 2, "offset": "7d"}},
            "only Prometheus knows an earlier number; with `sql` leave it out, and give --baseline RUN",
            id="no-history",
        ),
    ],
)
def test_a_normal_that_cannot_be_told_is_refused(given: dict[str, Any], words: str) -> None:
    """A factor below 1 would call the reference itself too high; a database does not know what it held last week."""
    with pytest.raises(ValidationError, match=words):
        indicator(**given)
