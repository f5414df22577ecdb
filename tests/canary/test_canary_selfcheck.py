"""A question that cannot go red is refused before the watch, with the fix."""

import asyncio
import math
import time

import pytest
from canary_watched import PROFILES

from opsproof.canary.data import Looking
from opsproof.canary.facts import Data
from opsproof.canary.history import History
from opsproof.canary.judged import judged, whole
from opsproof.canary.plan import plan_of, rules_of
from opsproof.canary.selfcheck import Refusals
from opsproof.canary.watch import CanaryWatch
from opsproof.errors import BadAnswer
from opsproof.judge.canary.series import Series, State
from opsproof.profile.canary import Canary, success_limits
from opsproof.profile.loading import load_profile

OF, OVER = 'http_requests_total{status=~"5.."}', "http_requests_total"
SCRAPE = 5.0


class Samples:
    """What a metrics server would hold: series by track and suffix, scraped every five seconds until now."""

    def __init__(self, **series):
        self.series = series
        self.failing = ""

    async def look(self):
        """Nothing is read for all."""

    async def skew(self):
        return 0.0

    async def history(self, track, selector, suffix, since):
        if self.failing:
            raise BadAnswer(self.failing, where="here", next_step="mend it")
        history, now = History(), time.time()
        for labels, values in self.series.get(f"{track}{suffix}", ()):
            if selector == OF and labels.get("status") != "500":
                continue
            points = [(now - SCRAPE * age, value) for age, value in zip(range(len(values))[::-1], values, strict=True)]
            history.add([Series(labels, points)], now)
        return history

    async def missing(self, track, selector, suffix):
        return f"there is no metric {selector}"


def canary(begin_within="60s", **criterion):
    said = {
        "title": {"en": "Errors", "ko": "오류"},
        "runbook": ["FAI-055"],
        "next_step": {"en": "Mend.", "ko": "고친다."},
    }
    made = Canary.model_validate(
        {
            "canary": {"track": "canary"},
            "baseline": {"track": "stable"},
            "duration": "120s",
            "interval": "10s",
            "begin_within": begin_within,
            "criteria": {"errors": {**said, **criterion}},
        }
    )
    made.take_success_criteria({})
    return made


RATIO = {"ratio": {"of": OF, "over": OVER}, "limit": "< 1 %"}
RISING = [({"pod": "c", "status": "200"}, [0, 10, 20, 30, 40]), ({"pod": "c", "status": "500"}, [0, 0, 0, 0, 0])]
STABLE = [({"pod": "s", "status": "200"}, [0, 10, 20, 30, 40])]


def refused(samples, made, seen=None):
    """What is refused, and what was seen of the canary."""
    looking = Looking(made.criteria["errors"], samples, time.time() - 4 * SCRAPE, made)

    looking.knows_scrape = True  # fifteen seconds, unless it was looked at

    async def ask():
        found = seen or {"canary": await looking.at("canary")}
        if looking.compares and seen is None:
            found["baseline"] = await looking.at("baseline")
        return Refusals(made, rules_of(made)).of(looking, found), found

    return asyncio.run(ask())


def test_questions_that_can_tell_are_not_refused():
    """Traffic, one pod of its own, and a label for errors that nobody has used yet."""
    (wrong, notes), seen = refused(Samples(canary=RISING[:1], baseline=STABLE), canary(**RATIO, worse={"ratio": 2}))

    assert wrong == notes == []
    assert seen["canary"].total == 40
    assert seen["canary"].failed == 0


def test_a_denominator_that_stands_still_is_refused():
    """Nobody asks the canary."""
    still = [({"pod": "c", "status": "200"}, [7] * 40)]
    (wrong, _), seen = refused(Samples(canary=still), canary(**RATIO))

    assert seen["canary"].state in (State.EMPTY, State.STALE)
    assert "send it traffic" in wrong[0]


