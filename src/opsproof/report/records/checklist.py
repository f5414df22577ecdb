"""The recovery checklist: each item with result, time and evidence; green only if it was checked and is green."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from opsproof.judge.outcome import Cause, Outcome, Status


class Result(StrEnum):
    """What became of an item."""

    GREEN = "green"
    RED = "red"
    UNKNOWN = "unknown"
    WAIVED = "waived"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True)
class Item:
    """
    One item of the checklist of one profile.

    Attributes:
        profile: The profile.
        title: By language, in the runbook's words.
        rows: Rows of the runbook.
        outcomes: What was checked for it.
    """

    profile: str
    title: Mapping[str, str]
    rows: tuple[str, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def result(self) -> Result:
        """What became of it; a check that was left out for want of leave or of a precondition keeps it from green."""
        found = {outcome.status for outcome in self.outcomes}
        for status, result in _WORST_FIRST:
            if status in found:
                return result
        left_out = any(o.status is Status.SKIPPED and o.cause is not Cause.DOES_NOT_APPLY for o in self.outcomes)
        passed = {row for o in self.outcomes if o.status is Status.PASSED for row in o.runbook}
        whole = Status.PASSED in found and passed.issuperset(self.rows)
        return Result.GREEN if whole and not left_out else Result.NOT_CHECKED

    @property
    def telling(self) -> tuple[Outcome, ...]:
        """The checks to show: those that are not green; of a green item all that passed."""
        bad = tuple(o for o in self.outcomes if o.status is not Status.PASSED and o.cause is not Cause.DOES_NOT_APPLY)
        return bad or tuple(o for o in self.outcomes if o.status is Status.PASSED)

    @property
    def at(self) -> datetime | None:
        """When its last check had its answer; None if nothing was checked."""
        ends = [o.started + timedelta(seconds=o.duration) for o in self.outcomes if o.status is not Status.SKIPPED]
        return max(ends, default=None)


_WORST_FIRST = (
    (Status.FAILED, Result.RED),
    (Status.UNKNOWN, Result.UNKNOWN),
    (Status.WAIVED, Result.WAIVED),
)

_ITEMS: Mapping[str, tuple[tuple[str, str, tuple[str, ...]], ...]] = {
    "evaluation": (
        (
            "`/health/detailed` 모든 구성요소 `healthy`",
            "every component of `/health/detailed` is `healthy`",
            ("EVAL-014",),
        ),
        ("API 5xx 비율 정상화", "the share of 5xx answers of the API is normal", ("EVAL-032",)),
        ("Job 실패율 정상화", "the failure rate of jobs is normal", ("EVAL-018",)),
        (
            "Evaluation 샘플 실행 성공 + `run_metadata` 보존 확인",
            "a sample evaluation succeeds and keeps its `run_metadata`",
            ("EVAL-033",),
        ),
    ),
    "ingest": (
        ("readiness/liveness 검증", "readiness and liveness", ("ING-014", "ING-015")),
        ("핵심 API 경로 검증", "the core API paths", ("ING-021",)),
        ("알림 해소 확인", "alerts have cleared", ("ING-022",)),
        ("트래픽 정상화 확인", "traffic is back to normal", ("ING-023",)),
    ),
}
"""By system: Korean and English words, and rows (runbook 002, 복구 검증 체크리스트; 003, 복구)."""

_SUBJECTS: Mapping[str, tuple[str, str]] = {
    "api": ("핵심 API 경로", "core API paths"),
    "attested": ("사람이 확인하는 항목", "what people confirm"),
    "auth": ("인증·권한", "authorization"),
    "cache": ("Redis", "Redis"),
    "database": ("데이터베이스", "database"),
    "decisions": ("Judgment·채팅·BI", "judgments, chat and BI"),
    "external": ("외부 API", "external API"),
    "health": ("서비스 상태", "health of the service"),
    "indicators": ("지표", "indicators"),
    "jobs": ("작업과 Worker", "jobs and workers"),
    "metrics": ("메트릭 수집", "metrics"),
    "payload": ("payload 가드", "payload guard"),
    "quota": ("Rate Limit·쿼터", "rate limits and quotas"),
    "registration": ("상품 등록", "registrations"),
    "regression": ("Regression", "regression"),
    "release": ("릴리스", "release"),
    "settings": ("설정", "settings"),
    "traces": ("Trace", "traces"),
    "tracing": ("요청 추적", "request tracing"),
}
"""What the first word of a check's id stands for."""


def checklist(profile: str, system: str, outcomes: Iterable[Outcome]) -> tuple[Item, ...]:
    """
    The recovery checklist of a profile.

    Args:
        profile: The profile.
        system: Its system. Runbooks 002 and 003 name the items; elsewhere they are the recovery checks by subject.
        outcomes: The outcomes of this profile.
    """
    outcomes = tuple(outcomes)
    if system in _ITEMS:
        return tuple(
            Item(profile, {"ko": ko, "en": en}, rows, tuple(o for o in outcomes if set(o.runbook) & set(rows)))
            for ko, en, rows in _ITEMS[system]
        )
    by_subject: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if "recovery" in outcome.markers and outcome.cause is not Cause.DOES_NOT_APPLY:
            by_subject.setdefault(outcome.name.split(".")[0], []).append(outcome)
    return tuple(_of_subject(profile, subject, tuple(found)) for subject, found in by_subject.items())


def _of_subject(profile: str, subject: str, outcomes: tuple[Outcome, ...]) -> Item:
    ko, en = _SUBJECTS.get(subject, (subject, subject))
    rows = tuple(dict.fromkeys(row for outcome in outcomes for row in outcome.runbook))
    return Item(profile, {"ko": ko, "en": en}, rows, outcomes)
