"""Release identity: what answers is the release under test, before any other check counts."""

import asyncio
from collections import Counter

from opsproof.errors import NotObserved, PreconditionMissing, TimedOut, Unreachable
from opsproof.evidence.recorder import Recorder, recording
from opsproof.probes.http import HttpProbe
from opsproof.profile.sections import Release


class ReleaseWatch:
    """
    Asks a profile's API which release it is, on several fresh connections, so that every replica answers.

    Args:
        profile: Name of the profile.
        section: Where the release says what it is.
        api: The probe to ask with.
        expected: The version that must answer, or None if the operator expects none.
        rolling_out: True while the run waits for a roll-out to end.
    """

    def __init__(
        self, profile: str, section: Release, api: HttpProbe, expected: str | None, *, rolling_out: bool
    ) -> None:
        self.expected = expected
        self._rolling_out = rolling_out
        self._was_there = False
        self._profile = profile
        self._section = section
        self._api = api
        self._recorder = self._own_recorder()
        self._asking: asyncio.Task[dict[str, int]] | None = None
        self._instances: set[str] = set()

    def _own_recorder(self) -> Recorder:
        return Recorder(check=f"release of {self._profile}")

    async def seen(self) -> dict[str, int]:
        """
        How many answers came from which version.

        Raises:
            NotObserved: A request was not answered, or not with a version.
        """
        recorder = recording.get()
        if recorder is None or self._api.replays:
            return await self._ask()
        asking, asked = self._start(), self._recorder
        try:
            return await asyncio.shield(asking)
        finally:
            recorder.observations.extend(asked.observations)

    async def answering(self) -> tuple[str, ...]:
        """The versions that answer now; none if nobody says."""
        try:
            return tuple(await self._asked_once())
        except NotObserved:
            return ()

    async def confirm(self) -> None:
        """
        Let a check begin only if nothing but the expected release answers; if none is expected, only note which does.

        Raises:
            PreconditionMissing: Another release answers, or none says what it is.
        """
        if self._api.replays:
            return
        if self.expected is None:
            self._start()
            return
        where = f"{self._section.path} of {self._profile}"
        try:
            seen = await self._asked_once()
        except (Unreachable, TimedOut):
            return  # nobody answers: the check meets that itself, and the release's own check tells it
        except NotObserved as exc:
            raise PreconditionMissing(
                f"no answer says that it is release {self.expected}: {exc.what}",
                where=where,
                next_step=exc.next_step,
                target=self._api.name,
            ) from None
        if set(seen) != {self.expected}:
            raise PreconditionMissing(
                self.wrong(seen),
                where=where,
                next_step="Wait until the roll-out is complete, or find the replicas that still run the other release.",
                target=self._api.name,
            )

    def wrong(self, seen: dict[str, int]) -> str:
        """What answers instead, in words."""
        answers = ", ".join(f"{count} x {version}" for version, count in sorted(seen.items()))
        return f"release {self.expected} was expected, {sum(seen.values())} requests were answered by {answers}"

    def is_another(self, seen: dict[str, int]) -> bool:
        """True if every answer has only ever come from one other release, and none is awaited: this stays as it is."""
        return self.expected not in seen and len(seen) == 1 and not (self._rolling_out or self._was_there)

    def absent_replicas(self) -> str:
        """Once it was asked: that fewer replicas answered than the profile says there are, in words; "" if not."""
        wanted, found = self._section.replicas, sorted(self._instances)
        if wanted is None or len(found) >= wanted:
            return ""
        return f"{len(found)} of {wanted} replicas answered {self._section.requests} requests: {', '.join(found)}"

    def new_sweep(self) -> None:
        """Ask again which release answers, where one is expected and the answers to the last time have come."""
        if self.expected is not None and self._asking is not None and self._asking.done():
            self._was_there = self._was_there or self.expected in self.known
            self._asking = None
            self._recorder = self._own_recorder()

    @property
    def known(self) -> dict[str, int]:
        """What was seen so far, without asking."""
        done = self._asking is not None and self._asking.done() and not self._asking.cancelled()
        return self._asking.result() if done and self._asking and self._asking.exception() is None else {}

    async def settled(self) -> None:
        """Wait until what was asked is answered, or has failed."""
        if self._asking is not None:
            await asyncio.wait([self._asking])

    async def _asked_once(self) -> dict[str, int]:
        return await asyncio.shield(self._start())

    def _start(self) -> asyncio.Task[dict[str, int]]:
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_as_itself())
        return self._asking

    async def _ask_as_itself(self) -> dict[str, int]:
        recording.set(self._recorder)
        return await self._ask()

    async def _ask(self) -> dict[str, int]:
        requests = self._section.requests if self.expected else 1
        answers = await asyncio.gather(
            *(self._api.get(self._section.path, fresh=True, new_connection=True) for _ in range(requests))
        )
        if self.expected and self._section.replicas:
            self._instances = {str(answer.field(self._section.instance)) for answer in answers}
        return dict(Counter(str(answer.field(self._section.field)) for answer in answers))
