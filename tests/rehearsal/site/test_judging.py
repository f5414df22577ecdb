"""What is read from a site is judged without the site."""

import pytest
from pydantic import ValidationError

from opsproof.profile.recovered import Cache, Completed, Connections, Count, Parity, Reconciled, Versions
from opsproof.profile.rehearsals import Name
from opsproof.rehearsal.site.data import mixed, off, unfinished
from opsproof.rehearsal.site.names import place, plain_answer
from opsproof.rehearsal.site.pools import Identity, differs
from opsproof.rehearsal.site.secrets import unlike

WORK = Completed(sql="-", least=20)
RULES = Versions(sql="-", expected="v1.4.0", last_good="v1.3.0")
JUDGMENTS = Count(sql="-", expected=1000, tolerance=0.2)
PARITY = Parity.model_validate(
    {
        "home": {"kind": "settings", "environment": True},
        "dr": {"kind": "settings", "environment": True},
        "own": ["DATABASE_URL"],
    }
)
TOLD = {"port": 6001, "system_identifier": "7", "timeline": 2, "in_recovery": False, "pid": 5}


@pytest.mark.parametrize("rows", [{}, {"COMPLETED": 19}, {"COMPLETED": 95, "FAILED": 5}, {"FAILED": 50}])
def test_too_few_rows_or_too_few_completed_are_not_well(rows):
    """The runbook wants more than 95 %, and its query gives counts: no row at all would have no bad share."""
    assert unfinished(rows, WORK)


def test_more_than_the_share_of_enough_rows_is_well():
    """96 of 100 exceed 95 %."""
    assert unfinished({"COMPLETED": 96, "RUNNING": 4}, WORK) == []


@pytest.mark.parametrize("versions", [[], ["v1.3.0"], ["v1.4.0", "v1.3.0"], ["None"]])
def test_another_version_two_or_none_are_not_well(versions):
    """Nobody who decided anything is no proof that the right rules decide."""
    assert mixed(versions, RULES, polluted=False)


def test_after_pollution_the_newest_rules_are_the_wrong_ones():
    """The runbook expects the newest version, which is the damage in its third scenario."""
    assert mixed(["v1.3.0"], RULES, polluted=True) == []
    assert mixed(["v1.4.0"], RULES, polluted=True)


@pytest.mark.parametrize(("rows", "well"), [(800, True), (1200, True), (799, False), (1201, False), (0, False)])
def test_the_level_is_kept_within_its_tolerance_both_ways(rows, well):
    """More rows than usual are as suspect as fewer: a dump that was restored twice."""
    assert (off("judgments", rows, JUDGMENTS, "-") == []) is well


@pytest.mark.parametrize("changed", ["port", "system_identifier", "timeline", "in_recovery"])
@pytest.mark.parametrize("value", [None, 1, "1"])
def test_a_connection_that_differs_or_does_not_tell_is_elsewhere(changed, value):
    """A route that leaves a field out must not pass for one that agrees."""
    wanted = Identity(6001, "7", 2)

    assert differs(TOLD, Connections(), wanted, "-") == []
    assert differs({**TOLD, changed: value}, Connections(), wanted, "-")


def test_settings_are_compared_both_ways():
    """What only one site has is wrong, and so is one site's own address at the other."""
    home = {"A": "1", "B": "2", "C": "3", "DATABASE_URL": "9"}

    assert unlike(home, {**home, "DATABASE_URL": "8"}, PARITY) == []
    assert len(unlike(home, {"A": "1", "B": "5", "D": "3", "DATABASE_URL": "9"}, PARITY)) == 4
    assert unlike({"A": "1"}, {"A": "1"}, PARITY) == ["DATABASE_URL is set at neither site"]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("10.0.0.2", ("10.0.0.2", 53)),
        ("10.0.0.2:5353", ("10.0.0.2", 5353)),
        ("[fd00::1]:54", ("fd00::1", 54)),
        ("fd00::1", ("fd00::1", 53)),
        ("dns.example", ("dns.example", 53)),
    ],
)
def test_a_resolver_may_be_named_in_every_usual_form(text, where):
    """Addresses of version 6 have colons of their own."""
    assert place(text) == where


def test_answers_that_mean_the_same_are_the_same():
    """Case, a last dot and the long form of an address change nothing."""
    assert plain_answer("API-DR.example.") == "api-dr.example"
    assert plain_answer("2001:DB8:0:0::1") == "2001:db8::1"
    assert plain_answer("0  5 6001 DB.example.") == "0 5 6001 db.example"


@pytest.mark.parametrize(
    ("section", "values"),
    [
        (Name, {"name": "api", "home": ["10.0.0.1"], "dr": ["10.0.0.2"]}),
        (Connections, {"write": "INSERT"}),
        (Reconciled, {"sql": "-", "keys": "a:*:*"}),
        (Reconciled, {"sql": "-"}),
        (Cache, {"url": "redis://cache/3", "prefix": "*", "fill": {"submit": "/", "body": {}}}),
    ],
    ids=["no-lifetime", "half-a-row", "two-stars", "one-store", "everything"],
)
def test_what_could_not_be_judged_is_refused_in_the_profile(section, values):
    """An unset limit is no limit, and a prefix of `*` would clear everybody's keys."""
    with pytest.raises(ValidationError):
        section.model_validate(values)
