"""One root cause, not forty reds."""

import pytest
from judged import PROFILE, an_outcome, failed, skipped, unknown

from opsproof.judge.outcome import Cause, Status
from opsproof.judge.root_causes import TargetFact, root_causes

TARGETS = {
    "api": TargetFact(kind="http", address="http://10.0.0.1:80", depends_on=("database", "cache")),
    "database": TargetFact(kind="postgres", address="postgresql://10.0.0.2:5432/shop"),
    "cache": TargetFact(kind="redis", address="redis://10.0.0.3:6379/0"),
}


def test_a_target_that_is_down_explains_its_checks_and_those_that_depend_on_it() -> None:
    """The operator repairs the database, not the eleven things that miss it."""
    down = unknown("database.answers", target="database", message="connection refused")
    symptom = failed("health.ready", message="503", statuses=(503,))
    well = an_outcome("cache.answers", answered=("cache",))

    (root,) = root_causes([symptom, down, well], {PROFILE: TARGETS})

    assert root.subject == f"database of {PROFILE} (postgresql://10.0.0.2:5432)"
    assert (root.cause, root.what) == (Cause.UNREACHABLE, "connection refused")
    assert (root.direct, root.downstream) == ((down.check,), (symptom.check,))


@pytest.mark.parametrize(
    ("signs", "absorbed"),
    [
        pytest.param({"statuses": (200,)}, False, id="clean-answer"),
        pytest.param({}, False, id="no-http-at-all"),
        pytest.param({"statuses": (200, 404)}, False, id="refused"),
        pytest.param({"statuses": (200, 503)}, True, id="server-error"),
        pytest.param({"statuses": (200,), "unwell": ("cache",)}, True, id="page-names-what-is-down"),
        pytest.param({"statuses": (200,), "unwell": ("api",)}, True, id="page-says-degraded"),
        pytest.param({"statuses": (503,), "unwell": ("cache", "database")}, False, id="page-names-another-too"),
        pytest.param({"cause": Cause.TIMED_OUT}, True, id="timed-out"),
        pytest.param({"cause": Cause.NO_DATA}, False, id="a-field-is-missing"),
        pytest.param({"cause": Cause.NO_DATA, "status": Status.UNKNOWN}, True, id="no-numbers"),
        pytest.param({"cause": Cause.BAD_ANSWER, "statuses": (200,)}, False, id="wrong-form"),
        pytest.param({"cause": Cause.BAD_ANSWER, "statuses": (502,)}, True, id="error-page-of-a-proxy"),
    ],
)
def test_an_outage_explains_only_what_an_outage_leaves_behind(signs: dict[str, object], absorbed: bool) -> None:
    """Starting the cache closes no payload guard: a clean answer that is wrong stands for itself."""
    down = unknown("cache.answers", target="cache")
    other = failed("payload.guard", **{"message": "201, not 413"} | signs)

    (root,) = root_causes([down, other], {PROFILE: TARGETS})

    assert root.downstream == ((other.check,) if absorbed else ())


def test_the_root_is_the_target_furthest_up() -> None:
    """An API that is down because its cache is down is no root cause."""
    cache = unknown("cache.answers", target="cache")
    api = unknown("health.alive", target="api")

    (root,) = root_causes([api, cache], {PROFILE: TARGETS})

    assert (root.direct, root.downstream) == ((cache.check,), (api.check,))


def test_one_server_of_two_profiles_is_one_headline() -> None:
    """Two databases of one server are down together."""
    other = {"database": TargetFact(kind="postgres", address="postgresql://10.0.0.2:5432/other")}
    mine = unknown("database.answers", target="database")
    theirs = unknown("database.answers", target="database", profile="other/local")

    (root,) = root_causes([mine, theirs], {PROFILE: TARGETS, "other/local": other})

    assert set(root.direct) == {mine.check, theirs.check}
    assert root.subject == "database of demo/local, database of other/local (postgresql://10.0.0.2:5432)"


def test_a_slow_path_of_a_target_that_answers_others_is_no_root_cause() -> None:
    """A time-out is of the target only if nobody got an answer from it."""
    slow = failed("api.slow", cause=Cause.TIMED_OUT, target="api", answered=())

    assert root_causes([slow, an_outcome()], {PROFILE: TARGETS}) == ()
    assert [root.direct for root in root_causes([slow], {PROFILE: TARGETS})] == [(slow.check,)]


def test_checks_that_lack_the_same_precondition_are_one_finding_led_by_what_failed_for_it() -> None:
    """The wrong release is told once, and forty checks that do not count are not forty findings."""
    words = "release 2 was expected, 10 requests were answered by 10 x 1"
    release = failed("release.expected", message=words)
    others = [unknown(f"health.{n}", cause=Cause.PRECONDITION_MISSING, message=words, target="api") for n in range(3)]

    (root,) = root_causes([*others, release], {PROFILE: TARGETS})

    assert root.direct[0] == release.check
    assert root.cause is Cause.TARGET_WRONG
    assert len(root.direct) == 4


def test_a_broken_check_is_explained_by_nothing() -> None:
    """A bug of ours must not hide under somebody else's outage."""
    broken = unknown("health.buggy", cause=Cause.CHECK_BROKEN, target="", answered=("api",), message="TypeError")
    down = unknown("database.answers", target="database")

    (root,) = root_causes([broken, down], {PROFILE: TARGETS})

    assert broken.check not in (*root.direct, *root.downstream)


def test_what_is_well_or_does_not_apply_is_explained_by_nothing() -> None:
    """Root causes are for what is bad."""
    assert root_causes([an_outcome(), skipped("other.one")], {PROFILE: TARGETS}) == ()


def test_a_cycle_of_dependencies_ends() -> None:
    """A profile may say that two targets need each other."""
    cyclic = {
        "a": TargetFact(kind="http", address="http://a", depends_on=("b",)),
        "b": TargetFact(kind="http", address="http://b", depends_on=("a",)),
    }

    roots = root_causes(
        [unknown("x.a", target="a"), failed("x.b", answered=("b",), statuses=(502,))], {PROFILE: cyclic}
    )

    assert [(root.direct, root.downstream) for root in roots] == [((f"x.a[{PROFILE}]",), (f"x.b[{PROFILE}]",))]


def test_the_cause_that_explains_most_comes_first() -> None:
    """The headline is the repair that helps most."""
    few = unknown("cache.answers", target="cache")
    many = [unknown(f"database.{n}", target="database") for n in range(3)]

    roots = root_causes([few, *many], {PROFILE: TARGETS})

    assert [len(root.direct) for root in roots] == [3, 1]
    assert all(outcome.status is Status.UNKNOWN for outcome in many)
