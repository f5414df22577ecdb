"""What keeps a benchmark from being believed: each doubt by its own number, and what it leaves standing."""

from dataclasses import replace

import pytest
from bench_parts import gate, load

from opsproof.judge.benchmark.decision import decide
from opsproof.judge.benchmark.gates import Judgement
from opsproof.judge.benchmark.trust import Generator, believed, distorted, doubts, late_by, pace_of, users_needed
from opsproof.judge.verdict import Word

LOAD = load(gate("p95", "<= 400 ms"))
GOOD = Generator(
    planned=1000,
    begun=1000,
    begun_in_time=1000,
    begun_judged=900,
    late=0,
    busy=0,
    requests=1000,
    judged=900,
    looks=200,
    held_up=0,
    longest_lag=0.01,
    cpu=0.3,
    users=80,
    requests_per_arrival=1.0,
    thinking=0.0,
    user_errors={},
    gone=0,
    idle={},
    selected="",
    workers=2,
    missing=0,
    lost=(),
    ran=10.0,
)
DISTORTS = [
    ({"begun": 0}, "not one arrival was begun (1,000 were planned)"),
    ({"judged": 0}, "not one request was made after the warm-up, though 1,000 arrivals were begun"),
    ({"late": 10}, "the generator itself sent 1.11 % of the arrivals more than 40 ms late"),
    ({"held_up": 3, "longest_lag": 1.2}, "held up for more than 40 ms in 1.5 % of the looks, 1,200 ms at worst"),
    ({"cpu": 0.91}, "used 91 % of a core over five seconds, where 90 % may be"),
    ({"begun": 949}, "51 of 1,000 arrivals were never begun (5.1 %)"),
    ({"gone": 3}, "3 of 80 users ended while arrivals still came"),
    ({"users": 39, "busy": 10}, "all 39 users were busy when 1.11 % of the arrivals were due; 40 would be needed"),
]
LACKS = [
    ({"lost": ("vm_1",)}, "1 of 2 workers were lost: vm_1"),
    ({"missing": 1}, "1 of 2 workers never began"),
    (
        {"user_errors": {"KeyError: 'id'": 2, "TypeError": 1}},
        "users raised 3 errors outside of a request, such as KeyError",
    ),
    ({"begun": 949, "busy": 900}, "51 of 1,000 arrivals were never begun (5.1 %)"),
    (
        {"idle": {"there is no item": 40, "else": 6}},
        "46 tasks (5.11 %) did not do what they are for, most of them because",
    ),
    ({"selected": "--tags read"}, "only a part of the tasks took part (--tags read)"),
    ({"ran": 9.5}, "it was ended after 10 s of 10 s"),
    ({"ran": 3.0}, "it was ended after 3 s of 10 s"),
    ({"stopped_by_limit": True}, "it ended at 1,000 requests, the profile's most_requests"),
    ({"down": True, "ran": 7.0}, "the target answered nothing well any more, and it was ended after 7 s of 10 s"),
]
JUST_BELOW = [
    {"late": 9},
    {"held_up": 2},
    {"held_up": 2, "looks": 50},
    {"cpu": 0.9},
    {"users": 39, "busy": 9},
    {"users": 40, "busy": 900},
    {"begun": 950},
    {"idle": {"there is no item": 45}},
    {"ran": 9.6},
    {"sure": True, "ran": 3.0},
]


def judgement(answer: Word) -> Judgement:
    return Judgement("g0", answer, {"en": "seen", "ko": "봄"})


def test_a_good_generator_is_believed():
    assert doubts(LOAD, GOOD) == ()
    assert not distorted(LOAD, GOOD)


@pytest.mark.parametrize(("change", "text"), DISTORTS)
def test_what_may_be_the_generators_own_makes_times_unknown(change, text):
    found = doubts(LOAD, replace(GOOD, **change))

    assert [text in doubt.words["en"] for doubt in found] == [True]
    for answer in (Word.PASS, Word.FAIL):
        assert believed(judgement(answer), found, by_answers=False).answer is Word.INCONCLUSIVE
    assert believed(judgement(Word.FAIL), found, by_answers=True).answer is Word.FAIL
    assert believed(judgement(Word.PASS), found, by_answers=True).answer is Word.INCONCLUSIVE


@pytest.mark.parametrize(("change", "text"), LACKS)
def test_load_that_was_not_sent_keeps_from_passing_alone(change, text):
    found = doubts(LOAD, replace(GOOD, **change))

    assert [text in doubt.words["en"] for doubt in found] == [True]
    assert believed(judgement(Word.FAIL), found, by_answers=False).answer is Word.FAIL
    unknown = believed(judgement(Word.PASS), found, by_answers=False)
    assert unknown.answer is Word.INCONCLUSIVE
    assert unknown.reason["en"] == f"seen; but {found[0].words['en']}"
    assert decide([judgement(Word.PASS)], found).exit_status == 6
    assert decide([judgement(Word.FAIL)], found).exit_status == 1


@pytest.mark.parametrize("change", JUST_BELOW)
def test_a_little_of_it_is_no_doubt(change):
    assert doubts(LOAD, replace(GOOD, **change)) == ()


def test_what_distorts_is_told_first():
    found = doubts(LOAD, replace(GOOD, lost=("vm_1",), cpu=1.0))

    assert [doubt.distorts for doubt in found] == [True, False]


@pytest.mark.parametrize(("limit", "late"), [("<= 400 ms", 0.04), ("<= 2.5 s", 0.25), ("<= 20 ms", 0.01)])
def test_late_is_a_tenth_of_the_shortest_limit(limit, late):
    assert late_by(load(gate("p95", limit), gate("p99", "<= 9 s"))) == pytest.approx(late)


def test_users_needed_are_those_of_the_tasks():
    """100/s, three requests of 400 ms each and two seconds of thinking."""
    assert users_needed(LOAD, GOOD) == 40
    assert users_needed(LOAD, replace(GOOD, requests_per_arrival=3.0, thinking=2.0)) == 320


@pytest.mark.parametrize(
    ("change", "by_target"),
    [({"busy": 50}, True), ({"busy": 0}, False), ({"busy": 50, "users": 39}, False), ({"busy": 50, "cpu": 1.0}, False)],
)
def test_the_target_kept_arrivals_waiting_only_if_nothing_else_did(change, by_target):
    assert pace_of(LOAD, replace(GOOD, begun_in_time=500, **change)).by_target is by_target
