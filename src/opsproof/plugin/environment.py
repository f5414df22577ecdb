"""An environment that is open: its profile, and a probe for each of its targets."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from opsproof.evidence.observer import Memory, Observer
from opsproof.evidence.redaction import Redactor
from opsproof.judge.limits import Lang
from opsproof.plugin.attester import PERSON, Attester
from opsproof.plugin.normality import References
from opsproof.plugin.reader import Reader
from opsproof.plugin.release import ReleaseWatch
from opsproof.probes import Probe, open_probe
from opsproof.probes.http import HttpProbe
from opsproof.profile.answers import Answer
from opsproof.profile.models import Profile
from opsproof.profile.targets import HttpTarget

if TYPE_CHECKING:
    from opsproof.probes.wire import WireProbe


class Environment:
    """
    One profile and its probes, opened when first used and shared by all its checks.

    Args:
        profile: The resolved profile.
        redactor: Masks what is kept.
        expected: The release that must answer, if one was given.
        rolling_out: True while the run waits for a roll-out to end.
        recovering: True if the run asks whether an incident is over.
        since: When the incident began, for a run that looks back at it.
        lang: The operator's language.
        references: Knows what the numbers were when all was well.
        processes: How many processes share the targets' budgets.
        memory: Answers of an earlier run, for a replay.
        answers: What people answered to attested checks, by id of the check.
    """

    def __init__(
        self,
        profile: Profile,
        redactor: Redactor,
        *,
        expected: str | None,
        rolling_out: bool,
        recovering: bool,
        since: datetime | None,
        lang: Lang,
        references: References,
        processes: int,
        memory: Memory | None,
        answers: Mapping[str, Answer],
    ) -> None:
        self.profile = profile
        self.reader = Reader(
            profile.name,
            profile.timezone,
            self.probe,
            recovering=recovering,
            since=since,
            lang=lang,
            references=references,
        )
        person = Observer(
            profile=profile.name,
            target=PERSON,
            address=PERSON,
            redactor=redactor,
            timeout=profile.policy.check_deadline,
            concurrency=1,
            memory=memory,
        )
        self.attester = Attester(person, answers, since=since, lang=lang)
        self.redactor = redactor
        self._expected = expected
        self._rolling_out = rolling_out
        self._processes = processes
        self._memory = memory
        self._probes: dict[str, Probe] = {}
        self._wires: dict[str, WireProbe] = {}
        self._release: ReleaseWatch | None = None

    @property
    def addresses(self) -> dict[str, str]:
        """Where the targets are, by name, as a report tells it."""
        return {name: self.redactor.text(target.address) for name, target in self.profile.targets.items()}

    def probe(self, name: str) -> Probe:
        """
        The probe of a target.

        Raises:
            KeyError: The profile has no such target.
        """
        if name not in self._probes:
            target = self.profile.targets[name]
            observer = Observer(
                profile=self.profile.name,
                target=name,
                address=target.address,
                redactor=self.redactor,
                timeout=target.timeout,
                concurrency=max(1, target.concurrency // self._processes),
                memory=self._memory,
            )
            self._probes[name] = open_probe(name, target, observer)
        return self._probes[name]

    def wire(self, name: str) -> "WireProbe":
        """
        The wire to an HTTP target; it shares the budget of the target's probe.

        Raises:
            KeyError: The profile has no such target.
        """
        if name not in self._wires:
            from opsproof.probes.wire import WireProbe

            target = self.profile.targets[name]
            if not isinstance(target, HttpTarget):
                raise KeyError(name)
            self._wires[name] = WireProbe(name, target, self.probe(name).observer)
        return self._wires[name]

    @property
    def release(self) -> ReleaseWatch | None:
        """The release's identity; None where the profile does not say how to ask for it."""
        api = self.probe("api") if "api" in self.profile.targets else None
        if self._release is None and self.profile.release and isinstance(api, HttpProbe):
            self._release = ReleaseWatch(
                self.profile.name, self.profile.release, api, self._expected, rolling_out=self._rolling_out
            )
        return self._release

    def new_sweep(self) -> None:
        """Ask everything anew from now on."""
        for probe in self._probes.values():
            probe.observer.new_sweep()
        if self._release is not None:
            self._release.new_sweep()

    async def confirm_release(self) -> None:
        """Let a check begin only if the expected release answers."""
        if self.release is not None:
            await self.release.confirm()

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(probe.close() for probe in self._probes.values()), return_exceptions=True)
