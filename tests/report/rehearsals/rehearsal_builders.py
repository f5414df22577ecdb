"""Rehearsals as a session makes them: one all proven, one that lost writes, one that was given up."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from report_builders import a_profile, a_run, an_observation, an_outcome

from opsproof.evidence.observation import Observation
from opsproof.judge.outcome import Cause, Outcome, Status
from opsproof.judge.root_causes import TargetFact
from opsproof.rehearsal.facts import (
    CopyFact,
    FindingFact,
    LedgerFact,
    Moments,
    ObjectiveFact,
    PhaseFact,
    Proof,
    RehearsalFact,
    SeededFact,
    StepFact,
)
from opsproof.report.rehearsals.document import Scenario, rehearsal_reports
from opsproof.report.rehearsals.trend import Past, trend
from opsproof.report.run import Run
from opsproof.report.view import View

TEMPLATES = Path(__file__).parents[3] / "reports" / "templates"
PROFILE = "factory-ai/embedded"
ZERO = datetime(2026, 11, 21, 11, 0, 3, 250_000, ZoneInfo("UTC"))
BUDGETS = {
    "declare": 900.0,
    "verify": 1800.0,
    "database": 7200.0,
    "service": 1800.0,
    "data": 1800.0,
    "business": 1800.0,
}
SECONDS = {"declare": 0.42, "verify": 3.1, "database": 8.64, "service": 4.05, "data": 2.2, "business": 1.9}
QUARTER = 92 * 86400.0


def at(seconds: float) -> datetime:
    return ZERO + timedelta(seconds=seconds)


def phases(**changes: tuple[float | None, Proof]) -> tuple[PhaseFact, ...]:
    found = {name: (SECONDS[name], Proof.PROVEN) for name in BUDGETS} | changes
    return tuple(
        PhaseFact(name=name, budget=BUDGETS.get(name), seconds=seconds, proof=proof)
        for name, (seconds, proof) in found.items()
    )


def a_step(phase: str, name: str, start: float, **changes: Any) -> StepFact:
    return StepFact(
        **{
            "check": f"rehearsal.region_loss.{name}[{PROFILE}]",
            "title": {"en": name.replace("_", " ")},
            "phase": phase,
            "status": "passed",
            "seconds": 1.2,
            "by": "opsproof",
            "words": "",
        }
        | changes
    )


STEPS = (
    ("declare", "the_failure_is_declared", 0.0),
    ("verify", "the_backup_is_what_was_stored", 0.5),
    ("database", "the_standby_is_promoted", 4.2),
    ("service", "the_service_uses_the_new_node", 12.9),
    ("data", "the_data_is_whole", 17.0),
    ("business", "judgment_runs_on_three_workflows", 19.3),
)
PROMOTED = f"rehearsal.region_loss.the_standby_is_promoted[{PROFILE}]"


def outcomes() -> tuple[Outcome, ...]:
    checks = [
        an_outcome(
            f"rehearsal.region_loss.{name}",
            PROFILE,
            title=f"{name.replace('_', ' ').capitalize()}.",
            severity="SEV-1",
            runbook=("FAI-126",),
            markers=("dr", "quarterly"),
            started=at(start),
            duration=1.2,
            answered=("home",),
            observations=(f"9-{number}",),
        )
        for number, (_, name, start) in enumerate(STEPS, start=1)
    ]
    backup = an_outcome(
        "backup.every_dump_is_what_was_stored",
        PROFILE,
        title="SHA-256 of each dump equals what was noted when it was made.",
        started=at(-8),
        observations=("8-1",),
    )
    stale = an_outcome(
        "backup.the_newest_heartbeat_is_fresh",
        PROFILE,
        title="The newest row in the backup is not older than the limit.",
        started=at(-7),
        status=Status.UNKNOWN,
        cause=Cause.NO_DATA,
        message="no heartbeat row in 20261121T020000Z.dump.gz",
        severity="SEV-3",
    )
    return (backup, stale, *checks)


def observations() -> list[Observation]:
    answers: dict[str, tuple[str, dict[str, Any]]] = {
        "9-1": ("SELECT name FROM environment", {"rows": [{"name": "rehearsal"}]}),
        "9-2": ("sha256 postgres/daily/latest.dump.gz", {"sha256": "5f" * 32, "bytes": 1048576}),
        "9-3": ("SELECT pg_promote(true, 60)", {"rows": [{"pg_promote": True}]}),
        "9-4": ("GET /health", {"status": 200, "body": '{"status": "healthy", "site": "dr"}'}),
        "9-5": ("SELECT count(*) FROM judgment_executions", {"rows": [{"count": 1003}]}),
        "9-6": ("POST /api/v1/workflows/3/execute", {"status": 200, "body": '{"result": "ok"}'}),
        "8-1": ("sha256 postgres/daily/20261121T020000Z.dump.gz", {"sha256": "a7" * 32}),
    }
    return [
        an_observation(id_, profile=PROFILE, target="dr", question=question, by_hand=question, answer=answer)
        for id_, (question, answer) in answers.items()
    ]


def a_ledger(**changes: Any) -> LedgerFact:
    return LedgerFact(
        **{
            "sent": 503,
            "ok": 501,
            "lost": 0,
            "indeterminate_present": 1,
            "indeterminate_absent": 1,
            "unexpected": 0,
            "conflicting": 0,
            "resolution": 0.04,
            "first_lost": (),
            "sha256": "c0ffee" * 10 + "c0ff",
        }
        | changes
    )


def objectives(**changes: dict[str, Any]) -> tuple[ObjectiveFact, ...]:
    rto = {
        "name": "RTO",
        "limit": 14400.0,
        "lower": 16.9,
        "upper": 17.1,
        "resolution": 0.2,
        "proof": Proof.PROVEN,
        "why": "T4 - T0, one clock; the service was asked every 200 ms",
    }
    rpo = {
        "name": "RPO",
        "limit": 1800.0,
        "lower": 0.0,
        "upper": 0.04,
        "resolution": 0.04,
        "proof": Proof.PROVEN,
        "why": "no acknowledged write is missing; the bound is the time between two writes",
    }
    return ObjectiveFact(**rto | changes.get("rto", {})), ObjectiveFact(**rpo | changes.get("rpo", {}))


def a_rehearsal(**changes: Any) -> RehearsalFact:
    """Region loss, all proven."""
    return RehearsalFact(
        **{
            "profile": PROFILE,
            "scenario": "region-loss",
            "title": {"en": "The whole region is lost", "ko": "리전 전체 장애"},
            "plan": "ab12" * 16,
            "embedded": True,
            "started": at(-9),
            "finished": at(31),
            "declared": 0.0,
            "moments": Moments(t0=at(0), t1=at(0.21), t2=at(0.42), t3=at(12.2), t4=at(17.05), t5=at(24), t6=at(29.6)),
            "phases": phases(
                protect=(3.9, Proof.NOT_PROVEN), failback=(5.2, Proof.NOT_PROVEN), unexplained=(0.89, Proof.NOT_PROVEN)
            ),
            "steps": tuple(a_step(*step) for step in STEPS),
            "objectives": objectives(),
            "ledger": a_ledger(),
            "copies": (
                CopyFact(name="standby", newest=at(-0.02), exposure=0.02, why="newest heartbeat after promotion"),
                CopyFact(name="archive", newest=at(-61.5), exposure=61.5, why="last archived segment, read"),
                CopyFact(name="dump", newest=at(-1100), exposure=1100.0, why="newest heartbeat row inside"),
            ),
            "projected": "",
            "seeded": (
                SeededFact(
                    name="base.auto-conf-changed",
                    usual="pg_verifybackup: exit 0, 'backup successfully verified'",
                    caught_by=("backup.every_file_of_a_base_is_what_was_stored",),
                ),
                SeededFact(
                    name="wal.segment-missing",
                    usual="pg_stat_archiver: failed_count 0",
                    caught_by=("archive.every_segment_is_there", "archive.every_segment_reads"),
                ),
            ),
            "findings": (),
            "not_executed": (),
            "clean_up": ("5 processes, 7 ports and 3 folders are gone",),
            "aborted": "",
            "system_identifier": "7441234567890123456",
            "versions": {"postgres": "18.1", "opsproof": "0.1.0"},
            "last_within": QUARTER,
        }
        | changes
    )


def a_failed_rehearsal(**changes: Any) -> RehearsalFact:
    """Damaged database: 25 lost writes, over its RPO, a phase over its budget, a seeded fault that stayed green."""
    return a_rehearsal(
        **{
            "scenario": "damaged-database",
            "title": {"en": "The database is damaged", "ko": "데이터베이스 손상"},
            "embedded": False,
            "declared": 600.0,
            "moments": Moments(t0=at(0), t1=at(310), t2=at(900), t3=at(4300), t4=at(6100), t5=at(9000.5), t6=None),
            "started": at(-600),
            "finished": at(9300),
            "phases": (
                *(
                    PhaseFact(name=name, budget=budget, seconds=seconds, proof=proof)
                    for name, budget, seconds, proof in (
                        ("declare", 900.0, 900.0, Proof.PROVEN),
                        ("verify", 1800.0, 2400.0, Proof.FAILED),
                        ("database", 7200.0, 1000.0, Proof.PROVEN),
                        ("service", 1800.0, 900.0, Proof.PROVEN),
                        ("data", 1800.0, 420.0, Proof.PROVEN),
                        ("business", 1800.0, 300.0, Proof.PROVEN),
                        ("protect", None, 2200.0, Proof.NOT_PROVEN),
                        ("failback", None, None, Proof.NOT_PROVEN),
                        ("unexplained", None, 880.5, Proof.NOT_PROVEN),
                    )
                ),
            ),
            "steps": (),
            "objectives": objectives(
                rto={"limit": 7200.0, "lower": 6100.0, "upper": 6700.0, "resolution": 5.0},
                rpo={
                    "limit": 900.0,
                    "lower": 952.5,
                    "upper": 985.25,
                    "resolution": 0.5,
                    "proof": Proof.FAILED,
                    "why": "25 acknowledged writes are gone, the oldest from 985.25 s before T0",
                },
            ),
            "ledger": a_ledger(
                sent=4700,
                ok=4672,
                lost=25,
                indeterminate_present=2,
                resolution=0.5,
                first_lost=tuple(range(4601, 4611)),
            ),
            "copies": (
                CopyFact(name="archive", newest=at(-985.25), exposure=985.25, why="gap after 00000001000000000000001A"),
                CopyFact(
                    name="dump", newest=None, exposure=None, why="the dump could not be read: it ends in line 9959"
                ),
            ),
            "projected": "restore of 2.1 TB at 310 MB/s: about 1 h 53 min instead of 16 min 40 s",
            "seeded": (
                SeededFact(
                    name="wal.segment-missing", usual="pg_ctl: exit 0", caught_by=("archive.every_segment_is_there",)
                ),
                SeededFact(name="dump.cut-at-a-line", usual="psql: exit 0, no error", caught_by=()),
            ),
            "findings": (
                FindingFact(what="archive_command has dropped a segment since 02:10", owner="kim", due=at(86400 * 7)),
                FindingFact(what="verification of backups takes 40 min, budget 30 min", owner="", due=None),
            ),
            "clean_up": ("scratch cluster stopped", "folder /srv/scratch is still there: 12 GB"),
        }
        | changes
    )


def an_aborted_rehearsal(**changes: Any) -> RehearsalFact:
    """Polluted data: given up at the target of the recovery, no T4."""
    return a_rehearsal(
        **{
            "scenario": "polluted-data",
            "title": {"en": "Data are polluted", "ko": "데이터 대량 오염"},
            "moments": Moments(t0=at(0), t1=at(1.5), t2=at(2.5)),
            "phases": phases(
                database=(None, Proof.NOT_PROVEN),
                service=(None, Proof.NOT_PROVEN),
                data=(None, Proof.NOT_PROVEN),
                business=(None, Proof.NOT_PROVEN),
            ),
            "steps": (
                a_step("declare", "the_failure_is_declared", 0.0),
                a_step(
                    "verify",
                    "the_target_can_be_reached",
                    0.5,
                    status="failed",
                    words="target 2026-11-21 10:41:00+00:00 is before the backup ended (10:55:12)",
                ),
                a_step("database", "the_standby_is_promoted", 4.2, status="not executed", seconds=None, by=""),
            ),
            "objectives": objectives(
                rto={"limit": 3600.0, "lower": None, "upper": None, "proof": Proof.NOT_PROVEN, "why": "given up"},
                rpo={
                    "limit": 300.0,
                    "lower": None,
                    "upper": None,
                    "resolution": None,
                    "proof": Proof.NOT_PROVEN,
                    "why": "",
                },
            ),
            "ledger": None,
            "copies": (),
            "seeded": (),
            "not_executed": (
                "recover: the target is before the backup's end",
                "activate: not reached",
                "fail back: not reached",
            ),
            "clean_up": (),
            "aborted": "verify: the target lies before the end of every backup",
            "last_within": None,
        }
        | changes
    )


def a_rehearsed_run(*facts: RehearsalFact, **changes: Any) -> Run:
    profile = a_profile(
        PROFILE,
        title={"en": "AI Factory, embedded", "ko": "AI Factory 임베디드"},
        release=None,
        targets={
            "home": TargetFact(kind="postgres", address="postgresql://127.0.0.1:6001/factory"),
            "dr": TargetFact(kind="postgres", address="postgresql://127.0.0.1:6002/factory"),
            "rehearsal_backups": TargetFact(kind="store", address="local:///nowhere"),
        },
    )
    return a_run(
        outcomes(),
        [profile],
        **{
            "rehearsals": facts or (a_rehearsal(), a_failed_rehearsal(), an_aborted_rehearsal()),
            "started": at(-10),
            "finished": at(40),
            "selection": "-m dr",
        }
        | changes,
    )


def a_rehearsed_view(*facts: RehearsalFact, **changes: Any) -> View:
    return View.of(a_rehearsed_run(*facts, **changes), observations())


def reports_of(folder: Path, *facts: RehearsalFact, **changes: Any) -> dict[str, str]:
    return rehearsal_reports(a_rehearsed_view(*facts, **changes), folder / "runs" / "this", TEMPLATES)


def a_scenario(fact: RehearsalFact, *earlier: Past, lang: Any = "en", written: datetime | None = None) -> Scenario:
    view = a_rehearsed_view(fact)
    return Scenario(fact, trend(fact, view.run.id, earlier), view, lang, written or view.run.finished)
