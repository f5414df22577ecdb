"""The picture of a canary: what is known, what is not, and nothing that was not measured."""

import math
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from canary_builders import (
    a_canary,
    a_canary_with_a_hole,
    a_canary_with_little_traffic,
    a_canary_without_traffic,
    a_healthy_canary,
    a_refused_canary,
    a_sick_canary,
    an_interrupted_canary,
    bad,
    by_look,
    counted,
    sampled,
    the_baseline,
    timed,
)
from hypothesis import given, settings
from nasty_text import nasty_text

from opsproof.canary.facts import CanaryFact
from opsproof.judge.canary.rules import Answer
from opsproof.judge.canary.series import State
from opsproof.judge.limits import Lang
from opsproof.report.canaries.course import baseline_lines, canary_lines, gaps
from opsproof.report.canaries.picture import svg

ALL = (
    a_healthy_canary,
    a_sick_canary,
    a_canary_with_a_hole,
    a_canary_without_traffic,
    a_canary_with_little_traffic,
    a_refused_canary,
    an_interrupted_canary,
)
SVG = "{http://www.w3.org/2000/svg}"
ANSWERS = {
    "en": {"promote": "✔ PROMOTE", "rollback": "✘ ROLL BACK", "inconclusive": "? INCONCLUSIVE"},
    "ko": {"promote": "✔ 승격", "rollback": "✘ 롤백", "inconclusive": "? 판단 불가"},
}


def drawn(fact: CanaryFact, lang: Lang = "en") -> ET.Element:
    return ET.fromstring(svg(fact, lang))


def texts(picture: ET.Element) -> list[str]:
    return ["".join(element.itertext()) for element in picture.iter(f"{SVG}text")]


def of_class(picture: ET.Element, kind: str) -> list[ET.Element]:
    return [element for element in picture.iter() if element.get("class") == kind]


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
def test_the_answer_stands_there_in_words(make: Callable[[], CanaryFact], lang: Lang) -> None:
    """Whoever sees no colours reads the sign and the word; there is one for all and one for each criterion."""
    fact = make()
    picture = drawn(fact, lang)

    found = [text for text in texts(picture) if text in ANSWERS[lang].values()]
    each = [one.last.answer if one.last else Answer.INCONCLUSIVE for one in fact.criteria]
    assert found == [ANSWERS[lang][answer] for answer in (fact.answer, *each)]
    assert "nan" not in re.sub(r"<text.*?</text>", "", svg(fact, lang)).lower()


@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
def test_the_limit_is_inside_of_each_chart(make: Callable[[], CanaryFact]) -> None:
    """However far the canary is from it, and however little is known."""
    fact = make()
    lines = of_class(drawn(fact), "limit")

    assert len(lines) == sum(1 for one in fact.criteria if one.looks and one.share is not None)
    for line in lines:
        assert 40 <= float(line.get("y1", "nan")) < 40 + 132 - 3


def test_the_limit_is_inside_of_the_chart_of_a_canary_that_fails_always() -> None:
    """At a hundred times the limit it is near the bottom, and there."""
    fact = a_canary({"parse-failures": counted(100, 1.0)}, {})

    (line,) = of_class(drawn(fact), "limit")
    assert 40 <= float(line.get("y1", "nan")) < 40 + 132
    assert "limit 0.5 %" in texts(drawn(fact))


def test_what_was_not_measured_is_a_gap_and_not_zero() -> None:
    """Looks without data, a look that never happened, and a hole in the samples: each tears the line."""
    fact = a_canary_with_a_hole()
    errors, latency, _ = fact.criteria

    assert [[round(point.elapsed) for point in piece] for piece in canary_lines(fact, errors)] == [
        [5, 10, 15, 20],
        [35],
        [45],
        [50, 55, 60],
    ]
    assert next((gap.start, gap.end, gap.state) for gap in gaps(fact, errors)) == (20, 30, State.STALE)
    assert [(gap.start, gap.end, gap.state) for gap in gaps(fact, latency)] == [
        (20, 30, State.STALE),
        (35, 45, None),
    ]
    picture = drawn(fact)
    assert len(of_class(picture, "gap")) == sum(len(gaps(fact, one)) for one in fact.criteria)
    assert "▨ 20 s – 30 s data too old (stale), 35 s – 45 s no samples" in texts(picture)


def test_the_baseline_has_gaps_of_its_own() -> None:
    """A baseline without data is said, and its line torn; the canary's goes on."""
    sick = the_baseline() | {"error-rate": by_look(counted(900, 0.002), {(3, 4): bad(State.QUERY_ERROR, "HTTP 503")})}
    fact = a_canary({"error-rate": counted(100, 0.0017)}, sick)
    (errors,) = fact.criteria

    assert [len(piece) for piece in canary_lines(fact, errors)] == [12]
    assert [len(piece) for piece in baseline_lines(fact, errors)] == [2, 8]
    assert "▨ baseline: query failed (query_error): HTTP 503 (2/12)" in texts(drawn(fact))


def test_without_traffic_there_is_no_line_at_all() -> None:
    """Zero errors of zero requests is no number."""
    fact = a_canary_without_traffic()
    picture = drawn(fact)

    assert not of_class(picture, "canary")
    assert not of_class(picture, "bounds")
    assert len(of_class(picture, "baseline")) > 0
    assert "▨ 0 s – 60 s no data (empty)" in texts(picture)


