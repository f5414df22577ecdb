"""The benchmarks of a run: Locust as a process of its own for each profile, and what came of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from opsproof.benchmark.facts import BenchmarkFact, GateFact
from opsproof.benchmark.files import BENCH_FILE, LOCUSTS_OWN, PARENT, read_benchmark
from opsproof.benchmark.judged import judged
from opsproof.errors import PreconditionMissing, ProfileError, Refused
from opsproof.evidence.observation import Observation
from opsproof.evidence.recorder import recording
from opsproof.plugin.check import BENCHMARK_BELIEVED
from opsproof.profile.models import Profile

if TYPE_CHECKING:
    from opsproof.judge.limits import Lang
    from opsproof.plugin.remembering import Remembered

_TOLD_BY = "opsproof.load: "
_LAST_LINES = 12
_SECONDS_TO_END = 15.0
_SECONDS_BESIDE_THE_PLAN = 120.0
"""To start, to wait for the last answers, and to write the result."""


class Measured:
    """
    A benchmark that ran, as its checks see it.

    Args:
        fact: What came of it.
        lang: The operator's language.
        evidence: Of it.
    """

    def __init__(self, fact: BenchmarkFact, lang: Lang, evidence: Sequence[Observation]) -> None:
        self.fact = fact
        self.lang = lang
        self._evidence = evidence

    @property
    def doubts(self) -> list[str]:
        """Why it cannot be believed, in the operator's language."""
        return [doubt[self.lang] for doubt in self.fact.doubts]

    def gate(self, name: str) -> GateFact:
        """
        What a gate says.

        Raises:
            KeyError: There is none of that name.
        """
        return {gate.name: gate for gate in self.fact.gates}[name]

    def keep_evidence(self) -> None:
        """Let the check that runs have the evidence of the benchmark as its own."""
        if recorder := recording.get():
            recorder.observations.extend(self._evidence)


