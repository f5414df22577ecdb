"""The observer: budgets, one question a sweep, a sick target left alone, cancelling."""

import asyncio
import traceback
from dataclasses import dataclass
from typing import Any, Self

import pytest

from opsproof.errors import BadAnswer, NotObserved, PreconditionMissing, TimedOut, Unreachable
from opsproof.evidence.bundle import Bundle
from opsproof.evidence.observer import Observer, Question
from opsproof.evidence.recorder import Recorder, recording
from opsproof.evidence.redaction import Redactor


@dataclass(frozen=True)
class Number:
    """A simple answer."""

    value: int

    def to_json(self) -> dict[str, Any]:
        return {"value": self.value}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        return cls(kept["value"])


def an_observer(**changes: Any) -> Observer:
    settings: dict[str, Any] = {
        "profile": "ingest/test",
        "target": "api",
        "address": "http://api.example",
        "redactor": Redactor(["planted-secret"]),
        "timeout": 5.0,
        "concurrency": 2,
    }
    return Observer(**settings | changes)


class Target:
    """Counts what it is asked; answers after a moment, or fails."""

    def __init__(self, failure: NotObserved | None = None, seconds: float = 0.0) -> None:
        self.asked = 0
        self.at_once = 0
        self.most_at_once = 0
        self.failure = failure
        self.seconds = seconds

    async def fetch(self) -> Number:
        self.asked += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.at_once -= 1
        if self.failure is not None:
            raise self.failure
        return Number(self.asked)


def question(text: str = "GET /x") -> Question:
    return Question(text, f"curl {text}")


def refused() -> Unreachable:
    return Unreachable("connection refused", where="api", next_step="Start it.")


async def outcome(asking: Any) -> Any:
    try:
        return await asking
    except NotObserved as exc:
        return exc


def test_no_more_questions_are_under_way_than_the_budget_allows():
    """The gate must never be what takes a sick system down."""
    target = Target(seconds=0.01)

    async def main() -> None:
        observer = an_observer(concurrency=3)
        await asyncio.gather(*(observer.ask(question(str(n)), target.fetch, Number) for n in range(20)))

    asyncio.run(main())

    assert (target.asked, target.most_at_once) == (20, 3)


def test_the_same_question_is_asked_once_a_sweep_and_seen_by_every_check_that_asked():
    target = Target(seconds=0.01)
    recorders = [Recorder(f"check {number}") for number in range(3)]

    async def check(observer: Observer, recorder: Recorder) -> Number:
        recording.set(recorder)
        return await observer.ask(question(), target.fetch, Number)

    async def main() -> list[Number]:
        observer = an_observer()
        return await asyncio.gather(*(asyncio.create_task(check(observer, one)) for one in recorders))

    answers = asyncio.run(main())

    assert (target.asked, answers) == (1, [Number(1)] * 3)
    assert len({recorder.observations[0].id for recorder in recorders}) == 1


@pytest.mark.parametrize("way", ["fresh", "new sweep", "check that writes", "closed"])
def test_a_question_is_asked_anew_where_an_old_answer_would_be_wrong(way):
    target = Target()

    async def main() -> None:
        observer = an_observer()
        recording.set(Recorder("check", may_write=way == "check that writes"))
        await observer.ask(question(), target.fetch, Number)
        if way == "new sweep":
            observer.new_sweep()
        if way == "closed":
            await observer.close()
        await observer.ask(question(), target.fetch, Number, fresh=way == "fresh")

    asyncio.run(main())

    assert target.asked == 2


@pytest.mark.parametrize(("kind", "limit"), [(Unreachable, 3), (TimedOut, 8)])
def test_a_target_that_no_longer_answers_is_left_alone_for_the_rest_of_the_sweep(kind, limit):
    """A dead target costs a few questions, not one time limit for each check."""
    target = Target(failure=kind("gone", where="api", next_step="Start it."))

    async def main() -> list[NotObserved]:
        observer = an_observer(concurrency=1)
        failures = [await outcome(observer.ask(question(str(n)), target.fetch, Number)) for n in range(20)]
        observer.new_sweep()
        await outcome(observer.ask(question(), target.fetch, Number))
        return failures

    failures = asyncio.run(main())

    assert target.asked == limit + 1
    assert {type(failure) for failure in failures} == {kind}
    assert failures[-1].what == f"not asked: api left the last {limit} questions unanswered (gone)"
    assert failures[-1].next_step == "Start it."


def test_an_answer_in_between_shows_that_the_target_lives():
    target = Target(failure=refused())

    async def main() -> None:
        observer = an_observer(concurrency=1)
        for number in range(9):
            target.failure = None if number % 3 == 2 else refused()
            await outcome(observer.ask(question(str(number)), target.fetch, Number))

    asyncio.run(main())

    assert target.asked == 9


