"""The conductor: how the checks of a run are conducted on its environments."""

import math
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest

from opsproof.evidence.recorder import Recorder
from opsproof.plugin.arguments import arguments_ahead
from opsproof.plugin.blocking import Asker, Blocking
from opsproof.plugin.check import Check
from opsproof.plugin.cleaning import CleanUp
from opsproof.plugin.conduct import CLEAN_UP_LIMIT, Conducted, conduct, conduct_plain
from opsproof.plugin.deadline import Budget, Deadline
from opsproof.plugin.engine import Engine
from opsproof.plugin.environment import Environment
from opsproof.plugin.release import ReleaseWatch
from opsproof.probes import Probe


class Conductor:
    """
    Conducts checks; the time of the run begins when it is made.

    Args:
        engine: Runs them.
        environments: By profile.
        budget: Time that a check has for itself; None for one that shares the run's.
        run_id: Id of the run.
        debugging: True while a person steps through checks; then nothing has a deadline.
    """

    def __init__(
        self,
        engine: Engine,
        environments: Mapping[str, Environment],
        *,
        budget: Callable[[Check], Budget | None],
        run_id: str,
        debugging: bool,
    ) -> None:
        self._engine = engine
        self._environments = environments
        self._budget = budget
        self._run_id = run_id
        self._debugging = debugging
        self._began = time.monotonic()
        self._clean_ups: dict[str, CleanUp] = {}
        self._begun: dict[str, Future[Conducted]] = {}

    def sampler(self, item: pytest.Function, check: Check) -> Callable[[], Coroutine[Any, Any, Conducted]] | None:
        """What conducts one sample of a check; None if something is needed that only pytest can make."""
        arguments = arguments_ahead(item, self._environments[check.profile], self._run_id)
        return None if arguments is None else lambda: self._conduct(item, check, arguments, math.inf)

    def begin_anew(self) -> None:
        """The time of the run begins now: what comes after a window has all of it."""
        self._began = time.monotonic()

    def ahead(self, item: pytest.Function, check: Check) -> None:
        """Start an `async def` check, if nothing but opsproof itself is needed to make its arguments."""
        arguments = arguments_ahead(item, self._environments[check.profile], self._run_id)
        if arguments is not None:
            self._begun[check.id] = self._engine.ahead(item.nodeid, lambda: self._conduct(item, check, arguments))

    def conduct(self, item: pytest.Function, check: Check, arguments: Mapping[str, Any]) -> Conducted:
        """
        Conduct an `async def` check, or take what was run ahead.

        Raises:
            OpsproofError: It holds up the engine, or does not end.
        """
        __tracebackhide__ = True
        running: Future[Conducted] | None = self._engine.take(item.nodeid)
        running = running or self._engine.submit(self._conduct(item, check, arguments))
        self._begun[check.id] = running
        policy = self._environments[check.profile].profile.policy
        if own := self._budget(check):
            until = time.monotonic() + own.seconds
        else:
            until = self._began + policy.run_deadline + policy.check_deadline
        return self._engine.wait(running, patience=policy.check_deadline, until=until + CLEAN_UP_LIMIT)

    def conduct_plain(self, item: pytest.Function, check: Check, arguments: Mapping[str, Any]) -> Conducted:
        """Conduct a plain `def` check here, in pytest's thread."""
        __tracebackhide__ = True
        environment = self._environments[check.profile]
        recorder = _recorder(check)
        asker = Asker(
            self._engine,
            recorder,
            self._deadline(check, environment),
            patience=environment.profile.policy.check_deadline,
        )
        waiting = {
            name: Blocking(value, asker) if isinstance(value, (Probe, ReleaseWatch)) else value
            for name, value in arguments.items()
        }

        def body() -> object:
            __tracebackhide__ = True
            if "release" not in arguments:
                asker.ask(environment.confirm_release)
            result: object = item.obj(**waiting)
            return result

        conducted = conduct_plain(recorder, self._clean_up(check), body, asker)
        return replace(conducted, judgement=environment.reader.judgement(check.id))

    @property
    def pending(self) -> list[str]:
        """What checks wrote and have not taken back yet."""
        return [what for clean_up in self._clean_ups.values() for what in clean_up.pending]

    def give_up(self) -> None:
        """Count as left behind what has not been taken back yet."""
        for clean_up in self._clean_ups.values():
            clean_up.give_up("cleaning up was interrupted")

    def ended(self, check: Check) -> Conducted | None:
        """What came of an `async def` check that has ended, whether or not pytest has asked for it yet."""
        begun = self._begun.get(check.id)
        if begun is None or not begun.done() or begun.cancelled() or begun.exception() is not None:
            return None
        return begun.result()

    def left_behind(self, check: Check) -> list[str]:
        """What a check wrote and could not take back."""
        return self._clean_up(check).left

    async def _conduct(
        self, item: pytest.Function, check: Check, arguments: Mapping[str, Any], run_ends: float | None = None
    ) -> Conducted:
        environment = self._environments[check.profile]

        async def body() -> object:
            __tracebackhide__ = True
            if "release" not in arguments and check.attested is None and check.step is None:
                await environment.confirm_release()
            if check.step is None:
                return await item.obj(**arguments)
            async with arguments["rehearsal"].step(check.name) as goes_on:
                return await item.obj(**arguments) if goes_on else None

        deadline = self._deadline(check, environment, run_ends)
        conducted = await conduct(_recorder(check), self._clean_up(check), body, deadline)
        return replace(conducted, judgement=environment.reader.judgement(check.id))

    def _clean_up(self, check: Check) -> CleanUp:
        return self._clean_ups.setdefault(check.id, CleanUp())

    def _deadline(self, check: Check, environment: Environment, run_ends: float | None = None) -> Deadline:
        policy = environment.profile.policy
        if self._debugging:
            return Deadline(check=math.inf, run=math.inf, run_ends=math.inf)
        if own := self._budget(check):
            return Deadline(check=own.seconds, run=math.inf, run_ends=math.inf, named=own.named)
        ends = self._began + policy.run_deadline if run_ends is None else run_ends
        return Deadline(check=policy.check_deadline, run=policy.run_deadline, run_ends=ends)


def _recorder(check: Check) -> Recorder:
    return Recorder(check=check.id, may_write=bool(check.writes))
