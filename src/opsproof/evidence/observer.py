"""The observer: asks a target on behalf of a probe, within budgets, and keeps every answer as evidence."""

import asyncio
import functools
import itertools
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, Self, TypeVar, cast

from opsproof import errors
from opsproof.errors import NotObserved, TimedOut, Unreachable
from opsproof.evidence.observation import Failure, Observation
from opsproof.evidence.recorder import recording
from opsproof.evidence.redaction import Redactor


class Answer(Protocol):
    """What a probe returns: can be kept as JSON, and be made from it again."""

    def to_json(self) -> dict[str, Any]:
        """The answer as evidence keeps it, before redaction."""
        ...

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """The answer as evidence kept it."""
        ...


A = TypeVar("A", bound=Answer)


@dataclass(frozen=True, slots=True)
class Question:
    """
    What is asked.

    Attributes:
        text: The question without the target's address; equal texts ask the same.
        by_hand: A command line or statement that repeats it by hand.
    """

    text: str
    by_hand: str


class Memory(Protocol):
    """Where a replay finds the answers of an earlier run."""

    def recall(self, check: str, target: str, question: str) -> Observation:
        """
        The next answer that this check got to this question.

        Raises:
            PreconditionMissing: The earlier run did not ask it.
        """
        ...


_UNANSWERED_LIMIT = {Unreachable: 3, TimedOut: 8}
_numbers = itertools.count(1)


