"""The timeline adds up, and what no phase explains is seen."""

from xml.etree import ElementTree

import pytest
from rehearsal_builders import a_failed_rehearsal, a_rehearsal, an_aborted_rehearsal, at, outcomes
from wcwidth import wcswidth

from opsproof.judge.limits import Lang
from opsproof.rehearsal.facts import Moments, PhaseFact, Proof, RehearsalFact
from opsproof.report.rehearsals.course import course
from opsproof.report.rehearsals.picture import svg, text_picture
from opsproof.report.rehearsals.words import took

EVIL = "<script>alert(1)</script>\x1b[31m"


def phase(name: str, seconds: float | None, budget: float | None = None) -> PhaseFact:
    proof = Proof.NOT_PROVEN if seconds is None else Proof.PROVEN
    return PhaseFact(name=name, budget=budget, seconds=seconds, proof=proof)


def test_phases_stand_one_after_the_other_and_the_rest_is_unexplained() -> None:
    """Ten minutes that belong to nobody are the ones to ask about."""
    fact = a_rehearsal(
        phases=(phase("database", 60.0), phase("service", 30.0), phase("unexplained", 10.0)),
        steps=(),
        moments=Moments(t0=at(0), t4=at(100)),
    )

    found = course(fact, ())

    assert [(bar.name, bar.start, bar.seconds) for bar in found.bars] == [
        ("database", 0.0, 60.0),
        ("service", 60.0, 30.0),
        ("", 90.0, 10.0),
    ]
    assert found.unexplained == pytest.approx(10.0)
    assert found.length == 100.0


def test_a_phase_begins_with_the_first_check_of_its_steps() -> None:
    """A gap between two phases is not at the end of the line."""
    found = course(a_rehearsal(), outcomes())

    assert [bar.name for bar in found.bars][:4] == ["declare", "verify", "", "database"]
    assert next(bar.start for bar in found.bars if bar.name == "database") == pytest.approx(4.2)


def test_a_phase_that_was_not_gone_through_has_no_bar() -> None:
    """Not even one of no width: it would look as if it had taken no time."""
    found = course(an_aborted_rehearsal(), ())

    assert {bar.name for bar in found.bars if bar.start is None} == {"database", "service", "data", "business"}


def test_without_t0_nothing_is_unexplained_and_nothing_is_known() -> None:
    """None is not zero; so it is where no stopwatch says it."""
    assert course(a_rehearsal(phases=()), ()).unexplained is None
    assert course(a_rehearsal(moments=Moments()), ()).unexplained is None


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize(
    "fact", [a_rehearsal(), a_failed_rehearsal(), an_aborted_rehearsal()], ids=["ok", "bad", "cut"]
)
def test_the_picture_tells_each_phase_with_its_time_and_budget(fact: RehearsalFact, lang: Lang) -> None:
    """In the SVG and in the text, for who has only a terminal."""
    found = course(fact, outcomes())
    drawn, lines = svg(found, lang), text_picture(found, lang)
    texts = [node.text or "" for node in ElementTree.fromstring(drawn).iter() if node.tag.endswith("text")]

    for one in fact.phases:
        if one.seconds is not None and one.name != "unexplained":
            assert any(took(one.seconds, lang) in text for text in texts)
            assert any(took(one.seconds, lang) in line for line in lines)
    assert set(found.moments) <= set(texts)
    assert max(map(wcswidth, lines)) <= 100


def test_names_in_the_picture_are_text() -> None:
    """A profile's phase name stands in an SVG, where markup would act."""
    found = course(a_rehearsal(phases=(phase(EVIL, 5.0),), steps=()), ())

    assert "<script" not in svg(found, "en")
    assert "\x1b" not in svg(found, "en") + "".join(text_picture(found, "en"))


@pytest.mark.parametrize(
    ("seconds", "english", "korean"),
    [
        (0.0, "0 s", "0초"),
        (0.0004, "0.4 ms", "0.4ms"),
        (0.9999, "1 s", "1초"),
        (17.05, "17.05 s", "17.05초"),
        (119.996, "2 min", "2분"),
        (14400.4, "4 h 0.4 s", "4시간 0.4초"),
        (92 * 86400.0, "92 d", "92일"),
        (-1.5, "-1.5 s", "-1.5초"),
    ],
)
def test_a_time_never_loses_what_decides(seconds: float, english: str, korean: str) -> None:
    """4 h 0.4 s is over a limit of 4 h, and 0.4 ms was measured."""
    assert (took(seconds, "en"), took(seconds, "ko")) == (english, korean)
