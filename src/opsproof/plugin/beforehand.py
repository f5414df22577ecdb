"""What is watched or measured once, before the first check, and judged as a whole: canaries and benchmarks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from opsproof.errors import PreconditionMissing
from opsproof.judge.verdict import blocks
from opsproof.plugin.check import BENCHMARK_BELIEVED, CANARY_ANSWER, Check, name_of
from opsproof.plugin.options import Options
from opsproof.profile.models import Profile
from opsproof.report.run import Run

if TYPE_CHECKING:
    from opsproof.benchmark.facts import BenchmarkFact
    from opsproof.canary.facts import CanaryFact
    from opsproof.plugin.benchmarks import Benchmarks, Measured
    from opsproof.plugin.canaries import Canaries, Watched
    from opsproof.plugin.engine import Engine
    from opsproof.plugin.environment import Environment
    from opsproof.plugin.remembering import Remembered


class Beforehand:
    """
    The canaries and benchmarks of a run; none, until checks ask for them.

    Args:
        options: What the operator asked for.
        root: Folder of the checkout.
        say: Tells the operator how it goes.
    """

    def __init__(self, options: Options, root: Path, say: Callable[[str], None]) -> None:
        self._options = options
        self._root = root
        self._say = say
        self._canaries: Canaries | None = None
        self._benchmarks: Benchmarks | None = None

    def know(self, checks: Sequence[Check], profiles: Mapping[str, Profile]) -> None:
        """
        Have a watch and a benchmark for each profile that one of these checks asks about.

        Raises:
            Refused, ProfileError: There may be no load, or nobody wrote what to do.
            pytest.UsageError: A part of one is asked about, or waived: the run would end otherwise than its file says.
        """
        if asking := [check for check in checks if check.of_canary]:
            from opsproof.plugin.canaries import Canaries

            _must_be_whole(asking, profiles, _CANARY)
            self._canaries = Canaries(_profiles_of(asking), self._say, self._options.lang)
        if asking := [check for check in checks if check.of_benchmark]:
            from opsproof.plugin.benchmarks import Benchmarks

            _must_be_whole(asking, profiles, _BENCHMARK)
            self._benchmarks = Benchmarks(_profiles_of(asking), self._root, self._say, self._options.lang)
            if self._options.replay is None:
                self._benchmarks.must_be_allowed(profiles)

    def site_variables(self, is_embedded: Callable[[str], bool]) -> Mapping[str, str]:
        """Those of the canary's own site, which is made if an embedded canary is watched. Raises StackError."""
        if self._canaries is not None and any(map(is_embedded, self._canaries.names)):
            return self._canaries.variables()
        return {}

    def run(
        self,
        profiles: Mapping[str, Profile],
        environments: Mapping[str, Environment],
        engine: Engine,
        variables: Mapping[str, str],
    ) -> None:
        """
        Watch the canaries side by side, then run the benchmarks one after the other.

        Args:
            profiles: By name.
            environments: The same, open.
            engine: Asks.
            variables: For the processes of the benchmarks; those of the embedded stack.

        Raises:
            OpsproofError: One came to no result.
        """
        if self._canaries is not None:
            self._canaries.watch(environments, engine)
        if self._benchmarks is not None:
            self._benchmarks.run(profiles, variables, self._options.writes, self._options.baseline)

    def judge_again(self, profiles: Mapping[str, Profile], before: Run, memory: Remembered) -> None:
        """Judge what an earlier run has seen by what the profiles demand now. Raises ProfileError."""
        if self._canaries is not None:
            self._canaries.judge_again(profiles, before.canaries, memory)
        if self._benchmarks is not None:
            self._benchmarks.judge_again(profiles, before.benchmarks, memory, self._options.baseline)

    def canary(self, profile: str) -> Watched:
        """The canary of a profile. Raises PreconditionMissing if it was not watched."""
        watched = self._canaries.of(profile) if self._canaries else None
        if watched is None:
            raise _missing("the canary was not watched", profile, "Select its criteria: -m canary_criteria")
        return watched

    def benchmark(self, profile: str) -> Measured:
        """The benchmark of a profile. Raises PreconditionMissing if it did not run."""
        measured = self._benchmarks.of(profile) if self._benchmarks else None
        if measured is None:
            raise _missing("the benchmark did not run", profile, "Select its gates: -m load")
        return measured

    def canary_facts(self, before: Run | None) -> tuple[CanaryFact, ...]:
        """What came of the canaries, or what the replayed run has of them."""
        if self._canaries is not None:
            return self._canaries.facts()
        return before.canaries if before else ()

    def benchmark_facts(self, before: Run | None) -> tuple[BenchmarkFact, ...]:
        """What came of the benchmarks, or what the replayed run has of them."""
        if self._benchmarks is not None:
            return self._benchmarks.facts()
        return before.benchmarks if before else ()

    @property
    def pages(self) -> Mapping[str, str]:
        """Locust's own reports of the benchmarks, by the name of a file."""
        return self._benchmarks.pages if self._benchmarks else {}

    def close(self) -> None:
        """End the canary's own site."""
        if self._canaries is not None:
            self._canaries.close()


@dataclass(frozen=True)
class _Whole:
    """
    What is judged together.

    Attributes:
        word: What it is called.
        file: What a deployer reads.
        needed: Names of the checks without which the run could end better than the file says.
        instead: What to do where a part of it must not count.
    """

    word: str
    file: str
    needed: Callable[[Profile], set[str]]
    instead: str


_CANARY = _Whole("canary", "verdict.json", lambda _: {CANARY_ANSWER}, "take it out of `canary.criteria`")
_BENCHMARK = _Whole("benchmark", "bench.json", lambda profile: _gates(profile), "take it out of `load.gates`")


def _gates(profile: Profile) -> set[str]:
    assert profile.load is not None
    return {BENCHMARK_BELIEVED, *map(name_of, profile.load.gates.values())}


def _must_be_whole(checks: Sequence[Check], profiles: Mapping[str, Profile], whole: _Whole) -> None:
    for name in _profiles_of(checks):
        mine, needed = [check for check in checks if check.profile == name], whole.needed(profiles[name])
        if left_out := sorted(needed - {check.name for check in mine}):
            raise pytest.UsageError(
                f"the {whole.word} of {name} is asked about without {', '.join(left_out)}\n"
                f"  next: leave -k out: a {whole.word} is judged as a whole"
            )
        policy = profiles[name].policy
        for check in mine:
            if check.name in needed and not blocks(check.card.severity, policy.fail_on):
                raise pytest.UsageError(
                    f"{name}: `policy.fail_on: {policy.fail_on}` would let a {whole.word} pass that {whole.file} does "
                    f"not let pass: {check.name} is {check.card.severity}\n  next: set `fail_on` to that, or milder"
                )
            for waiver in policy.waivers:
                if waiver.check in (check.id, check.name, *check.card.rows):
                    raise pytest.UsageError(
                        f"{name}: the waiver of {waiver.owner} for {waiver.check} would let a {whole.word} pass that "
                        f"{whole.file} does not let pass\n  next: change the limit, or {whole.instead}"
                    )


def _profiles_of(checks: Iterable[Check]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(check.profile for check in checks))


def _missing(what: str, profile: str, next_step: str) -> PreconditionMissing:
    return PreconditionMissing(what, where=profile, next_step=f"{next_step}; a replay needs a run that had it.")