def test_a_metric_of_another_name_is_refused():
    """And the words name it."""
    (wrong, _), _ = refused(Samples(), canary(**RATIO))

    assert "there is no metric http_requests_total" in wrong[0]


def test_labels_that_match_both_tracks_are_refused():
    """The canary would be held against itself."""
    (wrong, _), _ = refused(Samples(canary=RISING, baseline=RISING), canary(**RATIO, worse={"ratio": 2}))

    assert "match the same series" in wrong[0]


def test_a_pod_on_both_tracks_is_refused():
    """Labels that were mixed up: what is counted for the canary may be the baseline's."""
    both = [({"pod": "s", "status": "200", "track": "canary"}, [0, 10, 20, 30, 40])]
    theirs = [({"pod": "s", "status": "200", "track": "stable"}, [0, 10, 20, 30, 40])]
    (wrong, _), _ = refused(Samples(canary=RISING + both, baseline=theirs), canary(**RATIO, worse={"ratio": 2}))

    assert "s is on both tracks" in wrong[0]


def test_labels_that_match_both_tracks_are_refused_without_a_comparison_too():
    """The failures of one pod would be lost among the baseline's requests."""
    (wrong, _), _ = refused(Samples(canary=RISING, baseline=RISING), canary(**RATIO))

    assert "match the same series" in wrong[0]


def test_a_label_that_nobody_has_is_refused():
    """`status` is called `code` by now: nothing would ever fail."""
    renamed = [({"pod": "c", "code": "500"}, [0, 10, 20, 30, 40])]
    (wrong, _), seen = refused(Samples(canary=renamed), canary(**RATIO))

    assert seen["canary"].state is State.EMPTY
    assert "no series has a label status; there are code, pod" in wrong[0]


def test_failures_that_are_called_otherwise_are_missed_by_what_the_baseline_has():
    """`status` is a word by now, and `of` looks for three digits; where it finds some, it counts them."""
    words = [({"pod": "c", "status": "server_error"}, [0, 10, 20, 30, 40])]
    (wrong, _), _ = refused(Samples(canary=words, baseline=STABLE), canary(**RATIO))
    assert "status is server_error, on the baseline 200" in wrong[0]

    only_failures = [({"pod": "c", "status": "500"}, [0, 10, 20, 30, 40])]
    (wrong, _), seen = refused(Samples(canary=only_failures, baseline=STABLE), canary(**RATIO))
    assert wrong == []
    assert seen["canary"].failed == seen["canary"].total == 40


def test_a_pod_that_is_scraped_twice_is_refused():
    """Each request would be two of the "299 without a failure"."""
    twice = [({"pod": "c", "status": "200", "job": job}, [0, 10, 20, 30, 40]) for job in ("pods", "services")]
    (wrong, _), _ = refused(Samples(canary=twice), canary(**RATIO))

    assert "c is scraped twice" in wrong[0]


def test_a_restart_is_one_however_many_series_the_process_has():
    """Each path and status is a series of its own, and all begin again at once."""
    series = [
        ({"pod": "c", "status": status, "path": path}, [50, 60, 2, 12, 22])
        for status in ("200", "404")
        for path in "ab"
    ]
    (_, _), seen = refused(Samples(canary=series), canary(**RATIO))

    assert seen["canary"].restarts == 1
    assert seen["canary"].total == 4 * (10 + 2 + 20)


def test_a_pod_that_tells_nothing_any_more_is_missed():
    """A pod that hangs is the usual sick canary; one that was replaced is not missed."""
    history, now = History(), time.time()

    def told(pod, first, last):
        points = [(now - age, 1000 - age) for age in range(first, last - 1, -5)]
        history.add([Series({"pod": pod}, points)], now)

    told("a", 100, 0)
    told("b", 100, 50)
    assert history.silent(20, now - 90) == "b"
    assert history.silent(20, now - 40) == ""
    told("c", 45, 0)
    told("d", 48, 0)
    assert history.silent(20, now - 90) == ""


