"""What an attested check works with: a person's answer, kept as an observation like any other."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from opsproof.errors import NotAttested
from opsproof.evidence.observation import Observation
from opsproof.evidence.observer import Observer, Question
from opsproof.evidence.recorder import recording
from opsproof.judge.attesting import why_it_does_not_count
from opsproof.judge.limits import Lang
from opsproof.judge.outcome import AttestedFact
from opsproof.profile.answers import Answer
from opsproof.profile.attested import Attested, attested_check

PERSON = "person"
"""Name of the target of such an observation; no profile has a target to reach it."""

_WORDS: Mapping[Lang, Mapping[str, str]] = {
    "en": {
        "nobody": "nobody has answered: {ask}",
        "not_counted": "the answer ({answer}) does not count: {why}",
        "next": "See for yourself, then answer: in a terminal, or with --attest=FILE "
        "(opsproof attest template --profile {profile}); --resume RUN keeps what is still fresh.",
    },
    "ko": {
        "nobody": "아직 답변한 사람이 없음: {ask}",
        "not_counted": "답변({answer})이 인정되지 않음: {why}",
        "next": "직접 확인한 뒤 답변한다: 터미널에서, 또는 --attest=FILE "
        "(opsproof attest template --profile {profile}); --resume RUN은 아직 유효한 결과를 유지한다.",
    },
}


class Attester:
    """
    Finds the answers of people for one environment.

    Args:
        observer: Keeps them as evidence, of the target `person`.
        answers: By id of the check; given by file or at the terminal, before the checks begin.
        since: When the incident began, if the run looks back at one.
        lang: The operator's language.
    """

    def __init__(
        self, observer: Observer, answers: Mapping[str, Answer], *, since: datetime | None, lang: Lang
    ) -> None:
        self._observer = observer
        self._answers = answers
        self._since = since
        self._lang: Lang = lang

    async def ask(self, item: Attested) -> Answer:
        """
        The answer of a person, if it counts.

        Raises:
            NotAttested: Nobody has answered, or the answer does not count; says why.
        """
        said = _WORDS[self._lang]
        profile, name = self._observer.profile, attested_check(item.id)
        ask: str = getattr(item.ask, self._lang)

        def missing(what: str) -> NotAttested:
            next_step = said["next"].format(profile=profile)
            return NotAttested(what, where=f"{name} of {profile}", next_step=next_step, target=PERSON)

        async def answered() -> Answer:
            answer = self._answers.get(f"{name}[{profile}]")
            if answer is None or answer.answer == "later":
                raise missing(said["nobody"].format(ask=ask))
            return answer

        # The question is the English one whatever the operator's language, so that a replay in another finds it.
        answer = await self._observer.ask(Question(f"{name}: {item.ask.en}", by_hand=ask), answered, Answer)
        recorder = recording.get()
        asked = recorder.observations[-1].started if recorder else datetime.now(answer.at.tzinfo)
        if why := why_it_does_not_count(answer, item, asked=asked, since=self._since, lang=self._lang):
            raise missing(said["not_counted"].format(answer=answer.words, why=why))
        return answer


def attested_fact(seen: Iterable[Observation]) -> AttestedFact | None:
    """Whose word a check has, as its evidence tells."""
    for observation in seen:
        if observation.target == PERSON and observation.answer is not None:
            answer = Answer.from_json(observation.answer)
            return AttestedFact(by=answer.by, at=answer.at, note=answer.note)
    return None
