"""Fixed words of the reports on rehearsals, in both languages, and times as they tell them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from opsproof.judge.limits import Lang
from opsproof.rehearsal.clock.stopwatch import UNEXPLAINED
from opsproof.rehearsal.facts import Proof, StepFact
from opsproof.report.windows import LOCAL_ZONE

PROOFS: Mapping[Lang, Mapping[Proof, str]] = {
    "ko": {Proof.PROVEN: "입증됨", Proof.FAILED: "실패", Proof.NOT_PROVEN: "입증되지 않음"},
    "en": {Proof.PROVEN: "proven", Proof.FAILED: "FAILED", Proof.NOT_PROVEN: "not proven"},
}
SIGNS: Mapping[Proof, str] = {Proof.PROVEN: "✔", Proof.FAILED: "✘", Proof.NOT_PROVEN: "?"}
"""Beside the word: the difference is never one of colour alone."""

PHASES: Mapping[Lang, Mapping[str, str]] = {
    "ko": {
        "declare": "선언·소집",
        "verify": "백업 확인",
        "database": "DB 복구",
        "service": "서비스 복구",
        "data": "데이터 검증",
        "business": "업무 검증",
        "protect": "재보호",
        "failback": "원위치 복귀",
        UNEXPLAINED: "설명되지 않은 시간",
    },
    "en": {
        "declare": "declare",
        "verify": "verify backups",
        "database": "database",
        "service": "service",
        "data": "data checks",
        "business": "business checks",
        "protect": "protect again",
        "failback": "fail back",
        UNEXPLAINED: "not explained",
    },
}

STATES: Mapping[Lang, Mapping[str, str]] = {
    "ko": {
        "passed": "통과",
        "failed": "실패",
        "unknown": "측정 불가",
        "skipped": "제외",
        "waived": "예외 처리",
        "not executed": "미실행",
    },
    "en": {
        "passed": "passed",
        "failed": "FAILED",
        "unknown": "could not be measured",
        "skipped": "skipped",
        "waived": "waived",
        "not executed": "not executed",
    },
}
"""Of a check or a step."""

_WORDS: Mapping[Lang, Mapping[str, str]] = {
    "ko": {
        "rehearsal": "복구 훈련",
        "of": "한도",
        "limit": "한도",
        "resolution": "측정 단위",
        "phases": "단계",
        "writes": "쓰기",
        "aborted": "중단",
        "not_executed": "미실행",
        "seeded": "심은 결함",
        "copies": "사본",
        "embedded": "이 장비의 임시 클러스터에서 수행: 실제 환경의 시간을 말하지 않음",
        "ledger": "보냄 {sent}, 확인되고 남음 {ok}, 유실 {lost} (그중 다시 입력할 것 {to_replay}), "
        "응답 없음 {indeterminate} (그중 남음 {present}), 예상 밖 {unexpected}, 충돌 {conflicting}",
        "no_ledger": "원장이 없음: 유실된 쓰기는 입증되지 않음",
        "ledger_empty": "원장에 쓰기가 없음: 유실된 쓰기는 입증되지 않음",
        "stayed_green": "{n}건을 어느 점검도 잡지 못함: {names}",
        "all_caught": "{n}건 모두 점검이 잡음",
        "unexplained": "설명되지 않은 시간",
        "not_gone_through": "거치지 않음",
        "none_of_them": "거치지 않아 입증되지 않음: {names}",
        "no_moment": "{moment} 시각이 없음",
        "no_ledger_for_it": "원장이 없거나 비어 있음",
        "no_number": "측정값이 없음",
        "no_budget": "예산 없음",
        "over_budget": "예산 초과",
        "step_failed": "실패한 절차 있음",
        "step_not_passed": "통과하지 못한 절차 있음",
        "no_objectives": "목표가 기록되지 않음",
        "no_phases": "T0이 없거나 거친 단계가 없어 그릴 시간이 없음",
        "after_t0": "T0 이후 시간",
        "exposure_unknown": "알 수 없음",
        "remark_aborted": "훈련이 중단됨: {why}",
        "remark_objective": "{name}: {proof}. {why}",
        "remark_lost": "확인된 쓰기 {n}건이 사라짐",
        "remark_to_replay": "잘못된 변경 이후에 확인된 쓰기 {n}건은 복구에서 제외됨: 다시 입력해야 함",
        "remark_conflicting": "서로 다른 값이거나 분리된 양쪽에 있는 쓰기 {n}건",
        "remark_unexpected": "보낸 적이 없는데 있는 쓰기 {n}건",
        "remark_seeded": "심은 결함을 어느 점검도 잡지 못함: {name}. 통상 점검의 말: {usual}",
        "remark_phase": "단계 초과: {name} {seconds}, 예산 {budget}",
        "remark_phase_failed": "단계 실패: {name} ({why})",
        "remark_not_executed": "실행하지 않은 항목 {n}건: 입증된 것이 아님",
        "remark_others": " 외 {n}건",
        "remark_step": "{step}: {status}. {words}",
        "remark_copy_unknown": "사본 {name}: 이것만 남으면 얼마나 유실되는지 알 수 없음. {why}",
        "remark_copy_old": "사본 {name}: 이것만 남으면 {exposure} 유실, RPO 한도 {limit} 초과",
        "remark_projected": "실제 크기로 환산: {words}",
        "remark_expired": "이 훈련은 만료됨: {age} 전에 끝났고 {limit} 안에 다시 해야 함",
        "remark_late": "직전 훈련이 만료된 뒤의 훈련: 간격 {age}, 한도 {limit}",
        "remark_plan": "직전 훈련 이후 계획이 바뀜: 바뀐 계획은 이번에 처음 훈련됨",
        "remark_unreadable": "이전 보고서를 읽지 못해 추이에서 빠짐: {names}",
        "remark_clock": "감지·선언 시간 {seconds}: 측정하지 않고 가정하여 더함",
    },
    "en": {
        "rehearsal": "REHEARSAL",
        "of": "of",
        "limit": "limit",
        "resolution": "resolution",
        "phases": "phases",
        "writes": "writes",
        "aborted": "ABORTED",
        "not_executed": "not executed",
        "seeded": "seeded",
        "copies": "copies",
        "embedded": "on clusters of its own on this machine: it says nothing of an environment's times",
        "ledger": "{sent} sent, {ok} there, {lost} lost ({to_replay} of them to be made again), "
        "{indeterminate} without an answer ({present} there), {unexpected} unexpected, {conflicting} conflicting",
        "no_ledger": "no ledger: lost writes are not proven",
        "ledger_empty": "no writes in the ledger: lost writes are not proven",
        "stayed_green": "{n} caught by no check: {names}",
        "all_caught": "all {n} caught by checks",
        "unexplained": "not explained",
        "not_gone_through": "not gone through",
        "none_of_them": "not gone through, so not proven: {names}",
        "no_moment": "there is no {moment}",
        "no_ledger_for_it": "there is no ledger, or nothing in it",
        "no_number": "there is no number",
        "no_budget": "no budget",
        "over_budget": "over its budget",
        "step_failed": "a step failed",
        "step_not_passed": "a step did not pass",
        "no_objectives": "no objective was recorded",
        "no_phases": "without T0, or without a phase that was gone through, there is no time to draw",
        "after_t0": "time after T0",
        "exposure_unknown": "not known",
        "remark_aborted": "The rehearsal was given up: {why}",
        "remark_objective": "{name} {proof}: {why}",
        "remark_lost": "Acknowledged writes that are gone: {n}",
        "remark_to_replay": "Acknowledged writes from after the wrong change, given up and to be made again: {n}",
        "remark_conflicting": "Writes with two values, or on both sides of a split: {n}",
        "remark_unexpected": "Writes that are there and nobody sent: {n}",
        "remark_seeded": "A seeded fault was caught by no check: {name}. The usual check says: {usual}",
        "remark_phase": "Phase over its budget: {name} took {seconds}, budget {budget}",
        "remark_phase_failed": "Phase failed: {name} ({why})",
        "remark_not_executed": "Not executed, and so not proven: {n}",
        "remark_others": " and {n} more",
        "remark_step": "{step}: {status}. {words}",
        "remark_copy_unknown": "Copy {name}: nobody knows how much would be lost with nothing but it. {why}",
        "remark_copy_old": "Copy {name}: with nothing but it {exposure} would be lost, over the RPO limit of {limit}",
        "remark_projected": "At the full size: {words}",
        "remark_expired": "This rehearsal has expired: it ended {age} ago, and {limit} is the limit",
        "remark_late": "The rehearsal before this one had expired: {age} lie between them, and {limit} is the limit",
        "remark_plan": "The plan changed after the rehearsal before this one: it is rehearsed for the first time",
        "remark_unreadable": "Earlier reports that cannot be read, and are not in the trend: {names}",
        "remark_clock": "{seconds} of detection and declaration are assumed, not measured",
    },
}


def words(lang: Lang) -> Mapping[str, str]:
    """The words of a language."""
    return _WORDS[lang]


def phase_name(name: str, lang: Lang) -> str:
    """A phase for people; one that is not of the runbook keeps its name."""
    return PHASES[lang].get(name, name)


def took(seconds: float, lang: Lang) -> str:
    """
    A measured time: `0 s`, `40 ms`, `2.1 s`, `1 h 0 min 12.5 s`; in Korean `40ms`, `2.1초`.

    What was measured and is not zero never looks like zero, and hours are told to the tenth of a second.
    """
    day, hour, minute, second, milli = (
        ("일", "시간", "분", "초", "ms") if lang == "ko" else (" d", " h", " min", " s", " ms")
    )
    sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
    if 0 < seconds < 0.9995:
        return f"{sign}{seconds * 1000:.3g}{milli}"
    if seconds < 119.995:
        return f"{sign}{seconds:.2f}".rstrip("0").rstrip(".") + second
    tenths = round(seconds * 10)
    days, hours, minutes, rest = tenths // 864000, tenths // 36000 % 24, tenths // 600 % 60, tenths % 600
    parts = [f"{number}{unit}" for number, unit in ((days, day), (hours, hour), (minutes, minute)) if number]
    return sign + " ".join([*parts, *([f"{_tenths(rest)}{second}"] if rest else [])])


def moment(at: datetime, zone: ZoneInfo) -> str:
    """A moment to the millisecond: `2026-11-21 11:00:00.125 KST`; zones without a name show their offset."""
    local = at.astimezone(zone)
    name = (
        "KST" if zone.key == LOCAL_ZONE else "UTC" if local.utcoffset() == UTC.utcoffset(None) else local.strftime("%z")
    )
    return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03d} {name}"


def _tenths(number: int) -> str:
    return f"{number / 10:.1f}".removesuffix(".0")


def step_title(step: StepFact, lang: Lang) -> str:
    """What must be true after a step; in English where the language has no title, its check where there is none."""
    return step.title.get(lang) or step.title.get("en") or step.check
