"""Fixed words of the reports on canaries, in both languages."""

from collections.abc import Mapping

from opsproof.canary.facts import CanaryEnding
from opsproof.judge.canary.rules import Answer
from opsproof.judge.canary.series import State
from opsproof.judge.limits import Lang

ANSWERS: Mapping[Lang, Mapping[Answer, str]] = {
    "ko": {Answer.PROMOTE: "승격", Answer.ROLLBACK: "롤백", Answer.INCONCLUSIVE: "판단 불가"},
    "en": {Answer.PROMOTE: "PROMOTE", Answer.ROLLBACK: "ROLL BACK", Answer.INCONCLUSIVE: "INCONCLUSIVE"},
}
SIGNS: Mapping[Answer, str] = {Answer.PROMOTE: "✔", Answer.ROLLBACK: "✘", Answer.INCONCLUSIVE: "?"}
"""Beside the word: the difference is never one of colour alone."""

STATES: Mapping[Lang, Mapping[State, str]] = {
    "ko": {
        State.OK: "정상",
        State.VIOLATION: "위반",
        State.EMPTY: "데이터 없음(empty)",
        State.NAN: "숫자 아님(nan)",
        State.INF: "무한대(inf)",
        State.STALE: "오래된 데이터(stale)",
        State.QUERY_ERROR: "질의 실패(query_error)",
        State.SEVERAL_SERIES: "시계열 여러 개(several_series)",
    },
    "en": {
        State.OK: "ok",
        State.VIOLATION: "violation",
        State.EMPTY: "no data (empty)",
        State.NAN: "no number (nan)",
        State.INF: "infinite (inf)",
        State.STALE: "data too old (stale)",
        State.QUERY_ERROR: "query failed (query_error)",
        State.SEVERAL_SERIES: "several series (several_series)",
    },
}

ENDINGS: Mapping[Lang, Mapping[CanaryEnding, str]] = {
    "ko": {
        CanaryEnding.WATCHED: "",
        CanaryEnding.EARLY: "예정보다 일찍 결정됨",
        CanaryEnding.ERRORS: "오류가 계속되어 중단함",
        CanaryEnding.REFUSED: "관찰 전에 거부됨",
        CanaryEnding.INTERRUPTED: "도중에 중단됨",
    },
    "en": {
        CanaryEnding.WATCHED: "",
        CanaryEnding.EARLY: "decided early",
        CanaryEnding.ERRORS: "given up after errors",
        CanaryEnding.REFUSED: "refused before the watch",
        CanaryEnding.INTERRUPTED: "interrupted",
    },
}

_WORDS: Mapping[Lang, Mapping[str, str]] = {
    "ko": {
        "head": "카나리",
        "section": "카나리",
        "criterion": "기준",
        "requests": "요청 수",
        "answer": "답",
        "watched": "{planned} 중 {seen} 관찰",
        "looks": "{n}회 확인",
        "looks_of": "{planned}회 중 {n}회 확인",
        "never_judged": "한 번도 판정되지 않음",
        "canary": "카나리",
        "baseline": "기준 트랙",
        "bounds": "신뢰 구간",
        "limit": "한도",
        "missing": "부족",
        "more": "실패 없는 요청 {n}건",
        "more_samples": "표본 {n}개",
        "failed": "실패한 비율",
        "slower": "{limit}보다 느린 비율",
        "beyond": "{limit} 초과 비율",
        "short": "{limit} 미만 비율",
        "median": "중앙값",
        "planned_end": "예정 종료",
        "ended": "종료",
        "no_data": "데이터 없음",
        "hole": "표본 공백",
        "of_baseline": "기준 트랙: {what}",
        "others": "외 {n}건",
        "elapsed": "관찰 시간",
        "above_scale": "눈금 밖",
        "bounds_to": "{upper}까지 가능",
        "refused": "거부",
        "note": "참고",
        "why": "이유",
        "weight": "가중치",
        "weighs": "위반한 기준의 합 {weight}, 롤백 기준 {needed}",
        "tolerance": "기준 트랙 대비 허용 {tolerance}",
    },
    "en": {
        "head": "CANARY",
        "section": "Canary",
        "criterion": "Criterion",
        "requests": "n",
        "answer": "Answer",
        "watched": "watched {seen} of {planned}",
        "looks": "{n} looks",
        "looks_of": "{n} of {planned} looks",
        "never_judged": "was never judged",
        "canary": "canary",
        "baseline": "baseline",
        "bounds": "bounds",
        "limit": "limit",
        "missing": "missing",
        "more": "{n} more requests without a failure",
        "more_samples": "{n} more samples",
        "failed": "share that failed",
        "slower": "share slower than {limit}",
        "beyond": "share above {limit}",
        "short": "share below {limit}",
        "median": "median",
        "planned_end": "planned end",
        "ended": "ended",
        "no_data": "no data",
        "hole": "no samples",
        "of_baseline": "baseline: {what}",
        "others": "and {n} more",
        "elapsed": "time of the watch",
        "above_scale": "off the scale",
        "bounds_to": "up to {upper}",
        "refused": "refused",
        "note": "note",
        "why": "why",
        "weight": "weight",
        "weighs": "violated criteria weigh {weight}, roll back at {needed}",
        "tolerance": "allowed beside the baseline: {tolerance}",
    },
}


def words(lang: Lang) -> Mapping[str, str]:
    """The words of a language."""
    return _WORDS[lang]
