"""The canaries of a run: their watches, the embedded site where one is shown, and what came of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from opsproof.canary.facts import CanaryFact
from opsproof.canary.replay import judged_again
from opsproof.evidence.observation import Observation
from opsproof.evidence.recorder import recording
from opsproof.plugin.environment import Environment
from opsproof.profile.models import Profile

if TYPE_CHECKING:
    from opsproof.canary.sources import Source
    from opsproof.canary.watch import CanaryWatch
    from opsproof.judge.limits import Lang
    from opsproof.plugin.engine import Engine
    from opsproof.plugin.remembering import Remembered
    from opsproof.stack.canary import CanarySite

_PATIENCE = 30.0


class Watched:
    """
    A canary that was watched, as its checks see it.

    Args:
        fact: What came of it.
        lang: The operator's language.
        observations: Evidence of the newest look, by criterion.
    """

    def __init__(self, fact: CanaryFact, lang: Lang, observations: Callable[[str], Sequence[Observation]]) -> None:
        self.fact = fact
        self.lang = lang
        self._observations = observations

    def keep_evidence(self, criteria: Iterable[str]) -> None:
        """Let the check that runs have the evidence of some criteria as its own."""
        if recorder := recording.get():
            for criterion in criteria:
                recorder.observations.extend(self._observations(criterion))


class Canaries:
    """
    What a run has of canaries.

    Args:
        names: Profiles whose canary is asked about.
        say: Tells the operator how it goes.
        lang: The operator's language.
    """

    def __init__(self, names: Iterable[str], say: Callable[[str], None], lang: Lang) -> None:
        self.names = tuple(names)
        self._say = say
        self._lang = lang
        self._sites = ExitStack()
        self._site: CanarySite | None = None
        self._watches: dict[str, CanaryWatch] = {}
        self._again: dict[str, CanaryFact] = {}
        self._memory: Remembered | None = None

    def variables(self) -> Mapping[str, str]:
        """
        Those of the embedded site, which is made now.

        Raises:
            StackError: It cannot be made.
        """
        from opsproof.stack.canary import CanarySite
        from opsproof.stack.clusters import Grounds

        if self._site is None:
            self._say("starting two versions of the service, their users, and a Prometheus")
            self._site = self._sites.enter_context(CanarySite(self._sites.enter_context(Grounds())))
        return dict(self._site.variables)

    def watch(self, environments: Mapping[str, Environment], engine: Engine) -> None:
        """
        Watch all of them, side by side.

        Raises:
            OpsproofError: A check holds up all others.
            KeyboardInterrupt: The operator ends it.
        """
        from opsproof.canary.watch import CanaryWatch

        longest = 0.0
        for name in self.names:
            environment = environments[name]
            canary = environment.profile.canary
            assert canary is not None
            source = _source(environment)
            self._watches[name] = CanaryWatch(environment.profile, source, self._say, environment.new_sweep, self._lang)
            longest = max(longest, canary.lasts + canary.begin_within)
        running = engine.submit(_all(self._watches.values()))
        engine.wait(running, patience=_PATIENCE, until=time.monotonic() + longest + 2 * _PATIENCE)

    def judge_again(self, profiles: Mapping[str, Profile], facts: Iterable[CanaryFact], memory: Remembered) -> None:
        """Judge what an earlier run has seen by what the profiles demand now. Raises ProfileError."""
        self._again = {fact.profile: judged_again(profiles[fact.profile], fact) for fact in facts}
        self._memory = memory

    def of(self, profile: str) -> Watched | None:
        """What came of a profile's canary; None if it was not watched."""
        if profile in self._again:
            return Watched(self._again[profile], self._lang, partial(self._remembered, profile))
        watch = self._watches.get(profile)
        return Watched(watch.fact(), self._lang, watch.observations) if watch else None

    def _remembered(self, profile: str, criterion: str) -> Sequence[Observation]:
        return self._memory.evidence(f"canary.{criterion}[{profile}]") if self._memory else ()

    def facts(self) -> tuple[CanaryFact, ...]:
        """All of them, for the report."""
        return (*self._again.values(), *(watch.fact() for watch in self._watches.values()))

    def close(self) -> None:
        """End the embedded site."""
        self._sites.close()


async def _all(watches: Iterable[CanaryWatch]) -> None:
    await asyncio.gather(*(watch.run() for watch in watches))


def _source(environment: Environment) -> Source:
    from opsproof.canary.sources import PrometheusSource, ScrapeSource
    from opsproof.errors import ProfileError
    from opsproof.probes.metrics.prometheus import PrometheusProbe
    from opsproof.probes.metrics.scrape import ScrapeProbe

    profile, canary = environment.profile, environment.profile.canary
    assert canary is not None

    def probe(name: str, kind: type[PrometheusProbe] | type[ScrapeProbe]) -> PrometheusProbe | ScrapeProbe:
        wanted = "prometheus" if kind is PrometheusProbe else "scrape"
        if lack := profile.lacks(name):
            raise ProfileError(lack, where=f"{profile.name}: canary", next_step=f"Add it, of kind {wanted}.")
        found = environment.probe(name)
        if not isinstance(found, kind):
            raise ProfileError(
                f"target `{name}` is of kind {profile.targets[name].kind}, and the canary needs {wanted}",
                where=f"{profile.name}: canary",
                next_step="Name another one, in `canary.target` or `canary.scrape`.",
            )
        return found

    if canary.scrape:
        scraped = {track: [probe(name, ScrapeProbe) for name in names] for track, names in canary.scrape.items()}
        return ScrapeSource(scraped)  # type: ignore[arg-type]
    return PrometheusSource(probe(canary.target, PrometheusProbe), canary)  # type: ignore[arg-type]
