"""Words of records that are put together outside of the templates, in both languages."""

from collections.abc import Mapping

from opsproof.judge.limits import Lang
from opsproof.judge.outcome import Cause
from opsproof.judge.windows import Ending
from opsproof.report.records.checklist import Result

SAID: Mapping[Lang, Mapping[str, str]] = {
    "ko": {
        "no_recovery_checks": "이 실행에는 통과한 복구 점검(recovery)이 없음",
        "replay": "이 실행은 실행 {run}의 증거를 다시 판정한 것으로, 지금의 상태를 보지 않음",
        "interrupted": "실행이 끝까지 진행되지 않음",
        "item": "체크리스트 {number}번 항목 {result}: {title}",
        "window": "연속 정상 {stable_for} 구간을 채우지 못함 ({ending})",
        "not_ready": "모든 점검이 동시에 정상인 적이 없음 ({ending})",
        "root": "{subject}: {cause}: {what}",
        "finding": "{check} ({urgency}) {cause}: {message}",
        "warning": "경고 {check} ({urgency}) {cause}: {message}",
        "not_run": "점검하지 않음, {why}: {checks} ({reason})",
        "more": " 외 {n}건",
        "waived": "예외 처리 {check}: 담당 {owner}, {until}까지: {reason}",
        "could_not_be_read": "버전을 읽지 못함",
        "release": "{profile}: {seen} (기대한 버전: {expected})",
        "plain_release": "{profile}: {seen}",
    },
    "en": {
        "no_recovery_checks": "no check of this run that has the marker recovery passed",
        "replay": "this run judged the evidence of run {run} again and did not look at the state of today",
        "interrupted": "the run did not come to its end",
        "item": "item {number} of the checklist is {result}: {title}",
        "window": "no unbroken healthy stretch of {stable_for} ({ending})",
        "not_ready": "the checks were never all healthy at once ({ending})",
        "root": "{subject}: {cause}: {what}",
        "finding": "{check} ({urgency}) {cause}: {message}",
        "warning": "warning: {check} ({urgency}) {cause}: {message}",
        "not_run": "not checked, {why}: {checks} ({reason})",
        "more": " and {n} more",
        "waived": "waived: {check}, by {owner} until {until}: {reason}",
        "could_not_be_read": "the version could not be read",
        "release": "{profile}: {seen} (expected: {expected})",
        "plain_release": "{profile}: {seen}",
    },
}

NOT_RUN: Mapping[Lang, Mapping[Cause, str]] = {
    "ko": {
        Cause.NOT_ALLOWED: "쓰기가 허용되지 않아 실행하지 않음",
        Cause.DOES_NOT_APPLY: "이 실행이나 프로필에는 해당하지 않음",
    },
    "en": {
        Cause.NOT_ALLOWED: "it writes, and that was not allowed",
        Cause.DOES_NOT_APPLY: "it does not apply to this run or profile",
    },
}
"""Why a check was skipped, by its cause; the reason itself is in the language of the run."""

RESULTS: Mapping[Lang, Mapping[Result, str]] = {
    "ko": {
        Result.GREEN: "정상",
        Result.RED: "이상",
        Result.UNKNOWN: "측정 불가",
        Result.WAIVED: "예외 처리",
        Result.NOT_CHECKED: "확인 안 됨",
    },
    "en": {result: result.value for result in Result},
}

ENDINGS: Mapping[Lang, Mapping[Ending, str]] = {
    "ko": {
        Ending.STABLE: "안정",
        Ending.DEADLINE: "기한 도달",
        Ending.TERMINAL: "더 기다려도 회복될 수 없는 상태",
        Ending.INTERRUPTED: "중단됨",
    },
    "en": {
        Ending.STABLE: "stable",
        Ending.DEADLINE: "the deadline came",
        Ending.TERMINAL: "a state that waiting does not mend",
        Ending.INTERRUPTED: "interrupted",
    },
}
