"""Every fault of a canary gets the right one of three answers, from a real Prometheus and two real versions."""

import pytest
from canary_watched import watch_of

from opsproof.stack.canary import CanarySite
from opsproof.stack.canary.faults import FAULTS
from opsproof.stack.clusters import Grounds


@pytest.fixture(scope="module")
def sites():
    """A site; and another one whose labels are mixed up, which Prometheus remembers for longer than a watch."""
    with Grounds() as grounds, CanarySite(grounds) as made, Grounds() as others, CanarySite(others) as mixed_up:
        yield {False: made, True: mixed_up}


@pytest.fixture
def site(sites, fault):
    return sites[fault.name.startswith("labels")]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_answer_is_the_right_one(fault, site, capsys):
    """Promote only for a healthy canary."""
    said = []
    watch, run = watch_of(site, said.append, begin_within=6.0)
    fault.inject(site)
    try:
        with fault.played(site, watch.canary.lasts):
            run()
    finally:
        fault.heal(site)

    fact = watch.fact()
    assert fact.answer == fault.expected, "\n".join(said)
    assert fact.reasons
