"""Other numbers by PromQL, sampled at every look from a real Prometheus."""

import pytest
from canary_watched import watch_of

from opsproof.profile.canary import Criterion
from opsproof.stack.canary import CanarySite
from opsproof.stack.clusters import Grounds

SELECTED = 'http_requests_total{job="judgment-service", client="user", path=~"/api/.*", track="%s"}'


@pytest.fixture(scope="module")
def site():
    with Grounds() as grounds, CanarySite(grounds) as made:
        yield made


def criterion(form, **said):
    return Criterion.model_validate(
        {
            "title": {"en": "Requests a second", "ko": "초당 요청"},
            "promql": {
                track: form % (SELECTED % name) for track, name in (("canary", "canary"), ("baseline", "stable"))
            },
            "runbook": ["FAI-055"],
            "next_step": {"en": "Look.", "ko": "확인한다."},
            **said,
        }
    )


def watched(site, form, **said):
    watch, run = watch_of(
        site, criteria={"traffic": criterion(form, **said)}, duration=24.0, interval=1.0, begin_within=4.0, limits={}
    )
    run()
    return watch.fact()


def test_a_number_that_holds_promotes_by_samples_that_share_nothing(site):
    """A rate over four seconds, read every second, is a sample each four seconds."""
    fact = watched(site, "sum(rate(%s[4s]))", limit=">= 5")
    last = fact.criterion("traffic").last

    assert fact.answer == "promote", (fact.refused, fact.reasons)
    assert 5 <= len(last.canary.samples) <= 7
    assert last.value > 10


def test_a_number_below_its_floor_is_never_promoted(site):
    """Less is worse where the limit is the least that is allowed."""
    fact = watched(site, "sum(rate(%s[4s]))", limit=">= 1000")

    assert fact.answer != "promote"
    assert fact.criterion("traffic").last.estimate == 1


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("rate(%s[4s])", "series where one number was expected"),
        ("sum(rate(%s[4s])) > 1e9", "empty"),
        ("sum(rate(%s[4s])) / 0", "inf"),
    ],
)
def test_what_gives_no_number_is_refused(site, form, words):
    """Several series, none, or a division by nothing."""
    fact = watched(site, form, limit=">= 5")

    assert fact.answer == "inconclusive"
    assert words in fact.refused[0]
