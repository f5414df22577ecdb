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
        "window_stable": "STABLE for {stretch}, unbroken since {since}, {after} after the window began",
        "window_ready": "READY after {time}, on attempt {attempts}",
        "window_not_stable": "NOT STABLE: {why}",
        "window_unsteady": "NOT STABLE: {n} of {total} checks were not healthy for {stretch} without a break",
        "window_not_ready": "NOT READY: {n} of {total} checks were not healthy",
        "window_hopeless": "STOPPED, since waiting changes nothing: {why}",
        "first_healthy": "all healthy for the first time after {time}",
        "never_healthy": "never all healthy at once",
        "longest_stretch": "longest stretch {longest} of {aim}",
        "flaps_and_gaps": "healthy and then failed again: {flaps}; gaps: {gaps}",
        "samples": "{samples} samples in {attempts} rounds, {every} s apart",
        "marks": "(. healthy, x failed, ? unknown, - gap)",
        "incident_began": "INCIDENT began {time}, {before} before this run",
        "since_then": "since then",
        "new": "NEW",
        "there_before": "THERE BEFORE",
        "not_known": "NOT KNOWN IF NEW",
        "baseline": "baseline",
        "held_against": "run {run}, {at}",
        "told_apart": "new: {new}; there before: {there_before}",
        "and_not_known": "; not known: {not_known} (the baseline left them out, or could not measure them)",
        "still_a_failure": "A failure that was there before is still a failure; the profile waives what is known.",
        "then": "before",
        "healed": "green again since then: {checks}",
        "verdict": "VERDICT",
        "verdict_ready": "VERDICT {word} after {time}, on attempt {attempts}",
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
        "window_stable": "안정: {stretch} 동안 끊김 없이 정상, {since}부터 (관찰 시작 {after} 후)",
        "window_ready": "준비 완료: {time} 후, 시도 {attempts}회째",
        "window_not_stable": "안정되지 않음: {why}",
        "window_unsteady": "안정되지 않음: 점검 {total}건 중 {n}건이 {stretch} 동안 끊김 없이 정상이지 못함",
        "window_not_ready": "준비되지 않음: 점검 {total}건 중 {n}건이 정상이 아님",
        "window_hopeless": "중단: 기다려도 달라지지 않음: {why}",
        "first_healthy": "처음으로 모두 정상이 되기까지 {time}",
        "never_healthy": "모두 정상이었던 순간 없음",
        "longest_stretch": "가장 긴 정상 구간 {longest} (목표 {aim})",
        "flaps_and_gaps": "정상 후 재실패 {flaps}회, 관측 공백 {gaps}회",
        "samples": "표본 {samples}개, {attempts}라운드, {every}초 간격",
        "marks": "(. 정상, x 실패, ? 측정 불가, - 공백)",
        "incident_began": "장애 시작 {time}, 이 실행 {before} 전",
        "since_then": "그 이후",
        "new": "신규",
        "there_before": "이전부터 있음",
        "not_known": "신규 여부 모름",
        "baseline": "기준 실행",
        "held_against": "{run}, {at}",
        "told_apart": "신규 {new}건; 이전부터 {there_before}건",
        "and_not_known": "; 신규 여부 모름 {not_known}건 (기준 실행에서 점검하지 않았거나 측정하지 못함)",
        "still_a_failure": "이전부터 있던 실패도 실패임. 알려진 실패는 프로필에서 예외 처리(waiver)함.",
        "then": "이전",
        "healed": "그 이후 정상으로 돌아온 점검: {checks}",
        "verdict": "판정",
        "verdict_ready": "판정 {word}: {time} 후, 시도 {attempts}회째",
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