class Observer:
    """
    Asks one target.

    It keeps the target's budget, gives every question a time limit, asks the same question once a sweep, stops
    asking a target that has ceased to answer, and records a redacted observation for every check that asked.

    Args:
        profile: Name of the profile.
        target: Name of the target.
        address: Where the target is; shown to people.
        redactor: Masks what is kept.
        timeout: Seconds for one question.
        concurrency: Questions under way at once.
        memory: Answers of an earlier run; given, nothing is sent.
        gives_up: Whether a target that does not answer is left alone for the rest of a sweep; a rehearsal waits for it.
    """

    def __init__(
        self,
        *,
        profile: str,
        target: str,
        address: str,
        redactor: Redactor,
        timeout: float,
        concurrency: int,
        memory: Memory | None = None,
        gives_up: bool = True,
    ) -> None:
        self.profile = profile
        self.target = target
        self.address = address
        self.redactor = redactor
        self.timeout = timeout
        self._memory = memory
        self._gives_up = gives_up
        self._slots = asyncio.Semaphore(concurrency)
        self._asked: dict[str, asyncio.Task[tuple[Observation, Any]]] = {}
        self._under_way: set[asyncio.Task[tuple[Observation, Any]]] = set()
        self._unanswered: list[NotObserved] = []

    @property
    def replays(self) -> bool:
        """True if answers come from an earlier run; nothing is sent then."""
        return self._memory is not None

    async def close(self) -> None:
        """Cancel what is still under way, and wait until it has let go of its connection."""
        tasks = list(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._asked.clear()

    def new_sweep(self) -> None:
        """Forget all answers: what is asked from now on is asked again."""
        self._asked.clear()
        self._unanswered.clear()

    async def ask(
        self,
        question: Question,
        fetch: Callable[[], Awaitable[A]],
        answer_type: type[A],
        *,
        fresh: bool = False,
        timeout: float | None = None,
        overdue: Callable[[float], NotObserved] | None = None,
    ) -> A:
        """
        Ask, or take the answer that another check of this sweep got.

        Args:
            question: What is asked.
            fetch: Asks the target; raises `NotObserved` if there is no answer.
            answer_type: The answer's class.
            fresh: True to ask even if it was asked before. A check that writes always asks anew.
            timeout: Seconds for this question, in place of the target's.
            overdue: Says, given the limit in seconds, how far the question had come when the time was up.

        Raises:
            NotObserved: There is no answer; the observation says why. Every asker gets an exception of its own.
        """
        recorder = recording.get()
        if self._memory is not None:
            return self._recall(self._memory, question, answer_type)
        limit = timeout or self.timeout
        anew = fresh or (recorder is not None and recorder.may_write)
        task = None if anew else self._asked.get(question.text)
        if task is None:
            overdue = overdue or functools.partial(self._no_answer, question)
            task = asyncio.create_task(self._observe(question, fetch, limit, overdue))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            if not anew:
                self._asked[question.text] = task
        observation, result = await asyncio.shield(task)
        if recorder is not None:
            recorder.observations.append(observation)
        if observation.failure is not None:
            raise _raised_again(observation.failure, self.target)
        return cast(A, result)

    def _recall(self, memory: Memory, question: Question, answer_type: type[A]) -> A:
        recorder = recording.get()
        check = recorder.check if recorder is not None else ""
        observation = memory.recall(check, self.target, self.redactor.text(question.text))
        if recorder is not None:
            recorder.observations.append(observation)
        if observation.failure is not None:
            raise _raised_again(observation.failure, self.target)
        return answer_type.from_json(observation.answer or {})

    async def _observe(
        self,
        question: Question,
        fetch: Callable[[], Awaitable[A]],
        timeout: float,
        overdue: Callable[[float], NotObserved],
    ) -> tuple[Observation, A | NotObserved]:
        async with self._slots:
            started, clock = datetime.now(UTC), time.perf_counter()
            result = await self._fetch(fetch, timeout, overdue)
            duration = time.perf_counter() - clock
        answer = failure = None
        if isinstance(result, NotObserved):
            failure = Failure(type(result).__name__, result.what, result.where, result.next_step)
        else:
            answer = self.redactor.value(result.to_json())
        observation = Observation(
            id=f"{os.getpid()}-{next(_numbers)}",
            profile=self.profile,
            target=self.target,
            question=self.redactor.text(question.text),
            by_hand=self.redactor.text(question.by_hand),
            started=started,
            duration=round(duration, 6),
            answer=answer,
            failure=failure,
        )
        return observation, result

    async def _fetch(
        self, fetch: Callable[[], Awaitable[A]], timeout: float, overdue: Callable[[float], NotObserved]
    ) -> A | NotObserved:
        if given_up := self._given_up():
            return given_up
        try:
            async with asyncio.timeout(timeout):
                answer = await fetch()
        except TimeoutError:
            failure = overdue(timeout)
        except NotObserved as failed:
            failure = failed
        else:
            self._unanswered.clear()
            return answer
        masked = type(failure)(
            self.redactor.text(failure.what),
            where=self.redactor.text(failure.where),
            next_step=self.redactor.text(failure.next_step),
            target=self.target,
        )
        if isinstance(masked, (Unreachable, TimedOut)):
            self._unanswered.append(masked)
        else:
            self._unanswered.clear()
        return masked

    def _no_answer(self, question: Question, timeout: float) -> NotObserved:
        return TimedOut(
            f"no whole answer within {timeout:g} s",
            where=self.where(question.text),
            next_step=f"See whether {self.target} is overloaded, blocked or frozen; ask again by hand.",
        )

    def where(self, question: str) -> str:
        """Target, question and address, as an error names them."""
        return self.redactor.text(f"{self.target} of {self.profile}, {question} at {self.address}")

    def _given_up(self) -> NotObserved | None:
        """After so many questions in a row without an answer a sick target is left alone for this sweep."""
        if not self._gives_up or not self._unanswered:
            return None
        last = self._unanswered[-1]
        if len(self._unanswered) < _UNANSWERED_LIMIT[type(last)]:
            return None
        return type(last)(
            f"not asked: {self.target} left the last {len(self._unanswered)} questions unanswered ({last.what})",
            where=last.where,
            next_step=last.next_step,
            target=self.target,
        )


def _raised_again(failure: Failure, target: str) -> NotObserved:
    kind: type[NotObserved] = getattr(errors, failure.kind)
    return kind(failure.what, where=failure.where, next_step=failure.next_step, target=target)
