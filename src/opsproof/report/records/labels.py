"""How the fields of records are called, and which of them a kind must have."""

from collections.abc import Mapping

IN_KOREAN: Mapping[str, tuple[str, ...]] = {
    "started": ("시작 시각",),
    "ended": ("종료 시각",),
    "time": ("시각",),
    "impact": ("영향",),
    "scope": ("영향 범위",),
    "relief": ("임시 조치",),
    "next": ("다음 업데이트 예정", "다음 업데이트"),
    "cause": ("근본 원인",),
    "measures": ("조치 요약",),
    "prevention": ("재발 방지 과제", "재발 방지 계획"),
    "due": ("기한",),
    "scenario_cause": ("원인",),
    "suspected": ("추정 원인",),
    "confirmed": ("확정 원인",),
    "scenario_relief": ("임시조치",),
    "recovery": ("복구검증",),
    "follow_up": ("후속조치", "롤백/재배포 기록", "용량/성능 후속조치"),
    "current_scope": ("현재 영향 범위", "주요 기능 영향 범위", "부분 영향 범위"),
    "customers": ("고객 영향",),
    "no_workaround": ("우회 불가 여부",),
    "workaround": ("우회 가능 여부",),
    "workaround_path": ("임시 우회 경로",),
    "relief_eta": ("임시조치 ETA",),
    "final_eta": ("최종 복구 ETA",),
    "eta": ("완화/복구 ETA",),
    "permanent": ("영구 조치 일정",),
    "outage": ("장애 기간",),
    "restored": ("복구 완료",),
    "loss": ("데이터 손실",),
    "rollback_cause": ("롤백 원인",),
    "rca": ("RCA",),
    "escalated": ("에스컬레이션 시각",),
    "seen": ("시작",),
    "answered": ("응답 시각",),
    "answer_due": ("응답 기한",),
    "work_item": ("작업 항목",),
    "owner": ("담당자",),
    "limiter": ("Rate Limiter 로직",),
    "concurrency": ("동시성 테스트",),
    "discussions": ("네이버 GitHub Discussions",),
}
"""By key, as `reports/templates/ko` has them."""

IN_ENGLISH: Mapping[str, tuple[str, ...]] = {
    "started": ("Start time",),
    "ended": ("End time",),
    "time": ("Time",),
    "impact": ("Impact",),
    "scope": ("Affected scope",),
    "relief": ("Temporary measure",),
    "next": ("Next update due", "Next update"),
    "cause": ("Root cause",),
    "measures": ("Summary of measures",),
    "prevention": ("Prevention task", "Prevention plan"),
    "due": ("Due",),
    "scenario_cause": ("Cause",),
    "suspected": ("Suspected cause",),
    "confirmed": ("Confirmed cause",),
    "scenario_relief": ("Temporary measure",),
    "recovery": ("Recovery verification",),
    "follow_up": ("Follow-up", "Rollback/redeploy record", "Capacity/performance follow-up"),
    "current_scope": ("Current impact", "Impact on main functions", "Partial impact"),
    "customers": ("Customer impact",),
    "no_workaround": ("No workaround",),
    "workaround": ("Workaround",),
    "workaround_path": ("Temporary workaround",),
    "relief_eta": ("Temporary measure ETA",),
    "final_eta": ("Final recovery ETA",),
    "eta": ("Relief/recovery ETA",),
    "permanent": ("Schedule of the permanent fix",),
    "outage": ("Outage",),
    "restored": ("Restored",),
    "loss": ("Data loss",),
    "rollback_cause": ("Cause of the rollback",),
    "rca": ("Root cause analysis",),
    "escalated": ("Escalated at",),
    "seen": ("Seen",),
    "answered": ("Answered at",),
    "answer_due": ("Answer due",),
    "work_item": ("Work item",),
    "owner": ("Owner",),
    "limiter": ("Rate limiter logic",),
    "concurrency": ("Concurrency test",),
    "discussions": ("Naver GitHub Discussions",),
}
"""By key, as `reports/templates/en` has them."""

LABELS: Mapping[str, tuple[str, ...]] = {key: (*IN_KOREAN[key], *IN_ENGLISH[key]) for key in IN_KOREAN}
"""By key, in any language."""

WANTED: Mapping[str, tuple[str, ...]] = {
    "incident": ("started", "ended", "cause", "measures", "prevention"),
    "start": ("time", "impact", "scope", "relief", "next"),
    "end": ("ended", "cause", "measures", "prevention"),
    "postmortem": ("due", "started", "ended", "cause", "measures", "prevention"),
    "scenario": ("impact", "scenario_cause", "suspected", "confirmed", "scenario_relief", "recovery", "follow_up"),
    "customer-notice": ("outage", "scope", "restored", "loss"),
    "rollback": ("started", "ended", "rollback_cause", "rca", "prevention"),
    "escalation": ("started", "escalated", "work_item"),
    "rate-limit": ("limiter", "concurrency", "discussions"),
}
"""Fields that a kind of record must have, in the runbook's order."""

SEV_WANTED: Mapping[str, tuple[str, ...]] = {
    "SEV-1": ("current_scope", "customers", "no_workaround", "relief_eta", "final_eta", "next"),
    "SEV-2": ("current_scope", "workaround", "eta", "next"),
    "SEV-3": ("current_scope", "workaround_path", "permanent", "next"),
}
"""Fields that a report must have, by severity (runbook 003, SEV 보고 형식)."""
