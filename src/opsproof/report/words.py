"""The fixed words of the terminal's verdict block, in both languages of the operators."""

from collections.abc import Mapping

from opsproof.judge.limits import Lang
from opsproof.judge.outcome import Cause
from opsproof.report.run import ReleaseFact

_WORDS: Mapping[Lang, Mapping[str, str]] = {
    "en": {
        "root_cause": "ROOT CAUSE",
        "failed": "FAILED",
        "unknown": "COULD NOT BE MEASURED",
        "what": "what",
        "where": "where",
        "next": "next",
        "tell": "tell",
        "by_hand": "by hand",
        "runbook": "runbook",
        "checks": "checks",
        "could_not_run": "{n} check{s} could not run",
        "did_fail": "{n} check{s} failed",
        "are_waived": "{n} check{s} waived",
        "depend_on_it": "{n} more depend{v} on it",
        "also": "also",
        "why": "WHY",
        "waived": "waived",
        "waived_by": "{check}: by {owner} until {until}: {reason}",
        "warning": "warning",
        "not_checked": "NOT CHECKED",
        "writes_not_allowed": "{n} SEV-1 check{s} of {profiles} write{v}; to run: {reason}",
        "skipped_for": "{n} SEV-1 check{s} of {profiles}: {reason}",
        "not_carried": "{n} check{s} ({worst} SEV-1) need{v} what their profile does not have: see {file}",
        "note": "note",
        "release": "release",
        "expected": "{seen}, expected {expected}",
        "nothing_answered": "not seen",
        "numbers": "{checks} checks in {time}: {numbers}; {questions} questions asked",
        "none": "no checks",
        "n_passed": "{n} passed",
        "n_failed": "{n} failed",
        "n_unknown": "{n} unknown",
        "n_skipped": "{n} skipped",
        "n_waived": "{n} waived",
        "report": "report",
        "no_report": "could not be written",
        "again": "again",
        "more": "{n} more: see {file}",
        "whole": "... (whole text in the report)",
        "long_command": "too long for a line: see {file}",
        "more_questions": "{n} more question{s} in {file}",
        "confirmed": "confirmed",
        "taken_over": "taken over",
        "taken_over_from": "{n} check{s} from run {run}, of {when}",
        "resumed": "resumes run {run}: {n} taken over, {rest} checked now",
        "replay": "judged again from the evidence of run {run}",
        "diagnosis": "DIAGNOSIS",
        "none_fits": "none of the {n} scenarios of the runbook fits what was seen",
        "signs": "signs",
        "against": "against",
        "not_measured": "unknown",
        "verdict": "VERDICT",
        "exit": "exit status {status}",
    },
    "ko": {
        "root_cause": "근본 원인",
        "failed": "실패",
        "unknown": "측정 불가",
        "what": "현상",
        "where": "위치",
        "next": "다음 조치",
        "tell": "알릴 곳",
        "by_hand": "직접 확인",
        "runbook": "런북",
        "checks": "영향",
        "could_not_run": "점검 {n}건 실행 불가",
        "did_fail": "점검 {n}건 실패",
        "are_waived": "점검 {n}건 예외 처리됨",
        "depend_on_it": "이에 의존하는 점검 {n}건 추가",
        "also": "함께 실패",
        "why": "판정 이유",
        "waived": "예외 처리",
        "waived_by": "{check}: 담당 {owner}, {until}까지: {reason}",
        "warning": "경고",
        "not_checked": "점검 안 함",
        "writes_not_allowed": "{profiles}의 SEV-1 점검 {n}건은 쓰기가 필요함; 실행하려면: {reason}",
        "skipped_for": "{profiles}의 SEV-1 점검 {n}건: {reason}",
        "not_carried": "프로필에 없는 항목이 필요한 점검 {n}건(SEV-1 {worst}건): {file} 참조",
        "note": "참고",
        "release": "릴리스",
        "expected": "{seen} (기대: {expected})",
        "nothing_answered": "확인 안 됨",
        "numbers": "점검 {checks}건, {time}: {numbers}; 질문 {questions}건",
        "none": "점검 없음",
        "n_passed": "통과 {n}",
        "n_failed": "실패 {n}",
        "n_unknown": "측정 불가 {n}",
        "n_skipped": "제외 {n}",
        "n_waived": "예외 처리 {n}",
        "report": "보고서",
        "no_report": "쓰지 못함",
        "again": "재판정",
        "more": "{n}건 더 있음: {file} 참조",
        "whole": "... (전문은 보고서 참조)",
        "long_command": "한 줄에 너무 김: {file} 참조",
        "more_questions": "질문 {n}건 더 있음: {file} 참조",
        "confirmed": "사람이 확인함",
        "taken_over": "이전 결과 사용",
        "taken_over_from": "실행 {run}의 점검 {n}건, 점검 시각 {when}",
        "resumed": "실행 {run}을 이어서 진행함: 이전 결과 {n}건 사용, {rest}건 새로 점검",
        "replay": "실행 {run}의 증거로 다시 판정함",
        "diagnosis": "진단",
        "none_fits": "런북의 시나리오 {n}건 중 관측된 내용에 맞는 것이 없음",
        "signs": "근거",
        "against": "반대 근거",
        "not_measured": "미측정",
        "verdict": "판정",
        "exit": "종료 코드 {status}",
    },
}


def words(lang: Lang) -> Mapping[str, str]:
    """The words of a language."""
    return _WORDS[lang]


_CAUSES_KO = {
    Cause.TARGET_WRONG: "대상 이상",
    Cause.UNREACHABLE: "연결 불가",
    Cause.TIMED_OUT: "시간 초과",
    Cause.BAD_ANSWER: "잘못된 응답",
    Cause.PRECONDITION_MISSING: "전제 조건 없음",
    Cause.NO_DATA: "데이터 없음",
    Cause.NOT_ATTESTED: "사람의 확인 없음",
    Cause.CHECK_BROKEN: "점검 자체의 오류",
    Cause.INTERRUPTED: "중단됨",
    Cause.DOES_NOT_APPLY: "해당 없음",
    Cause.NOT_ALLOWED: "허용되지 않음",
}


def cause_text(cause: Cause | None, lang: Lang) -> str:
    """A cause in the operator's language."""
    return "" if cause is None else _CAUSES_KO[cause] if lang == "ko" else cause.value


def extent_text(extent: Mapping[str, int], said: Mapping[str, str]) -> str:
    """How far a root cause reaches: `3 checks could not run, 5 more depend on it`."""
    return ", ".join(
        said[key].format(n=n, s="" if n == 1 else "s", v="s" if n == 1 else "") for key, n in extent.items() if n
    )


def numbers_text(found: Mapping[str, int], said: Mapping[str, str]) -> str:
    """How many checks have which status: `12 passed, 1 failed`."""
    return ", ".join(said[f"n_{status}"].format(n=n) for status, n in found.items()) or said["none"]


def release_text(release: ReleaseFact, said: Mapping[str, str]) -> str:
    """Which release answered, how often, and what was expected if it differs: `1.4.1 (3), expected 1.4.2`."""
    seen = ", ".join(f"{version} ({n})" for version, n in release.seen.items()) or said["nothing_answered"]
    if release.expected is None or list(release.seen) == [release.expected]:
        return seen
    return said["expected"].format(expected=release.expected, seen=seen)
