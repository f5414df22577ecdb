"""Whether a person's answer counts: not from the future, not too old, not from before the incident."""

from collections.abc import Mapping
from datetime import datetime

from opsproof.judge.limits import Lang
from opsproof.profile.answers import Answer
from opsproof.profile.attested import Attested
from opsproof.profile.scalars import duration_text, moment_text

_WORDS: Mapping[Lang, Mapping[str, str]] = {
    "en": {
        "future": "it is dated after the check itself ({asked})",
        "before": "it is from before the incident began ({since})",
        "old": "it was {age} old when the check looked, and counts for {valid_for}",
    },
    "ko": {
        "future": "점검 시각({asked})보다 뒤의 시각임",
        "before": "장애 시작({since}) 이전의 답변임",
        "old": "점검 시점에 {age} 지났으며, 유효 기간은 {valid_for}임",
    },
}


def why_it_does_not_count(
    answer: Answer, item: Attested, *, asked: datetime, since: datetime | None, lang: Lang = "en"
) -> str:
    """
    Why an answer does not count, in words; "" if it does.

    Args:
        answer: Yes or no.
        item: What was asked.
        asked: When the check looked for the answer; a replay looks when the run itself did.
        since: When the incident began, if the run looks back at one.
        lang: The operator's language.
    """
    said = _WORDS[lang]
    if answer.at > asked:
        return said["future"].format(asked=moment_text(asked.astimezone(answer.at.tzinfo)))
    if since is not None and answer.at < since:
        return said["before"].format(since=moment_text(since.astimezone(answer.at.tzinfo)))
    age = (asked - answer.at).total_seconds()
    if age > item.valid_for:
        return said["old"].format(age=_age(age), valid_for=duration_text(item.valid_for))
    return ""


def _age(seconds: float) -> str:
    """In whole minutes: `5 h 20 min`."""
    hours, minutes = divmod(int(seconds // 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
