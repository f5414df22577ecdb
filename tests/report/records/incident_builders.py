"""Builders of runs of a recovery, as a window makes them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from report_builders import a_failure, a_profile, a_run, an_observation, an_outcome

from opsproof.evidence.observation import Observation
from opsproof.judge.outcome import Outcome
from opsproof.judge.windows import Ending, Span, State, Timeline, WindowFact
from opsproof.report.records.facts import Asked, Facts
from opsproof.report.records.rendering import render
from opsproof.report.run import Impact, IncidentFact, Run
from opsproof.report.view import View

TEMPLATES = Path(__file__).parents[3] / "reports" / "templates"
INCIDENT = datetime(2026, 11, 19, 17, 10, tzinfo=UTC)
"""02:10 of the next day in Korea."""
WATCHED = datetime(2026, 11, 19, 17, 31, 4, tzinfo=UTC)
WRITTEN = datetime(2026, 11, 19, 17, 45, 30, tzinfo=UTC)
EVALUATION = "evaluation/staging"
ITEMS = {
    "health.every_component_is_healthy": "EVAL-014",
    "indicators.server-error-share": "EVAL-032",
    "indicators.job-failure-share": "EVAL-018",
    "jobs.synthetic_work_is_finished": "EVAL-033",
}
"""The check of each of runbook 002's four items."""


def an_item(name: str, **changes: Any) -> Outcome:
    """A check of the recovery checklist of runbook 002, green if nothing else is said."""
    value = {"value": 0.0042, "unit": "%"} if name.startswith("indicators.") else {}
    start = WATCHED + timedelta(seconds=372)
    facts = {"runbook": (ITEMS[name],), "started": start, "observations": ("41-1",), "title": name, **value}
    return an_outcome(name, EVALUATION, **facts | changes)


def a_window(**changes: Any) -> WindowFact:
    """The API failed for 39 s, came back, failed again for 2 s, and was healthy from then on."""
    spans = (
        Span(state=State.FAILED, start=0.2, end=38.4, samples=4, message="redis is unhealthy"),
        Span(state=State.HEALTHY, start=48.1, end=58.3, samples=2),
        Span(state=State.FAILED, start=68.2, end=68.3, samples=1, message="redis is unhealthy"),
        Span(state=State.HEALTHY, start=78.4, end=378.9, samples=31),
    )
    steady = (Span(state=State.HEALTHY, start=0.3, end=378.9, samples=38),)
    return WindowFact(
        **{
            "started": WATCHED,
            "ended": WATCHED + timedelta(seconds=378.9),
            "stable_for": 300.0,
            "interval": 10.0,
            "deadline": 1800.0,
            "ending": Ending.STABLE,
            "first_healthy": 48.1,
            "stable_since": 78.4,
            "longest": 300.5,
            "attempts": 38,
            "samples": 152,
            "flaps": 1,
            "gaps": 0,
            "timelines": (
                Timeline(check=f"health.every_component_is_healthy[{EVALUATION}]", spans=spans, flaps=1),
                Timeline(check=f"indicators.job-failure-share[{EVALUATION}]", spans=steady, flaps=0),
            ),
        }
        | changes
    )


def an_impact(**changes: Any) -> Impact:
    return Impact(
        **{
            "check": f"indicators.server-error-share[{EVALUATION}]",
            "title": {"en": "Share of answers with 5xx", "ko": "5xx 응답 비율"},
            "value": 0.237,
            "unit": "%",
            "since": INCIDENT,
            "until": WATCHED,
        }
        | changes
    )


def impacts() -> tuple[Impact, ...]:
    jobs = {"en": "Share of jobs that failed or were cancelled", "ko": "실패·취소된 작업 비율"}
    return an_impact(), an_impact(check=f"indicators.job-failure-share[{EVALUATION}]", title=jobs, value=0.118)


def a_recovery(*outcomes: Outcome, **changes: Any) -> Run:
    """A run with a window that became stable; without outcomes, runbook 002's four items are green."""
    return a_run(
        outcomes or tuple(map(an_item, ITEMS)),
        [a_profile(EVALUATION, title={"en": "Jobs and evaluation API", "ko": "작업·평가 API"})],
        **{
            "started": WATCHED,
            "finished": WATCHED + timedelta(seconds=380.2),
            "selection": "-m recovery",
            "incident": IncidentFact(started=INCIDENT, timezone="Asia/Seoul", impact=impacts()),
            "window": a_window(),
        }
        | changes,
    )


def a_failed_recovery(**changes: Any) -> Run:
    """A run whose window came to its deadline with Redis still unhealthy."""
    health = f"health.every_component_is_healthy[{EVALUATION}]"
    spans = (Span(state=State.FAILED, start=0.2, end=1799.3, samples=180, message="redis is unhealthy"),)
    window = a_window(
        ended=WATCHED + timedelta(seconds=1800),
        ending=Ending.DEADLINE,
        why=f"{health} failed: redis is unhealthy",
        first_healthy=None,
        stable_since=None,
        longest=0.0,
        flaps=0,
        timelines=(Timeline(check=health, spans=spans, flaps=0),),
    )
    bad = a_failure(
        "health.every_component_is_healthy",
        profile=EVALUATION,
        severity="SEV-1",
        message="redis is unhealthy",
        runbook=("EVAL-014",),
        observations=("41-1",),
        target="api",
        started=WATCHED + timedelta(seconds=1799),
    )
    green = [an_item(name) for name in ITEMS if ITEMS[name] != "EVAL-014"]
    return a_recovery(bad, *green, **{"window": window} | changes)


def facts_of(run: Run, lang: str = "ko", seen: Iterable[Observation] | None = None, **changes: Any) -> Facts:
    """What records know of a run; `seen` is its evidence."""
    asked = Asked(**{"incident": "INC-42", "lang": lang, "written": WRITTEN} | changes)
    return Facts(View.of(run, [an_observation()] if seen is None else seen), asked)


def a_record(kind: str, run: Run, lang: str = "ko", **changes: Any) -> str:
    """A record of that kind, as the command writes it into the run's folder."""
    folder = Path("run")
    return render(kind, facts_of(run, lang, **changes), templates=TEMPLATES, run=folder, folder=folder / "records")


def all_kinds(lang: str, run: Run, kinds: Iterable[str]) -> dict[str, str]:
    said = {"severity": "SEV-1", "priority": "P1", "scenario": "db"}
    return {kind: a_record(kind, run, lang, **said) for kind in kinds}