@pytest.mark.parametrize(
    "state", [State.EMPTY, State.NAN, State.INF, State.STALE, State.QUERY_ERROR, State.SEVERAL_SERIES]
)
def test_each_state_of_the_data_is_named(state: State) -> None:
    """By the word that the profile uses for it."""
    fact = a_canary({"error-rate": by_look(counted(100, 0.0017), {(5,): bad(state)})}, the_baseline())

    assert any(f"({state})" in text and text.startswith("▨ 20 s – 25 s") for text in texts(drawn(fact)))
    assert any(f"({state})" in text and text.startswith("▨") for text in texts(drawn(fact, "ko")))


def test_numbers_that_are_none_are_not_drawn() -> None:
    """A look that calls NaN its estimate tears the line, and one with a number from data that can't be used."""
    fact = a_healthy_canary()
    errors = fact.criteria[0]
    stale = errors.looks[8].canary.model_copy(update={"state": State.STALE})
    changes: dict[int, dict[str, Any]] = {
        5: {"estimate": math.nan, "upper": math.inf},
        8: {"estimate": 0.0, "canary": stale},
    }
    looks = tuple(look.model_copy(update=changes.get(number, {})) for number, look in enumerate(errors.looks))
    broken = fact.model_copy(update={"criteria": (errors.model_copy(update={"looks": looks}),)})

    assert [len(piece) for piece in canary_lines(broken, broken.criteria[0])] == [5, 2, 3]
    points = " ".join(element.get("points", "") for element in drawn(broken).iter())
    assert "nan" not in points
    assert "inf" not in points


def test_an_early_end_is_told_apart_from_the_planned_one() -> None:
    """The axis reaches to where the watch would have ended."""
    found = texts(drawn(a_sick_canary()))

    assert "ended 10 s" in found
    assert "planned end" in found
    assert "60 s" in found
    assert "ended 10 s" not in texts(drawn(a_healthy_canary()))


def test_a_refused_canary_is_told_with_the_fix() -> None:
    """There is nothing to draw, and all the more to say."""
    picture = drawn(a_refused_canary())

    assert not of_class(picture, "limit")
    assert "give it an edge at 2.5" in " ".join(texts(picture))


def test_latency_is_drawn_as_the_share_that_is_judged() -> None:
    """And the quantile stands beside it."""
    found = texts(drawn(a_healthy_canary()))

    assert "share slower than 2.5 s" in found
    assert "limit 5 %" in found
    assert any("p95 1.93 s" in text for text in found)
    assert any("p95 < 2.5 s" in text for text in found)


def test_a_number_is_drawn_as_the_share_beyond_its_limit() -> None:
    """Where less is worse, below it; its median stands beside it, in its unit."""
    found = texts(drawn(a_canary({"throughput": sampled(950, 880, 990, 1000)}, {})))

    assert "share below 900 req/s" in found
    assert "limit 50 %" in found
    assert any("median > 900 req/s" in text for text in found)
    assert any(re.search(r"median 9\d\d req/s\]", text) for text in found)


def test_a_number_without_a_limit_is_drawn_in_its_unit() -> None:
    """Against the baseline; there is no limit to draw, and no bounds of a share."""
    tokens = {"tokens": sampled(410, 402, 431, 395)}
    picture = drawn(a_canary(tokens, {"tokens": sampled(405, 420, 398, 412)}))

    assert "median (tok)" in texts(picture)
    assert any(re.fullmatch(r"canary 4\d\d tok", text) for text in texts(picture))
    assert not of_class(picture, "limit")
    assert not of_class(picture, "bounds")


def test_numbers_above_the_scale_are_said_and_not_drawn_at_its_top() -> None:
    """Of the first requests half failed, by chance: that must not press all else into a line."""
    fact = a_canary({"parse-failures": counted(100, 0)}, {})
    errors = fact.criteria[0]
    looks = (errors.looks[0].model_copy(update={"estimate": 0.5}), *errors.looks[1:])
    picture = drawn(fact.model_copy(update={"criteria": (errors.model_copy(update={"looks": looks}),)}))

    assert "off the scale: 50 %" in texts(picture)
    places = [float(element.get("cy", "nan")) for element in picture.iter(f"{SVG}circle")]
    assert [place < 40 for place in places] == [True] + [False] * 11


def test_bounds_beyond_the_scale_are_said() -> None:
    """30 requests say nothing about 0.5 %: the band is as high as the chart, and the number beside it."""
    assert "↑ up to 9.5 %" in texts(drawn(a_canary_with_little_traffic()))


@settings(max_examples=60, deadline=None)
@given(nasty_text)
def test_titles_are_text_whatever_they_hold(title: str) -> None:
    """Profiles and targets never draw."""
    data = {"latency-p95": timed(100, 0.01), "tokens": sampled(410.0)}
    fact = a_canary(data, {}, looks=2, profile=title or "x", notes=(title,))
    changes = {"title": {"en": title}, "unit": title, "tolerance": title}
    criteria = tuple(one.model_copy(update=changes) for one in fact.criteria)

    picture = drawn(fact.model_copy(update={"criteria": criteria}))

    names = {element.tag.removeprefix(SVG) for element in picture.iter()}
    assert names <= {
        *("svg", "title", "defs", "pattern", "rect", "text", "tspan", "g", "clipPath"),
        *("line", "path", "polyline", "polygon", "circle"),
    }
