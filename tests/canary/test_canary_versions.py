"""Which version a verdict is on: what the labels of the profile say, and nothing else."""

import pytest

from opsproof.canary.criteria import versions_of
from opsproof.profile.canary import Canary

CRITERION = {
    "title": {"en": "Errors", "ko": "오류"},
    "ratio": {"of": 'requests_total{status="500"}', "over": "requests_total"},
    "limit": "< 1 %",
    "runbook": ["DEMO-1"],
    "next_step": {"en": "Roll back.", "ko": "롤백한다."},
}


@pytest.mark.parametrize(
    ("tracks", "versions"),
    [
        ({"canary": {"track": "canary"}, "baseline": {"track": "stable"}}, {}),
        ({"canary": {"track": "canary", "version": "1.5.0"}, "baseline": {"track": "stable"}}, {"canary": "1.5.0"}),
        (
            {"canary": {"version": "1.5.0"}, "baseline": {"version": "1.4.0"}},
            {"canary": "1.5.0", "baseline": "1.4.0"},
        ),
        ({"scrape": {"canary": ["new"]}, "canary": {"version": "1.5.0"}}, {}),
    ],
)
def test_the_label_that_narrows_the_series_names_the_version(
    tracks: dict[str, object], versions: dict[str, str]
) -> None:
    """Scraped replicas are not narrowed by labels: what they run nobody has looked at."""
    canary = Canary.model_validate({**tracks, "criteria": {"error-rate": CRITERION}})

    assert versions_of(canary) == versions