def test_two_sets_of_bucket_edges_are_not_added():
    """Cumulative counts of other edges give shares of nothing."""
    edges = [
        ({"pod": pod, "le": le}, [0, 10, 20]) for pod, le in (("a", "1"), ("a", "+Inf"), ("b", "3"), ("b", "+Inf"))
    ]
    made = canary(quantile={"of": "http_request_duration_seconds"}, limit="< 1 s")
    data = asyncio.run(
        Looking(made.criteria["errors"], Samples(canary_bucket=edges), time.time() - 10, made).at("canary")
    )

    assert data.state is State.QUERY_ERROR
    assert "2 different sets of bucket edges" in data.why


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"missing": 10.0}, ""),
        ({"missing": 30.0}, "75 % of the watch has samples"),
        ({"restarts": 1}, ""),
        ({"restarts": 2}, "it began again 2 times"),
    ],
)
def test_what_was_hardly_seen_or_began_again_and_again_is_not_promoted(data, words):
    """Failures before a crash, and while nobody could ask, are counted nowhere."""
    made = canary(**RATIO)
    rules = rules_of(made)
    pairs = [(Data(total=1000, **data), None)]
    judgement = judged(rules["errors"], pairs, plan_of(made, rules), final=True)

    kept = whole(judgement, pairs, made, 120.0)

    assert judgement.answer == "promote"
    assert (kept.answer == "promote") == (not words)
    assert words in kept.reason["en"]


@pytest.mark.parametrize(("limit", "value", "answer"), [("< 1", 1, False), ("<= 1", 1, True), ("> 0", 0, False)])
def test_a_strict_limit_is_strict(limit, value, answer):
    """Breakers open, ready replicas: gauges that are whole numbers."""
    made = canary(promql={"canary": 'breakers{track="canary"}'}, limit=limit)
    rules = rules_of(made)

    judgement = judged(rules["errors"], [(Data(samples=(float(value),) * 20), None)], plan_of(made, rules), final=True)

    assert (judgement.answer == "promote") is answer


def test_a_baseline_of_next_to_nothing_is_none():
    """One request says nothing of what is usual."""
    made = canary(**RATIO, worse={"ratio": 2})
    rules = rules_of(made)
    pairs = [(Data(total=3000, failed=2), Data(total=1))]

    assert judged(rules["errors"], pairs, plan_of(made, rules), final=True).answer == "inconclusive"


def test_a_clock_that_is_off_is_refused():
    """The watch would judge the minutes before the release."""
    samples = Samples(canary=RISING)

    async def ahead():
        return 180.0

    samples.skew = ahead
    profile = load_profile("factory-ai/embedded", root=PROFILES, variables={}, missing="keep")
    profile = profile.model_copy(update={"canary": canary(**RATIO, begin_within="1s")})
    watch = CanaryWatch(profile, samples, lambda _: None, lambda: None, "en")
    asyncio.run(watch.run())

    assert watch.fact().answer == "inconclusive"
    assert "180 s behind" in watch.fact().refused[0]
    assert "180 s behind" in watch.fact().reasons[0]["en"]


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"errors_max": 1}, "a share is above 0 and below 1"),
        ({"errors_max_ms": 10}, "_max or _max_percent"),
        ({"errors_max": math.nan}, "no finite number"),
    ],
)
def test_a_limit_that_cannot_be_judged_is_a_mistake_of_the_profile(block, words):
    """1 is no percent."""
    made = canary(**{**RATIO, "limit": None, "worse": {"ratio": 2}})

    with pytest.raises(ValueError, match=words):
        made.take_success_criteria(block)


def test_a_query_that_fails_is_refused_with_what_it_says():
    """An error is no number."""
    samples = Samples(canary=RISING)
    samples.failing = "the query failed (bad_data)"
    made = canary(**RATIO)
    looking = Looking(made.criteria["errors"], samples, time.time() - 20, made)

    data = asyncio.run(looking.at("canary"))

    assert data.state is State.QUERY_ERROR
    assert "bad_data" in data.why


