"""How far a number over a stretch looks back: its own window, the incident, or the time since all else is healthy."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from answering import AnsweringServer
from checkout import Checkout, together
from test_gate_indicators import CHECK as INDICATOR
from test_gate_indicators import PATH

from opsproof.stack import Stack

STEADY = """
@runbook()
async def test_steady(api):
    assert (await api.get("/steady")).ok
"""
FAILED_JOBS = """
indicators:
  failed-jobs:
    title: {en: Failed jobs, ko: 실패한 작업}
    sql: >-
      SELECT count(*) FROM (VALUES (now() - interval '30 minutes')) AS failed(at)
      WHERE at >= now() - make_interval(secs => %(window)s)
    over: 1h
    ok: "< 1"
    next_step: {en: Look., ko: 확인한다.}
"""
NOW_AND_THEN = """
indicators:
  now-and-then:
    title: {en: Now and then, ko: 가끔}
    promql: "max(floor(vector(time())) % 7 == bool 3) + 0 * max(up)"
    ok: "< 1"
    next_step: {en: Look., ko: 확인한다.}
"""


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack.start(["ingest"]) as running:
        yield running


@pytest.fixture
def looking(checkout: Checkout, stack: Stack) -> Checkout:
    """A checkout with a database in which one job failed half an hour ago, and a Prometheus."""
    checkout.checks(INDICATOR, PATH)
    checkout.checks(STEADY)
    checkout.profile(
        FAILED_JOBS,
        targets=f"database: {{kind: postgres, dsn: '{stack.variables['INGEST_DATABASE_URL']}'}}\n"
        f"metrics: {{kind: prometheus, url: '{stack.variables['PROMETHEUS_URL']}'}}",
    )
    return checkout


def test_in_a_window_what_failed_before_the_stretch_does_not_hold_it_up(
    looking: Checkout, server: AnsweringServer
) -> None:
    """A runbook's "last hour" is red for an hour after the repair; the stretch is what is asked about."""
    plain = looking.run()
    held = looking.run("--stable-for=2s", "--interval=200ms", "--deadline=30s")
    assert held.folder is not None
    again = looking.run(f"--replay={held.folder}", profile=None)

    outcome = held.outcomes["failed-jobs"]
    assert (plain.word, held.word, again.word) == ("FAIL", "PASS", "PASS")
    assert outcome.over is not None
    assert 0 < outcome.over < 1800
    assert (again.outcomes["failed-jobs"].over, again.outcomes["failed-jobs"].value) == (outcome.over, 0)


def test_after_an_incident_numbers_look_back_to_its_begin(looking: Checkout, server: AnsweringServer) -> None:
    """Ten minutes of incident hold no job that failed half an hour ago; two hours do."""

    def since(**ago: int) -> str:
        return f"--incident-started={(datetime.now(UTC) - timedelta(**ago)).isoformat()}"

    runs = together({"short": lambda: looking.run(since(minutes=10)), "long": lambda: looking.run(since(hours=2))})

    assert {name: run.word for name, run in runs.items()} == {"short": "PASS", "long": "FAIL"}
    incident = runs["long"].run.incident
    assert incident is not None
    assert [(impact.check, impact.value) for impact in incident.impact] == [("indicators.failed-jobs[demo/local]", 1)]
    assert "Failed jobs: 1" in runs["long"].block
    assert runs["long"].outcomes["failed-jobs"].over == pytest.approx(7200, abs=60)


def test_what_was_bad_between_two_samples_breaks_the_stretch(
    looking: Checkout, server: AnsweringServer, stack: Stack
) -> None:
    """One second in seven is bad: no stretch of ten seconds is well, whenever the samples are taken."""
    looking.profile(NOW_AND_THEN, targets=f"metrics: {{kind: prometheus, url: '{stack.variables['PROMETHEUS_URL']}'}}")

    run = looking.run("--stable-for=10s", "--interval=5s", "--deadline=32s")

    assert (run.word, run.told["steady"]) == ("FAIL", "passed"), run.text
    assert run.told["now-and-then"] == "failed: target wrong"


def test_what_is_not_known_between_two_samples_makes_no_stretch(
    looking: Checkout, server: AnsweringServer, stack: Stack
) -> None:
    """One second in seven nothing is divided by nothing: no stretch of eight seconds is known to be well."""
    looking.profile(
        NOW_AND_THEN.replace("max(floor(", "0 * max((1 - (floor(").replace(
            " == bool 3)", " == bool 3)) / (1 - (floor(vector(time())) % 7 == bool 3)))"
        ),
        targets=f"metrics: {{kind: prometheus, url: '{stack.variables['PROMETHEUS_URL']}'}}",
    )

    run = looking.run("--stable-for=8s", "--interval=4s", "--deadline=17s")

    assert (run.word, run.told["steady"]) == ("INCONCLUSIVE", "passed"), run.text
    assert "nan at" in run.outcomes["now-and-then"].message


def test_waiting_until_ready_asks_what_the_gate_asks(looking: Checkout, server: AnsweringServer) -> None:
    """A count over the last tenth of a second would be 0, and ready, at once."""
    waited = looking.run("--wait-ready=3s", "--interval=300ms")

    assert (waited.word, waited.told["failed-jobs"]) == ("FAIL", "failed: target wrong")


def test_sql_says_how_far_it_looks_back_or_does_not_look_back(looking: Checkout) -> None:
    """One without the other would silently be ignored."""
    looking.profile(
        FAILED_JOBS.replace("    over: 1h\n", ""), targets="database: {kind: postgres, dsn: 'postgresql://x'}"
    )

    run = looking.run()

    assert run.status == 4
    assert "expected `over` exactly with `sql` that names %(window)s" in run.text


def test_an_hour_that_is_well_does_not_hide_a_stretch_that_is_not(
    looking: Checkout, server: AnsweringServer, stack: Stack
) -> None:
    """Sixty good minutes and one in which every job fails are 1.6 % of failures."""
    looking.profile(
        f"""
        indicators:
          failed-share:
            title: {{en: Failed jobs, ko: 실패한 작업}}
            sql: >-
              SELECT avg(CASE WHEN at > '{datetime.now(UTC).isoformat()}' THEN 1 ELSE 0 END) FROM
              generate_series(now() - interval '1 hour', now(), interval '1 second') AS job(at)
              WHERE at >= now() - make_interval(secs => %(window)s)
            over: 1h
            unit: "%"
            ok: "< 5 %"
            next_step: {{en: Look., ko: 확인한다.}}
        """,
        targets=f"database: {{kind: postgres, dsn: '{stack.variables['INGEST_DATABASE_URL']}'}}",
    )

    plain = looking.run()
    window = looking.run("--stable-for=3s", "--interval=300ms", "--deadline=9s")

    assert (plain.word, window.word) == ("PASS", "FAIL")
    assert "of the stretch alone" in window.outcomes["failed-share"].message