class Benchmarks:
    """
    What a run has of benchmarks.

    Args:
        names: Profiles whose gates are asked about.
        root: Folder of the checkout; `load/SYSTEM.py` below it is the locustfile.
        say: Tells the operator how it goes.
        lang: The operator's language.
    """

    def __init__(self, names: Iterable[str], root: Path, say: Callable[[str], None], lang: Lang) -> None:
        self.names = tuple(names)
        self._root = root
        self._say = say
        self._lang = lang
        self._facts: dict[str, BenchmarkFact] = {}
        self._evidence: dict[str, Callable[[], Sequence[Observation]]] = {}
        self.pages: dict[str, str] = {}
        """Locust's own reports, redacted, by the name of a file."""

    def must_be_allowed(self, profiles: Mapping[str, Profile]) -> None:
        """
        See before anything is started that load is allowed, and that there is a locustfile.

        Raises:
            Refused: A profile allows no load.
            ProfileError: A system has no locustfile.
        """
        for name in self.names:
            profile = profiles[name]
            assert profile.load is not None
            if why := profile.load.refused(profile.environment):
                raise Refused(
                    f"{name} is not put under load: {why}",
                    where="load.allowed",
                    next_step="Ask who operates it; or leave it out: --profile.",
                )
            if not self._file(profile).is_file():
                raise ProfileError(
                    f"{name} has gates, and {profile.system} has no locustfile",
                    where=str(self._file(profile)),
                    next_step="Write one (docs/load.md), or take `load` out of the profile.",
                )

    def run(
        self,
        profiles: Mapping[str, Profile],
        variables: Mapping[str, str],
        writes: Iterable[str],
        baseline: Path | None,
    ) -> None:
        """
        Run them one after the other: two at once would measure each other.

        Args:
            profiles: By name.
            variables: For the profiles; those of the embedded stack.
            writes: Environments that the operator named for tasks that write.
            baseline: Folder of an earlier run; None if nothing is compared.

        Raises:
            PreconditionMissing: Locust gave no result.
            OpsproofError: It cannot be read.
        """
        for name in self.names:
            profile = profiles[name]
            may_write = profile.policy.writes and profile.environment in writes
            assert profile.load is not None
            earlier = _earlier(baseline, name) if profile.load.compares else None
            with tempfile.TemporaryDirectory(prefix="opsproof-bench-") as folder:
                command = self._command(profile, Path(folder), may_write=may_write, earlier=earlier)
                self._say(f"{name}: {_plan(profile)}")
                self._run(profile, command, Path(folder), _environment(variables))

    def judge_again(
        self,
        profiles: Mapping[str, Profile],
        facts: Iterable[BenchmarkFact],
        memory: Remembered,
        baseline: Path | None,
    ) -> None:
        """
        Judge what an earlier run has measured by what the profiles demand now.

        Args:
            profiles: By name.
            facts: Of the earlier run.
            memory: Its evidence.
            baseline: Folder of a run to compare with; None if nothing is compared.

        Raises:
            ProfileError: A profile has no `load` any more.
        """
        for fact in facts:
            load = profiles[fact.profile].load if fact.profile in profiles else None
            if load is None:
                raise ProfileError(
                    "the profile has no `load`, and the run that is replayed has a benchmark",
                    where=fact.profile,
                    next_step="Replay it with the profile that it was run with.",
                )
            earlier = _earlier(baseline, fact.profile) if load.compares else None
            self._facts[fact.profile] = judged(fact, load, read_benchmark(earlier) if earlier else None)
            self._evidence[fact.profile] = partial(memory.evidence, f"{BENCHMARK_BELIEVED}[{fact.profile}]")

    def of(self, profile: str) -> Measured | None:
        """What came of a profile's benchmark; None if it did not run."""
        fact = self._facts.get(profile)
        return Measured(fact, self._lang, self._evidence[profile]()) if fact else None

    def facts(self) -> tuple[BenchmarkFact, ...]:
        """All of them, for the report."""
        return tuple(self._facts.values())

    def _file(self, profile: Profile) -> Path:
        return self._root / "load" / f"{profile.system}.py"

    def _command(self, profile: Profile, folder: Path, *, may_write: bool, earlier: Path | None) -> list[str]:
        return [
            *(sys.executable, "-m", "locust", "-f", str(self._file(profile)), "--profile", profile.name),
            *("--headless", "--only-summary", "--reports", str(folder), "--profiles", str(self._root / "profiles")),
            *("--lang", self._lang),
            *(("--allow-writes", profile.environment) if may_write else ()),
            *(("--baseline", str(earlier)) if earlier else ()),
        ]

    def _run(self, profile: Profile, command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> None:
        """Run Locust to its end, and keep what it has measured; if this run is interrupted, as far as it came."""
        process = subprocess.Popen(
            command,
            cwd=self._root,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        last: list[str] = []
        assert profile.load is not None
        limit = profile.load.duration + profile.load.timeout + _SECONDS_BESIDE_THE_PLAN
        hung = threading.Event()

        def end_what_hangs() -> None:
            hung.set()
            _end(process)

        alarm = threading.Timer(limit, end_what_hangs)
        alarm.start()
        try:
            self._follow(profile.name, process, last)
        finally:
            alarm.cancel()
            _end(process)
            for file in folder.rglob(LOCUSTS_OWN):
                number = self.names.index(profile.name)
                name = f"{file.stem}-{number + 1}{file.suffix}" if number else file.name
                self.pages[name] = file.read_text(encoding="utf-8")
            for file in folder.rglob(BENCH_FILE):
                self._facts[profile.name] = fact = read_benchmark(file)
                by_hand = f"locust -f load/{profile.system}.py --profile {profile.name} --headless"
                self._evidence[profile.name] = partial(_observed, fact, profile, by_hand)
        if hung.is_set():
            raise PreconditionMissing(
                f"Locust had not ended after {limit:g} s, {_SECONDS_BESIDE_THE_PLAN:g} s more than its plan: "
                f"{' | '.join(last)[-600:] or 'it said nothing'}",
                where=f"load/{profile.system}.py",
                next_step="Something in it waits without a limit, at import or in on_start: run it by hand.",
            )
        found = self._facts.get(profile.name)
        if found is None or process.returncode != found.exit_status:
            result = "gave no result" if found is None else f"its result says {found.exit_status}"
            raise PreconditionMissing(
                f"Locust ended with exit status {process.returncode}, and {result}: {' | '.join(last)[-600:]}",
                where=f"load/{profile.system}.py",
                next_step="Mend what it says last; run it by hand to see more.",
            )

    def _follow(self, name: str, process: subprocess.Popen[str], last: list[str]) -> None:
        """Tell how it goes until it ends; `last` gets its last lines."""
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                last[:] = [*last[-_LAST_LINES:], line.rstrip()]
                if _TOLD_BY in line:
                    self._say(f"{name}: {line.rstrip().partition(_TOLD_BY)[2]}")
        process.wait(_SECONDS_TO_END)


def _end(process: subprocess.Popen[str]) -> None:
    """End a process that runs, with its children: in order, and if it would not, at once."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        os.killpg(process.pid, number)
        try:
            process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            continue


def _plan(profile: Profile) -> str:
    load = profile.load
    assert load is not None
    return (
        f"{load.rate:g} arrivals a second over {load.duration:g} s by at most {load.users_at_once} users, at most "
        f"{load.requests_at_most:,} requests"
    )


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Ours, without options for Locust of which nobody thinks here: LOCUST_TAGS would leave tasks out."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    return {**kept, **variables, "PYTHONUNBUFFERED": "1", PARENT: str(os.getpid())}


def _earlier(baseline: Path | None, name: str) -> Path | None:
    """The benchmark of the same profile in an earlier run; None if it has none."""
    if baseline is None:
        return None
    for file in sorted(baseline.glob("bench*.json")):
        if read_benchmark(file).profile == name:
            return file
    return None


def _observed(fact: BenchmarkFact, profile: Profile, by_hand: str) -> tuple[Observation, ...]:
    """One observation for all requests; none if nothing was answered."""
    load = profile.load
    assert load is not None
    ended, failed = sum(one.ended for one in fact.requests), sum(one.failed for one in fact.requests)
    if not ended:
        return ()
    return (
        Observation(
            id=f"load.{fact.profile}",
            profile=fact.profile,
            target=load.target,
            question=f"{load.rate:g} arrivals a second over {load.duration:g} s",
            by_hand=by_hand,
            started=fact.started,
            duration=(fact.ended - fact.started).total_seconds(),
            answer={"requests": ended, "failed": failed, "by_name": {one.name: one.ended for one in fact.requests}},
            failure=None,
        ),
    )
