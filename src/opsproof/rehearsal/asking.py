"""Ask, and act, so that every answer is evidence."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from opsproof.errors import PreconditionMissing, StackError
from opsproof.evidence.observer import Observer, Question
from opsproof.evidence.redaction import Redactor
from opsproof.probes.plain import Plain

T = TypeVar("T")


class Asking:
    """
    Asks on behalf of a rehearsal. In a replay nothing is called: the answers are those of the earlier run.

    Args:
        observer: Keeps the answers.
    """

    def __init__(self, observer: Observer) -> None:
        self.observer = observer

    @classmethod
    def alone(cls, name: str, *, seconds: float = 600.0) -> "Asking":
        """Outside of a run of pytest: for `opsproof dr prove`, benchmarks and tests."""
        observer = Observer(
            profile=name, target=name, address=name, redactor=Redactor(), timeout=seconds, concurrency=4
        )
        return cls(observer)

    async def ask(
        self, text: str, by_hand: str, call: Callable[[], T], *, seconds: float | None = None, fresh: bool = True
    ) -> T:
        """
        Call a function in a thread, and keep what it returns.

        Args:
            text: The question, or what is done: `pg_waldump 0000000100000000000000A1`.
            by_hand: A command that repeats it.
            call: Returns what JSON can hold; raises `NotObserved` if there is no answer, or `StackError` if what was to
                be done was not.
            seconds: Time limit in place of the target's.
            fresh: False to take the answer that another check of this sweep got.

        Raises:
            NotObserved: There is no answer; says why.
        """

        async def fetch() -> Plain:
            try:
                return Plain(await asyncio.to_thread(call))
            except StackError as exc:
                raise PreconditionMissing(exc.what, where=exc.where, next_step=exc.next_step) from None

        answer = await self.observer.ask(Question(text, by_hand), fetch, Plain, fresh=fresh, timeout=seconds)
        value: Any = answer.value
        kept: T = value
        return kept