def test_a_bad_answer_is_an_answer_of_a_living_target():
    target = Target(failure=BadAnswer("HTML", where="api", next_step="Look."))

    async def main() -> None:
        observer = an_observer(concurrency=1)
        for number in range(20):
            await outcome(observer.ask(question(str(number)), target.fetch, Number))

    asyncio.run(main())

    assert target.asked == 20


def test_a_question_that_takes_too_long_ends_with_words():
    async def main() -> NotObserved:
        return await outcome(an_observer(timeout=0.05).ask(question(), Target(seconds=60).fetch, Number))

    failure = asyncio.run(main())

    assert str(failure) == (
        "no whole answer within 0.05 s\n"
        "  where: api of ingest/test, GET /x at http://api.example\n"
        "  next:  See whether api is overloaded, blocked or frozen; ask again by hand."
    )


def test_every_check_gets_a_failure_of_its_own():
    """A shared exception collects the traceback of whoever raised it last, and shows one check the code of another."""
    target = Target(failure=refused(), seconds=0.01)

    async def one_check(observer: Observer) -> NotObserved:
        return await outcome(observer.ask(question(), target.fetch, Number))

    async def main() -> list[NotObserved]:
        observer = an_observer()
        return await asyncio.gather(one_check(observer), one_check(observer))

    first, second = asyncio.run(main())

    assert target.asked == 1
    assert first is not second
    assert (str(first), first.target) == (str(second), "api")
    assert len(traceback.extract_tb(first.__traceback__)) == len(traceback.extract_tb(second.__traceback__))
    assert (first.__cause__, first.__context__) == (None, None), "no text that was never redacted"


def test_closing_cancels_what_is_under_way():
    """Ctrl-C must not wait for a target that does not answer."""
    target = Target(seconds=60)

    async def main() -> Any:
        observer = an_observer()
        asking = asyncio.create_task(observer.ask(question(), target.fetch, Number))
        await asyncio.sleep(0.01)
        await observer.close()
        with pytest.raises(asyncio.CancelledError):
            await asking
        target.seconds = 0
        return await observer.ask(question(), target.fetch, Number)

    answer = asyncio.run(main())

    assert (answer, target.at_once) == (Number(2), 0)


def test_a_check_that_is_cancelled_does_not_take_the_answer_from_another():
    target = Target(seconds=0.05)

    async def main() -> Number:
        observer = an_observer()
        impatient = asyncio.create_task(observer.ask(question(), target.fetch, Number))
        patient = asyncio.create_task(observer.ask(question(), target.fetch, Number))
        await asyncio.sleep(0.01)
        impatient.cancel()
        return await patient

    assert asyncio.run(main()) == Number(1)


def test_what_is_observed_is_redacted_once_it_is_made():
    async def main() -> Recorder:
        recorder = Recorder("check")
        recording.set(recorder)
        observer = an_observer()
        failure = Unreachable("planted-secret refused", where="planted-secret", next_step="Change planted-secret.")
        await outcome(observer.ask(question("GET /?key=planted-secret"), Target(failure=failure).fetch, Number))
        return recorder

    recorder = asyncio.run(main())

    assert "planted-secret" not in str(recorder.observations[0].to_json())
    assert recorder.observations[0].question == "GET /?key=***"


def test_a_replay_gives_back_the_failures_of_then():
    async def main() -> tuple[NotObserved, NotObserved, NotObserved, int]:
        recorder, target = Recorder("check"), Target(failure=refused())
        recording.set(recorder)
        then = await outcome(an_observer().ask(question(), target.fetch, Number))
        seen = recorder.observations[0]
        again = an_observer(memory=Bundle({seen.id: seen}, {"check": [seen.id]}))
        recording.set(Recorder("check"))
        now = await outcome(again.ask(question(), target.fetch, Number))
        unknown = await outcome(again.ask(question("GET /new"), target.fetch, Number))
        return then, now, unknown, target.asked

    then, now, unknown, asked = asyncio.run(main())

    assert (type(now), str(now)) == (type(then), str(then))
    assert isinstance(unknown, PreconditionMissing)
    assert unknown.what == "the evidence of that run holds no answer to: GET /new"
    assert asked == 1


def test_a_target_that_is_waited_for_is_asked_again_and_again():
    """A rehearsal breaks a site and waits until an operator has brought it back; giving up would never see that."""
    target = Target(failure=refused())

    async def main() -> int:
        observer = an_observer(concurrency=1, gives_up=False)
        for number in range(9):
            await outcome(observer.ask(question(str(number)), target.fetch, Number))
        target.failure = None
        return (await observer.ask(question("back"), target.fetch, Number)).value

    assert asyncio.run(main()) == 10
    assert target.asked == 10
