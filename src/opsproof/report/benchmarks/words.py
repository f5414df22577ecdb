"""Words of a benchmark's report."""

from collections.abc import Mapping

from opsproof.judge.limits import Lang

_WORDS: Mapping[Lang, Mapping[str, str]] = {
    "en": {
        "head": "BENCHMARK",
        "load": "{begun} of {planned} arrivals, {rate}/s over {duration} ({warm_up} of warm-up not judged)",
        "doubt": "not believed",
        "done": "",
        "sure": "ended early: a gate fails, whatever would still have come",
        "down": "ended early: the target answers nothing well any more",
        "most_requests": "ended at the most requests that the profile allows",
        "interrupted": "ended from outside",
    },
    "ko": {
        "head": "벤치마크",
        "load": "도착 {planned}건 중 {begun}건 시작, {duration} 동안 초당 {rate}건 (워밍업 {warm_up} 제외)",
        "doubt": "신뢰 불가",
        "done": "",
        "sure": "조기 종료: 남은 요청과 관계없이 기준 미충족이 확실함",
        "down": "조기 종료: 대상이 더 이상 정상 응답하지 않음",
        "most_requests": "프로필이 허용한 최대 요청 수에서 종료",
        "interrupted": "외부에서 종료됨",
    },
}


def words(lang: Lang) -> Mapping[str, str]:
    """The words of a language."""
    return _WORDS[lang]
