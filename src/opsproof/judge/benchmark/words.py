"""Sentences on a benchmark, for the operator."""

import math
from collections.abc import Mapping

from opsproof.judge.limits import Lang

Words = Mapping[Lang, str]

_WORDS: Mapping[Lang, Mapping[str, str]] = {
    "en": {
        "all": "of all requests",
        "good": "of the good requests",
        "quantile": "{measure} {of} is {value} (between {lower} and {upper}), limit {limit}: {why}",
        "mean": "the mean {of} is {value} (between {lower} and {upper}), limit {limit}: {why}",
        "slow_above": "{k} of {n} were slower ({seen}), at least {lower} where {allowed} may be",
        "slow_below": "{k} of {n} were slower ({seen}), at most {upper} where {allowed} may be",
        "slow_open": "{k} of {n} were slower ({seen}), between {lower} and {upper} where {allowed} may be; {more} more "
        "requests that are all fast would settle it",
        "errors_above": "{k} of {n} failed ({seen}), at least {lower}; limit {limit}",
        "errors_below": "{k} of {n} failed ({seen}), at most {upper}; limit {limit}",
        "errors_open": "{k} of {n} failed ({seen}), between {lower} and {upper}; limit {limit}; {more} more requests "
        "without a failure would settle it",
        "rate_holds": "{begun} of {planned} arrivals were begun in time ({seen}); limit {limit}",
        "rate_target": "{begun} of {planned} arrivals were begun in time ({seen}); limit {limit}: the target kept all "
        "users waiting",
        "rate_generator": "{begun} of {planned} arrivals were begun in time ({seen}); limit {limit}: the generator did "
        "not keep up, so this says nothing of the target",
        "surely": "surely holds",
        "surely_not": "surely does not hold",
        "open": "cannot be known; a longer benchmark would settle it",
        "mean_short": "a mean needs {needed} seconds with requests for its bounds, and there were {seconds}",
        "nothing": "there was no request to judge",
        "none_good": "not one request was good, so nothing is known of the time that a good one takes",
        "not_trusted": "{why}; but {doubt}",
        "no_baseline": "it is compared with an earlier benchmark, and none was given (--baseline)",
        "other_profile": "the earlier benchmark is of {then}, and this one is of {now}",
        "other_requests": "the earlier benchmark had other requests: {names}",
        "not_in_baseline": "the earlier benchmark has no such requests",
        "baseline_doubted": "the earlier benchmark cannot be believed itself: {doubt}",
        "worse": "worse than the earlier benchmark ({when}): {ours} against {theirs}, {effect} (at least {lower}), "
        "allowed {tolerance}",
        "not_worse": "not worse than the earlier benchmark ({when}): {ours} against {theirs}, {effect} (at most "
        "{upper}), allowed {tolerance}",
        "worse_open": "cannot be told from the earlier benchmark ({when}): {ours} against {theirs}, {effect} (between "
        "{lower} and {upper}), allowed {tolerance}",
        "errors_most": "{why}; most often ({count}): {name}: {error}",
        "both": "{one}; {other}",
        "no_arrivals": "not one arrival was begun ({planned} were planned): nothing was tested",
        "no_requests": "not one request was made after the warm-up, though {begun} arrivals were begun",
        "gone": "{gone} of {users} users ended while arrivals still came, and nobody was there for theirs",
        "idle": "{count} tasks ({share}) did not do what they are for, most of them because {why}",
        "selected": "only a part of the tasks took part ({selected}): it is another load than the one that was planned",
        "user_errors": "users raised {count} errors outside of a request, such as {error}",
        "shortfall": "{missing} of {planned} arrivals were never begun ({share})",
        "late": "the generator itself sent {share} of the arrivals more than {by} late",
        "lag": "the generator's loop was held up for more than {by} in {share} of the looks, {most} at worst",
        "cpu": "the generator used {cpu} of a core over five seconds, where {limit} may be: its times are its own",
        "too_few_users": "all {users} users were busy when {share} of the arrivals were due; {needed} would be needed "
        "for a target that just holds its limits",
        "lost": "{lost} of {workers} workers were lost: {names}",
        "fewer_workers": "{missing} of {wanted} workers never began",
        "interrupted": "it was ended after {seconds} of {planned}",
        "down": "the target answered nothing well any more, and it was ended after {seconds} of {planned}",
        "most_requests": "it ended at {requests} requests, the profile's most_requests",
        "cmp_same": "both are the same benchmark",
        "cmp_plan": "the plans differ: {name} was {then}, and is {now} now",
        "cmp_earlier_doubted": "the earlier benchmark is not believed: {why}",
        "cmp_newer_doubted": "the newer benchmark is not believed: {why}",
        "cmp_no_common": "they have no requests of one name in common",
        "cmp_too_few": "there are too few requests for bounds of any time; a longer benchmark would have them",
        "cmp_order": "the second benchmark is older than the first: the order is EARLIER NEWER",
        "cmp_differs": "{name} was {then}, and is {now} now",
        "cmp_only_then": "only the earlier benchmark has {names}: all requests together are not the same mixture",
        "cmp_only_now": "only the newer benchmark has {names}: all requests together are not the same mixture",
    },
    "ko": {
        "all": "전체 요청의",
        "good": "성공 요청의",
        "quantile": "{of} {measure} {value} ({lower}~{upper}), 한도 {limit}: {why}",
        "mean": "{of} 평균 {value} ({lower}~{upper}), 한도 {limit}: {why}",
        "slow_above": "{n}건 중 {k}건이 더 느림({seen}), 최소 {lower}, 허용 {allowed}",
        "slow_below": "{n}건 중 {k}건이 더 느림({seen}), 최대 {upper}, 허용 {allowed}",
        "slow_open": "{n}건 중 {k}건이 더 느림({seen}), {lower}~{upper}, 허용 {allowed}; "
        "빠른 요청 {more}건이 더 있으면 결정됨",
        "errors_above": "{n}건 중 {k}건 실패({seen}), 최소 {lower}; 한도 {limit}",
        "errors_below": "{n}건 중 {k}건 실패({seen}), 최대 {upper}; 한도 {limit}",
        "errors_open": "{n}건 중 {k}건 실패({seen}), {lower}~{upper}; 한도 {limit}; "
        "실패 없는 요청 {more}건이 더 있으면 결정됨",
        "rate_holds": "계획 {planned}건 중 {begun}건을 제때 시작({seen}); 한도 {limit}",
        "rate_target": "계획 {planned}건 중 {begun}건을 제때 시작({seen}); 한도 {limit}: "
        "대상이 모든 사용자를 기다리게 함",
        "rate_generator": "계획 {planned}건 중 {begun}건을 제때 시작({seen}); 한도 {limit}: "
        "부하 생성기가 따라가지 못해 대상에 대해서는 알 수 없음",
        "surely": "충족 확실",
        "surely_not": "미충족 확실",
        "open": "알 수 없음; 더 오래 실행하면 결정됨",
        "mean_short": "평균의 범위를 구하려면 요청이 있는 {needed}초가 필요하나 {seconds}초뿐임",
        "nothing": "판정할 요청이 없음",
        "none_good": "성공한 요청이 하나도 없어 정상 응답 시간을 알 수 없음",
        "not_trusted": "{why}; 단, {doubt}",
        "no_baseline": "이전 벤치마크와 비교해야 하나 주어지지 않음 (--baseline)",
        "other_profile": "이전 벤치마크의 프로필은 {then}, 현재는 {now}",
        "other_requests": "이전 벤치마크와 요청이 다름: {names}",
        "not_in_baseline": "이전 벤치마크에 해당 요청이 없음",
        "baseline_doubted": "이전 벤치마크 자체를 신뢰할 수 없음: {doubt}",
        "worse": "이전 벤치마크({when})보다 나쁨: {ours}, 이전 {theirs}, {effect} (최소 {lower}), 허용 {tolerance}",
        "not_worse": "이전 벤치마크({when})보다 나쁘지 않음: {ours}, 이전 {theirs}, {effect} (최대 {upper}), "
        "허용 {tolerance}",
        "worse_open": "이전 벤치마크({when})와의 차이를 알 수 없음: {ours}, 이전 {theirs}, {effect} ({lower}~{upper}), "
        "허용 {tolerance}",
        "errors_most": "{why}; 가장 잦은 오류({count}건): {name}: {error}",
        "both": "{one}; {other}",
        "no_arrivals": "계획된 {planned}건 중 하나도 시작되지 않음: 아무것도 시험하지 않음",
        "no_requests": "도착 {begun}건이 시작되었으나 판정할 요청이 없음: 워밍업 이후 요청을 보내지 않음",
        "gone": "도착이 계속되는 동안 사용자 {users}명 중 {gone}명이 종료되어 그 몫을 시작할 사용자가 없었음",
        "idle": "작업 {count}건({share})이 할 일을 하지 못함, 주된 이유: {why}",
        "selected": "일부 작업만 참여함({selected}): 계획한 부하가 아님",
        "user_errors": "사용자 코드에서 요청 밖의 오류 {count}건 발생, 예: {error}",
        "shortfall": "계획 {planned}건 중 {missing}건이 시작되지 않음({share})",
        "late": "부하 생성기 자체가 {share}의 도착을 {by} 넘게 늦게 보냄",
        "lag": "부하 생성기의 루프가 {share}에서 {by} 넘게 지연됨, 최대 {most}",
        "cpu": "부하 생성기가 5초 동안 코어의 {cpu}를 사용함, 허용 {limit}: 측정 시간이 생성기 자신의 것임",
        "too_few_users": "{share}의 도착 시점에 사용자 {users}명이 모두 사용 중; "
        "한도를 겨우 지키는 대상에는 {needed}명 필요",
        "lost": "워커 {workers}개 중 {lost}개를 잃음: {names}",
        "fewer_workers": "워커 {wanted}개 중 {missing}개가 시작하지 않음",
        "interrupted": "{planned} 중 {seconds}에 종료됨",
        "down": "대상이 더 이상 정상 응답하지 않아 {planned} 중 {seconds}에 종료됨",
        "most_requests": "프로필의 most_requests인 요청 {requests}건에서 종료됨",
        "cmp_same": "두 파일이 같은 벤치마크임",
        "cmp_plan": "계획이 다름: {name} 이전 {then}, 현재 {now}",
        "cmp_earlier_doubted": "이전 벤치마크를 신뢰할 수 없음: {why}",
        "cmp_newer_doubted": "현재 벤치마크를 신뢰할 수 없음: {why}",
        "cmp_no_common": "공통된 이름의 요청이 없음",
        "cmp_too_few": "요청이 너무 적어 시간의 범위를 알 수 없음; 더 오래 실행하면 알 수 있음",
        "cmp_order": "두 번째 벤치마크가 더 오래됨: 순서는 이전 것, 새 것",
        "cmp_differs": "{name} 이전 {then}, 현재 {now}",
        "cmp_only_then": "이전 벤치마크에만 있음: {names}; 전체 요청의 구성이 다름",
        "cmp_only_now": "현재 벤치마크에만 있음: {names}; 전체 요청의 구성이 다름",
    },
}


def words(key: str, **parts: str | Words) -> Words:
    """A sentence in every language; a part may be such a sentence itself."""
    return {
        lang: texts[key].format(**{name: part if isinstance(part, str) else part[lang] for name, part in parts.items()})
        for lang, texts in _WORDS.items()
    }


def number_words(value: float, unit: str) -> str:
    """A share as a percentage, a time as ms below ten seconds, each with three digits; "?" if it is not known."""
    if math.isnan(value) or value == -math.inf:
        return "?"
    if math.isinf(value):
        return "∞"
    if unit == "%":
        return f"{100 * value:.3g} %"
    if abs(value) < 10:
        return f"{_three_digits(1000 * value)} ms"
    return f"{_three_digits(value)} s"


def _three_digits(value: float) -> str:
    """Never in powers of ten, and no digit before the point is rounded away."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
