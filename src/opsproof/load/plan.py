"""Which profile a Locust run is for, and what may be done there."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsproof.benchmark.facts import BenchmarkFact
from opsproof.benchmark.files import read_benchmark
from opsproof.errors import ProfileError, Refused
from opsproof.evidence.redaction import Redactor
from opsproof.profile import load_profile, secrets_of
from opsproof.profile.load import Load
from opsproof.profile.models import Profile
from opsproof.profile.targets import HttpTarget

EMBEDDED = "embedded"
ENVIRONMENT_VARIABLE = "BENCH_PROFILE"
"""Runbook 003 names the environment so: BENCH_PROFILE=staging."""
WRITE_TAG = "write"


@dataclass(frozen=True)
class LoadPlan:
    """
    What a Locust run is to do.

    Attributes:
        profile: The profile.
        load: Its benchmark.
        target: Where the requests go.
        writes: Whether tasks that write take part.
        earlier: What it is compared with; None if nothing.
        redactor: Masks the profile's secrets.
    """

    profile: Profile
    load: Load
    target: HttpTarget
    writes: bool
    earlier: BenchmarkFact | None
    redactor: Redactor

    @property
    def words(self) -> str:
        """What a master and its workers must agree on, in a line."""
        load = self.load.model_dump_json(exclude={"gates"})
        return f"{self.profile.name} at {self.target.address}, {'with' if self.writes else 'without'} writes, {load}"


def plan_of(options: Any, root: Path) -> LoadPlan:
    """
    Read the options of a Locust run.

    Args:
        options: As Locust parsed them, with opsproof's own.
        root: The folder `profiles`.

    Raises:
        ProfileError: There is no such profile, or it has no benchmark.
        Refused: There may be no load.
    """
    name = _profile_name(options)
    profile = load_profile(name, root=root, variables=_variables(name))
    load = profile.load
    if load is None:
        raise ProfileError(
            f"{name} has no `load`, so nobody knows how much traffic is meant",
            where=f"{root / name}.yaml",
            next_step="Add `load:` with rate, duration and gates (docs/load.md).",
        )
    if why := load.refused(profile.environment):
        raise Refused(f"{name} is not put under load: {why}", where="load.allowed", next_step="Ask who operates it.")
    target = profile.targets.get(load.target)
    if not isinstance(target, HttpTarget):
        raise ProfileError(
            f"`load.target` is {load.target}, and {name} has no HTTP target of that name",
            where=f"{root / name}.yaml",
            next_step="Name a target of kind http.",
        )
    writes = options.allow_writes == profile.environment
    if options.allow_writes and not writes:
        raise Refused(
            f"--allow-writes {options.allow_writes} is not the environment of {name}",
            where="--allow-writes",
            next_step=f"Repeat its name to let tasks that write take part: --allow-writes {profile.environment}",
        )
    if writes and not profile.policy.writes:
        raise Refused(
            f"{name} allows no writes, whatever the command line says",
            where="policy.writes",
            next_step="Leave --allow-writes out, or let who operates it change the profile.",
        )
    redactor = Redactor()
    redactor.add(secrets_of(profile))
    earlier = read_benchmark(Path(options.baseline)) if options.baseline else None
    if earlier and not load.compares:
        raise Refused(
            f"--baseline compares nothing: no gate of {name} has `worse`",
            where=f"{root / name}.yaml: load.gates",
            next_step="Add `worse: {ratio: 1.1}` to a gate, or compare all numbers by: opsproof bench compare A B",
        )
    return LoadPlan(profile, load, target, writes, earlier, redactor)


def _profile_name(options: Any) -> str:
    """`--profile`, or BENCH_PROFILE, or the embedded one; of a bare environment the system is the file's name."""
    given = options.profile or os.environ.get(ENVIRONMENT_VARIABLE) or EMBEDDED
    return str(given) if "/" in given else f"{Path(str(options.locustfile).split(',')[0]).stem}/{given}"


def _variables(name: str) -> Mapping[str, str]:
    """Those of this process; of a stack that runs, if the profile is its own and they are not given."""
    if name.rpartition("/")[2] != EMBEDDED:
        return os.environ
    from opsproof.stack import Stack

    stack = Stack.attach()
    return os.environ if stack is None else {**stack.variables, **os.environ}
