"""Builders of runs, as a session makes them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from opsproof.evidence.observation import Failure, Observation
from opsproof.judge.outcome import Cause, Outcome, Status, WaiverUse
from opsproof.judge.root_causes import TargetFact, root_causes
from opsproof.judge.verdict import judge
from opsproof.profile.models import Policy
from opsproof.report.run import ProfileFact, ReleaseFact, Run
from opsproof.report.view import View

STARTED = datetime(2026, 5, 6, 18, 30, tzinfo=UTC)
INGEST = "ingest/staging"


def a_profile(name: str = INGEST, **changes: Any) -> ProfileFact:
    system, environment = name.split("/")
    return ProfileFact(
        **{
            "title": {"en": f"{system} in {environment}", "ko": f"{system} {environment}"},
            "system": system,
            "environment": environment,
            "fail_on": "SEV-2",
            "targets": {
                "api": TargetFact(kind="http", address="http://10.0.0.5:8080", depends_on=("database", "cache")),
                "database": TargetFact(kind="postgres", address="postgresql://10.0.0.6:5432/ingest"),
                "cache": TargetFact(kind="redis", address="redis://10.0.0.7:6379/0"),
            },
            "release": ReleaseFact(expected="1.4.2", seen={"1.4.2": 10}),
        }
        | changes
    )


def an_outcome(name: str = "health.service_is_up", profile: str = INGEST, **changes: Any) -> Outcome:
    return Outcome(
        **{
            "check": f"{name}[{profile}]",
            "name": name,
            "profile": profile,
            "title": "The service answers /health without error.",
            "severity": "SEV-2",
            "runbook": ("ING-014",),
            "markers": ("smoke", "recovery"),
            "status": Status.PASSED,
            "answered": ("api",),
            "started": STARTED,
            "duration": 0.052,
        }
        | changes
    )


def a_failure(name: str = "database.migrations_are_at_head", **changes: Any) -> Outcome:
    return an_outcome(
        name,
        **{
            "status": Status.FAILED,
            "cause": Cause.TARGET_WRONG,
            "message": "revision 0006 in the database, head is 0007",
            "where": "database of ingest/staging, SELECT version_num FROM alembic_version",
            "next_step": "Run `alembic upgrade head` as the release's job does, then this check again.",
            "target": "database",
            "runbook": ("ING-031",),
            "details": "E   assert '0006' == '0007'",
        }
        | changes,
    )


def an_unknown(name: str = "cache.memory_is_left", **changes: Any) -> Outcome:
    return an_outcome(
        name,
        **{
            "status": Status.UNKNOWN,
            "cause": Cause.UNREACHABLE,
            "message": "no connection: Connection refused",
            "where": "cache of ingest/staging, INFO memory at redis://10.0.0.7:6379/0",
            "next_step": "Start the cache; the profile's url may be wrong.",
            "target": "cache",
            "answered": (),
        }
        | changes,
    )


def a_waiver(**changes: Any) -> WaiverUse:
    until = STARTED + timedelta(days=20)
    return WaiverUse(**{"owner": "kim", "reason": "OPS-77", "until": until, "expired": False} | changes)


def an_observation(id_: str = "41-1", **changes: Any) -> Observation:
    facts: dict[str, Any] = {
        "id": id_,
        "profile": INGEST,
        "target": "api",
        "question": "GET /health",
        "by_hand": "curl -sS http://10.0.0.5:8080/health",
        "started": STARTED,
        "duration": 0.05,
        "answer": {"status": 200, "headers": {}, "body": '{"status": "ok"}'},
        "failure": None,
    }
    return Observation(**facts | changes)


def a_refused_connection(id_: str = "41-2", **changes: Any) -> Observation:
    return an_observation(
        id_,
        **{
            "target": "cache",
            "question": "INFO memory",
            "by_hand": "redis-cli -u redis://10.0.0.7:6379/0 INFO memory",
            "answer": None,
            "failure": Failure("Unreachable", "no connection", "cache of ingest/staging", "Start the cache."),
        }
        | changes,
    )


def a_run(
    outcomes: Iterable[Outcome] = (), profiles: Iterable[ProfileFact] = (), policy: Policy | None = None, **changes: Any
) -> Run:
    """A run as a session judges it: root causes and verdict follow from the outcomes."""
    outcomes = tuple(outcomes)
    facts = {f"{fact.system}/{fact.environment}": fact for fact in (tuple(profiles) or (a_profile(),))}
    policies = {name: policy or Policy(fail_on=fact.fail_on) for name, fact in facts.items()}
    return Run(
        **{
            "id": "3f9a1c",
            "started": STARTED,
            "finished": STARTED + timedelta(seconds=1.4),
            "opsproof": "0.1.0",
            "selection": "-m smoke",
            "profiles": facts,
            "outcomes": outcomes,
            "root_causes": root_causes(outcomes, {name: fact.targets for name, fact in facts.items()}),
            "verdict": judge(outcomes, policies),
        }
        | changes
    )


def a_view(*outcomes: Outcome, observations: Iterable[Observation] = (), **changes: Any) -> View:
    return View.of(a_run(outcomes, **changes), observations)


def a_bad_night() -> tuple[Run, list[Observation]]:
    """A run with everything in it: a cache that is down, failures, a warning, a waiver, skips, two profiles."""
    evaluation = "evaluation/staging"
    evil = "<img src=x onerror=alert(1)> [click](http://evil.example) | **bold** `code`"
    observations = [
        an_observation(),
        a_refused_connection(),
        an_observation(
            "41-3",
            target="database",
            question="SELECT version_num FROM alembic_version",
            by_hand='psql "postgresql://10.0.0.6:5432/ingest" -c "SELECT version_num FROM alembic_version"',
            answer={"rows": [{"version_num": "0006"}]},
        ),
    ]
    outcomes = [
        *(an_outcome(f"health.component_{n}", observations=("41-1",)) for n in range(12)),
        an_unknown(observations=("41-2",)),
        an_unknown("cache.clients_are_few", observations=("41-2",)),
        an_unknown("cache.writes_are_accepted", observations=("41-2",)),
        a_failure(
            "health.every_component_is_healthy",
            message="redis is unhealthy",
            target="api",
            answered=("api",),
            statuses=(200,),
            unwell=("cache",),
            severity="SEV-1",
            observations=("41-1",),
        ),
        a_failure(observations=("41-1", "41-3"), output="upgrading is off\n"),
        a_failure(
            "payload.oversized_requests_are_refused",
            message=f"500 instead of 413 PAYLOAD_TOO_LARGE; the body says {evil}",
            target="database",
            where="api of ingest/staging, POST /api/v1/ingest at http://10.0.0.5:8080",
            next_step="Compare MAX_REQUEST_BODY_BYTES of the release with the profile; roll back if it is not set.",
            observations=("41-1",),
        ),
        an_unknown(
            "jobs.a_synthetic_job_finishes",
            cause=Cause.TIMED_OUT,
            target="",
            message="the job was still `queued` after 20 s (limit 20 s), 14 jobs are ahead of it",
            where="api of ingest/staging, GET /api/v1/jobs/{id}",
            next_step="See whether the worker runs: kubectl get pods -l app=ingest-worker.",
        ),
        a_failure(
            "trace.error_bodies_have_an_id",
            severity="SEV-3",
            message="error_id is missing",
            target="",
            where="",
            answered=("database",),
        ),
        a_failure(
            "auth.wrong_role_gets_403",
            status=Status.WAIVED,
            waiver=a_waiver(),
            message="200 instead of 403",
            target="",
            answered=("database",),
        ),
        an_outcome(
            "metrics.prometheus_scrapes",
            status=Status.SKIPPED,
            cause=Cause.DOES_NOT_APPLY,
            message="the profile has no target metrics",
            answered=(),
        ),
        *(an_outcome(f"health.component_{n}", evaluation) for n in range(6)),
    ]
    profiles = [
        a_profile(release=ReleaseFact(expected="1.4.2", seen={"1.4.1": 3, "1.4.2": 7})),
        a_profile(evaluation, targets={"api": TargetFact(kind="http", address="http://10.0.0.9:8080")}),
    ]
    notes = ("The waiver of health.live is no longer needed.",)
    return a_run(outcomes, profiles, notes=notes), observations
