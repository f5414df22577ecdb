"""Sentences of the canary's judgement, for the operator."""

import math
from collections.abc import Mapping

from opsproof.judge.limits import Lang

Words = Mapping[Lang, str]

_WORDS: Mapping[Lang, Mapping[str, str]] = {
    "en": {
        "above": "surely above the limit: {k} of {n} ({seen}), at least {lower}, limit {limit}",
        "above_as_baseline": "surely above the limit: {k} of {n} ({seen}), limit {limit}; but the baseline itself is "
        "sick ({baseline}), so the canary may not be to blame",
        "worse": "surely worse than the baseline: {canary} against {baseline}, allowed {allowed} (p = {p})",
        "worse_but_below": "surely worse than the baseline: {canary} against {baseline}, allowed {allowed} (p = {p}), "
        "although surely below the limit {limit}",
        "below": "surely below the limit: {k} of {n} ({seen}), at most {upper}, limit {limit}",
        "not_worse": "surely not worse than the baseline: {canary} against {baseline}, allowed {allowed}",
        "holds_so_far": "holds so far: {k} of {n} ({seen}), decided at the planned end",
        "open": "can't be known yet: {k} of {n} ({seen}), between {lower} and {upper}, limit {limit}; {more} more "
        "requests without a failure would do, at this rate no number would",
        "open_at_rate": "can't be known yet: {k} of {n} ({seen}), between {lower} and {upper}, limit {limit}; {more} "
        "more requests without a failure would do, or {at_rate} at this rate",
        "open_relative": "can't be known yet: {canary} against {baseline} of the baseline, allowed {allowed}",
        "min_samples": "too few: {n}, and {wanted} are demanded; {missing} are missing",
        "too_few": "too few samples to compare with the baseline: {missing} more are needed",
        "bad_data": "no usable data: {state}",
        "bad_baseline": "no usable data of the baseline: {state}",
        "beyond": "the limit {limit} is above the last finite bucket edge ({last}), and no quantile can be above that; "
        "give the histogram an edge at the limit",
        "between": "the limit {limit} is between the bucket edges {below} and {above}: it promotes only if {below} "
        "holds, and rolls back only if {above} is exceeded",
        "slower": "slower than {limit}",
        "not_covered": "too little was seen: {covered} of the watch has samples, {wanted} are demanded",
        "restarted": "it began again {times} times, {allowed} are allowed; what failed right before is not counted",
        "terminated": "the watch was ended before its time",
        "no_criteria": "there are no criteria",
        "not_judged": "{criterion}: was never judged",
    },
    "ko": {
        "above": "한도 초과 확실: {n}건 중 {k}건({seen}), 최소 {lower}, 한도 {limit}",
        "above_as_baseline": "한도 초과 확실: {n}건 중 {k}건({seen}), 한도 {limit}; "
        "단, 기준 트랙 자체가 비정상({baseline})이므로 카나리 때문이 아닐 수 있음",
        "worse": "기준 트랙보다 나쁨이 확실: {canary}, 기준 {baseline}, 허용 {allowed} (p = {p})",
        "worse_but_below": "기준 트랙보다 나쁨이 확실: {canary}, 기준 {baseline}, 허용 {allowed} (p = {p}); "
        "단, 한도 {limit} 미만은 확실",
        "below": "한도 미만 확실: {n}건 중 {k}건({seen}), 최대 {upper}, 한도 {limit}",
        "not_worse": "기준 트랙보다 나쁘지 않음이 확실: {canary}, 기준 {baseline}, 허용 {allowed}",
        "holds_so_far": "지금까지 충족: {n}건 중 {k}건({seen}), 계획된 종료 시점에 결정",
        "open": "아직 알 수 없음: {n}건 중 {k}건({seen}), {lower}~{upper}, 한도 {limit}; "
        "실패 없는 요청 {more}건이 더 필요하고, 현재 비율로는 몇 건이어도 부족",
        "open_at_rate": "아직 알 수 없음: {n}건 중 {k}건({seen}), {lower}~{upper}, 한도 {limit}; "
        "실패 없는 요청 {more}건, 현재 비율이면 {at_rate}건이 더 필요",
        "open_relative": "아직 알 수 없음: {canary}, 기준 {baseline}, 허용 {allowed}",
        "min_samples": "표본 부족: {n}건, 요구 {wanted}건; {missing}건 부족",
        "too_few": "기준 트랙과 비교하기에 표본 부족: {missing}건 더 필요",
        "bad_data": "쓸 수 있는 데이터 없음: {state}",
        "bad_baseline": "기준 트랙의 쓸 수 있는 데이터 없음: {state}",
        "beyond": "한도 {limit}이(가) 마지막 유한 버킷 경계({last})보다 큼: "
        "이런 분위수는 한도를 넘을 수 없음; 히스토그램에 한도와 같은 경계를 추가할 것",
        "between": "한도 {limit}이(가) 버킷 경계 {below}와(과) {above} 사이: "
        "{below} 기준으로 충족해야 승격, {above} 기준으로 초과해야 롤백",
        "slower": "{limit}보다 느린 요청",
        "not_covered": "관찰된 부분이 부족함: 관찰 시간의 {covered}만 표본이 있음, 요구 {wanted}",
        "restarted": "관찰 중 {times}회 재시작됨, 허용 {allowed}회; 재시작 직전의 실패는 집계되지 않음",
        "terminated": "관찰이 예정보다 일찍 종료됨",
        "no_criteria": "기준이 하나도 없음",
        "not_judged": "{criterion}: 한 번도 판정되지 않음",
    },
}


def words(key: str, **numbers: str) -> Words:
    """A sentence in every language."""
    return {lang: texts[key].format(**numbers) for lang, texts in _WORDS.items()}


def share_text(share: float | None) -> str:
    """A share as a percentage with three digits; "?" if there is none."""
    if share is None or math.isnan(share):
        return "?"
    return f"{100 * share:.3g} %"