def test_a_part_that_is_larger_than_the_whole_is_no_share():
    """`over` that leaves the failures out."""
    more = [({"pod": "c", "status": "500"}, [0, 10, 20, 30, 40])]
    samples = Samples(canary=more)
    made = canary(ratio={"of": OF, "over": 'http_requests_total{status="200"}'}, limit="< 1 %")

    async def failing_only(track, selector, suffix, since):
        history = History()
        values = [0, 10, 20] if selector == OF else [0, 1, 2]
        now = time.time()
        history.add(
            [Series({"pod": "c", "status": "500"}, [(now - SCRAPE * (2 - i), v) for i, v in enumerate(values)])], now
        )
        return history

    samples.history = failing_only
    data = asyncio.run(Looking(made.criteria["errors"], samples, time.time() - 10, made).at("canary"))

    assert data.state is State.QUERY_ERROR
    assert "does not hold all" in data.why


@pytest.mark.parametrize(
    ("limit", "wrong", "note"),
    [
        ("< 2.5 s", "", ""),
        ("< 2 s", "", "lies between the bucket edges 1 and 2.5"),
        ("< 6 s", "above the last bucket edge (5)", ""),
    ],
)
def test_a_limit_must_be_where_the_buckets_can_tell(limit, wrong, note):
    """A p95 out of buckets is never above the last finite edge."""
    made = canary(quantile={"of": "http_request_duration_seconds"}, limit=limit)
    seen = {"canary": Data(total=100, edges=(1.0, 2.5, 5.0, math.inf), counts=(90, 98, 100, 100))}

    (refusals, notes), _ = refused(Samples(), made, seen)

    assert [wrong in one for one in refusals] == ([True] if wrong else [])
    assert [note in one for one in notes] == ([True] if note else [])


def test_an_expression_must_name_the_canary_and_look_back_far_enough():
    """Else it tells of all pods, or of nothing."""
    made = canary(promql={"canary": "sum(rate(queue_errors_total[10s]))"}, limit="< 5")
    seen = {"canary": Data(samples=(1.0,))}

    (wrong, _), _ = refused(Samples(), made, seen)

    assert any('add track="canary"' in one for one in wrong)
    assert any("fewer than 4 scrapes" in one for one in wrong)


def test_the_runbooks_block_gives_limits_by_name():
    """As it stands; a key that fits nothing is a mistake."""
    criteria = canary(**{**RATIO, "limit": None, "worse": {"ratio": 2}}).criteria

    assert success_limits({"errors_max": 0.01, "duration_minutes": 20}, criteria)["errors"].bounds == (0.01,)
    with pytest.raises(ValueError, match="names no criterion"):
        success_limits({"error_rate_max": 0.01}, criteria)
    with pytest.raises(ValueError, match="a `limit` of its own"):
        success_limits({"errors_max": 0.01}, canary(**RATIO).criteria)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"canary": {}}, "labels that only the canary"),
        ({"baseline": {"track": "canary"}}, "the same labels"),
        ({"criteria": {}}, "at least 1"),
        ({"scrape": {"baseline": ["a"]}}, "no targets of the canary"),
    ],
)
def test_a_canary_that_cannot_be_told_from_the_baseline_is_a_mistake_of_the_profile(changes, words):
    """Before anything is asked."""
    said = canary(**RATIO).model_dump(mode="json", exclude_none=True)

    with pytest.raises(ValueError, match=words):
        Canary.model_validate({**said, **changes})


def test_the_profile_of_the_runbooks_system_holds_its_four_numbers():
    """FAI-059: exactly these."""
    text = (PROFILES / "factory-ai" / "base.yaml").read_text(encoding="utf-8")

    for line in (
        "  error_rate_max: 0.01",
        "  latency_p95_max_ms: 2500",
        "  llm_parsing_failure_rate_max: 0.005",
        "  duration_minutes: 20",
    ):
        assert line in text
