"""The kinds of records, the systems whose runbook wants them, and the runbook's rows that each covers."""

from collections.abc import Mapping
from dataclasses import dataclass

SCENARIOS = ("db", "redis", "release", "overload")
"""The four templates of runbook 003 (인시던트 시나리오 템플릿)."""


DISASTER_RECOVERY = "dr"
"""The environment of which customers are told (runbook 001)."""


@dataclass(frozen=True)
class Kind:
    """
    A kind of record.

    Attributes:
        title: By language.
        rows: Rows of the runbooks that it covers.
        systems: Whose runbook wants it; empty: everybody's.
        environment: Where the runbook wants it; empty: everywhere.
        needs: What the operator must say for it: `severity`, `scenario`.
        on_demand: True if it is written only where the operator names it: it is of no incident.
        claims: True if it tells others that the service is back; without verified recovery it is withheld.
    """

    title: Mapping[str, str]
    rows: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    environment: str = ""
    needs: str = ""
    on_demand: bool = False
    claims: bool = False


KINDS: Mapping[str, Kind] = {
    "incident": Kind({"ko": "인시던트 기록", "en": "Incident record"}, ("ING-008", "ING-024")),
    "checklist": Kind({"ko": "복구 검증 체크리스트", "en": "Recovery checklist"}, ("EVAL-034",)),
    "start": Kind({"ko": "Incident 시작", "en": "Incident start"}, ("EVAL-035", "EVAL-036")),
    "end": Kind({"ko": "Incident 종료", "en": "Incident end"}, ("EVAL-037",), claims=True),
    "postmortem": Kind({"ko": "포스트모템", "en": "Post-mortem"}, ("EVAL-038", "EVAL-039", "ING-024")),
    "scenario": Kind(
        {"ko": "인시던트 시나리오 기록", "en": "Scenario record"},
        ("ING-026", "ING-027", "ING-028", "ING-030", "ING-031"),
        ("ingest",),
        needs="scenario",
    ),
    "sev": Kind(
        {"ko": "SEV 보고", "en": "SEV report"},
        ("ING-032", "ING-033", "ING-034", "ING-035", "ING-036", "ING-037"),
        ("ingest",),
        needs="severity",
    ),
    "customer-notice": Kind(
        {"ko": "고객사 통지", "en": "Customer notice"},
        ("FAI-141",),
        ("factory-ai",),
        environment=DISASTER_RECOVERY,
        claims=True,
    ),
    "rollback": Kind({"ko": "롤백 사후 분석", "en": "Rollback analysis"}, ("FAI-063", "FAI-069"), ("factory-ai",)),
    "escalation": Kind(
        {"ko": "에스컬레이션 기록", "en": "Escalation record"},
        ("OPS-028", "OPS-049", "OPS-103", "OPS-105", "OPS-106"),
        ("ops-assistant",),
    ),
    "rate-limit": Kind({"ko": "429 근본 원인 분석", "en": "Root cause of 429"}, ("SB-102",), ("storebridge",)),
    "backup": Kind(
        {"ko": "월간 백업 검증 기록", "en": "Monthly backup verification"}, ("SB-052", "FAI-029"), on_demand=True
    ),
    "alerts": Kind({"ko": "알림 대응 시간", "en": "Response times of alerts"}, ("SB-071",), ("storebridge",)),
}
"""By name."""

ROWS = frozenset(row for kind in KINDS.values() for row in kind.rows)
"""Rows of the runbooks that a record covers."""


def wanted(profiles: frozenset[tuple[str, str]]) -> tuple[str, ...]:
    """
    The kinds that the runbooks want, the whole record first.

    Args:
        profiles: System and environment of each profile of the run.
    """
    return tuple(
        name
        for name, kind in KINDS.items()
        if not kind.on_demand
        and any(
            (not kind.systems or system in kind.systems) and kind.environment in ("", environment)
            for system, environment in profiles
        )
    )
