"""The checks of this repository and their faults, and the gate as a process of its own."""

import contextlib
import importlib
import importlib.util
import inspect
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from reasons import is_for_its_reason

from opsproof.judge.outcome import Cause, Outcome, Status
from opsproof.judge.verdict import Word
from opsproof.plugin.check import BENCHMARK_FIXTURE, CANARY_FIXTURE, SITE_FIXTURES, check_name, indicator_check
from opsproof.plugin.marks import Step
from opsproof.profile import load_with_unset
from opsproof.rehearsal import damage
from opsproof.rehearsal.damage.damage import Area
from opsproof.report.folder import read_run
from opsproof.report.run import Run
from opsproof.stack.faults import FAULTS
from opsproof.stack.parts import ALL

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Check:
    """
    What a check says about itself.

    Attributes:
        about_traffic: True for a number that all requests of a window leave behind, in metrics, logs or alerts.
        step: Its place in a rehearsal, if it is a step of one.
        on_site: True if it looks at stored backups, their archive or their standby.
        of_canary: True if it judges a canary that was watched.
        of_benchmark: True if it judges a benchmark that was run.
    """

    rows: tuple[str, ...]
    faults: frozenset[str]
    markers: frozenset[str]
    about_traffic: bool = False
    step: Step | None = None
    on_site: bool = False
    of_canary: bool = False
    of_benchmark: bool = False

    @property
    def needs_a_fault(self) -> bool:
        """
        True if a fault of the stack must turn it red.

        The stack has no backups and no second site. What looks at backups is turned red by a damage of a copy
        (`DAMAGES`), a step of a rehearsal by a fault of a site in the middle of one (`step_faults.py`), what judges
        a canary by the faults of a canary (tests/canary), and a benchmark by those of targets and generators
        (tests/load).
        """
        return self.step is None and not self.on_site and not self.of_canary and not self.of_benchmark


def checks_in_repository() -> dict[str, Check]:
    """All checks by name, read from their modules; but the indicators', which profiles declare."""
    found = {}
    for path in sorted((REPOSITORY / "checks").rglob("test_*.py")):
        module = module_of(path)
        of_module = getattr(module, "pytestmark", [])
        for _, holder in [("", module), *inspect.getmembers(module, inspect.isclass)]:
            for name, function in vars(holder).items():
                marks = [*of_module, *getattr(function, "pytestmark", [])]
                if name.startswith("test_") and any(mark.name == "runbook" for mark in marks):
                    found[check_name(path, name, in_class=holder is not module)] = _check(module, function, marks)
    return found


def module_of(path: Path) -> ModuleType:
    """A module of checks, which finds those of its own folder, as pytest lets it."""
    spec = importlib.util.spec_from_file_location(f"checks_{path.parent.name}_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    with _first_on_path(path.parent):
        spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def _first_on_path(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _check(module, function, marks) -> Check:
    card = next(mark.args[0] for mark in marks if mark.name == "runbook")
    return Check(
        rows=card.rows,
        faults=frozenset(fault for mark in marks if mark.name == "proven_by" for fault in mark.args),
        markers=frozenset(mark.name for mark in marks),
        step=next((mark.args[0] for mark in marks if mark.name == "step"), None),
        of_benchmark=BENCHMARK_FIXTURE in inspect.signature(function).parameters,
        of_canary=CANARY_FIXTURE in inspect.signature(function).parameters,
        on_site=bool(SITE_FIXTURES & set(inspect.signature(function).parameters) - set(vars(module))),
    )


def damages_in_repository() -> Mapping[str, set[str]]:
    """By name of a check the damages of copies that must turn it red, of all areas."""
    caught: dict[str, set[str]] = {}
    for found in pkgutil.walk_packages(damage.__path__, f"{damage.__name__}."):
        for area in vars(importlib.import_module(found.name)).values():
            for one in area.damages if isinstance(area, Area) else ():
                for name in one.caught_by:
                    caught.setdefault(name, set()).add(f"{area.name}: {one.name}")
    return caught


def indicators_in_repository() -> dict[tuple[str, str], Check]:
    """The checks of the embedded profiles' indicators, by name and system."""
    found = {}
    for system in ALL:
        profile, _ = load_with_unset(f"{system}/embedded", root=REPOSITORY / "profiles", variables=os.environ)
        for key, indicator in profile.indicators.items():
            found[indicator_check(key), system] = Check(
                indicator.runbook,
                frozenset(indicator.proven_by),
                frozenset(indicator.markers),
                about_traffic=indicator.asks in ("metrics", "logs", "alerts"),
            )
    return found


CHECKS = checks_in_repository()
INDICATORS = indicators_in_repository()
LONG = {
    name: check for name, check in CHECKS.items() if {"payload_guard", "smoke"} & check.markers == {"payload_guard"}
}
"""Checks that send a thousand requests: they run on the sound stack, and under the faults that they cite."""

DAMAGES = damages_in_repository()

CITED = sorted({fault for check in (*CHECKS.values(), *INDICATORS.values()) for fault in check.faults})


def covering(proven: Iterable[str]) -> list[str]:
    """
    Faults of which each check, and each indicator, is turned red by at least one on every system; few of them.

    Args:
        proven: Faults that are proven anyhow.
    """
    checks = [(check.faults, ALL) for check in CHECKS.values()]
    checks += [(check.faults, (system,)) for (_, system), check in INDICATORS.items()]
    open_ = [
        {fault for fault in faults if system in FAULTS[fault].systems}
        for faults, systems in checks
        for system in systems
    ]
    chosen = {fault for fault in proven if fault in CITED}
    while open_ := [faults for faults in open_ if faults and not faults & chosen]:
        chosen.add(max(CITED, key=lambda fault: sum(fault in faults for faults in open_)))
    return sorted(chosen)


def check_of(outcome: Outcome) -> Check:
    """What the check of an outcome says about itself."""
    system = outcome.profile.partition("/")[0]
    return INDICATORS.get((outcome.name, system)) or CHECKS[outcome.name]


def proves(fault: str, outcome: Outcome) -> bool:
    """True if the outcome's check cites the fault, and the fault touches its system."""
    return fault in check_of(outcome).faults and outcome.profile.partition("/")[0] in FAULTS[fault].systems


def without_long_ones(fault: str) -> tuple[str, ...]:
    """Options that leave the long checks out, but those that cite the fault."""
    names = [name.partition(".")[2] for name, check in LONG.items() if fault not in check.faults]
    return ("-k", " and ".join(f"not {name}" for name in names)) if names else ()


def must_be_green_again(fault: str, outcome: Outcome) -> bool:
    """True if an outcome has no reason to be bad a moment after the fault is healed; alerts may fire for minutes."""
    return proves(fault, outcome) or not check_of(outcome).about_traffic


@dataclass(frozen=True)
class Proof:
    """The gate under a fault, and what of it ran again once the fault was healed."""

    broken: Run
    healed: Run


def objections(fault: str, proof: Proof) -> list[str]:
    """
    What keeps a fault from being a proof.

    Under it the checks that cite it fail, on every system that it touches, for its reason (`reasons.py`), with words
    and a next step; and once it is healed they pass. Another check fails only where the run itself says why (its target
    depends on one that is down), or where it is about all traffic of a window: the errors that the fault makes are in
    it, as many as there happened to be. No check breaks.
    """
    broken = proof.broken
    cited = {(o.name, o.profile) for o in broken.outcomes if proves(fault, o)}
    failed = [o for o in broken.outcomes if o.status is Status.FAILED]
    red = {(o.name, o.profile) for o in failed}
    explained = {check for root in broken.root_causes for check in (*root.direct, *root.downstream)}
    blocking = any(o.severity in ("SEV-1", "SEV-2") for o in failed)
    again = {(o.name, o.profile) for o in proof.healed.outcomes if o.status is Status.PASSED}
    findings = {
        "turns red for another reason": [o for o in failed if proves(fault, o) and not is_for_its_reason(fault, o)],
        "leaves green or unmeasured": [o for o in broken.outcomes if (o.name, o.profile) in cited - red],
        "turns red what does not cite it": [
            o
            for o in failed
            if (o.name, o.profile) not in cited and o.check not in explained and not check_of(o).about_traffic
        ],
        "breaks": [o for o in broken.outcomes if o.cause is Cause.CHECK_BROKEN],
        "has no words or next step for": [o for o in failed if not (o.message and o.next_step)],
        "is healed, and not green again is": [o for o in not_green(proof.healed) if must_be_green_again(fault, o)],
    }
    said = [f"{fault} {what}:{told(outcomes)}" for what, outcomes in findings.items() if outcomes]
    if not cited:
        said.append(f"no check cites {fault} on a system that it touches")
    if (broken.verdict.word is Word.FAIL) is not blocking:
        said.append(f"under {fault} the verdict is {broken.verdict.word}: {broken.verdict.reasons}")
    if not cited <= again:
        said.append(f"not looked at again: {cited - again}")
    return said


BLINDING = {
    "token-expired": (Cause.PRECONDITION_MISSING, "Renew the variable"),
    "no-evaluation-runs": (Cause.NO_DATA, "Run one evaluation"),
    "prometheus-stopped": (Cause.UNREACHABLE, ""),
    "prometheus-empty": (Cause.NO_DATA, ""),
    "scrape-down": (Cause.NO_DATA, ""),
    "metrics-stale": (Cause.NO_DATA, ""),
    "alertmanager-stopped": (Cause.UNREACHABLE, ""),
}
"""Faults of our own eyes: why nothing can be measured, and how the next step begins."""


def blind_objections(fault: str, proof: Proof) -> list[str]:
    """What keeps a fault of our own eyes from being seen as that: what it hides is unknown, and nothing else fails."""
    cause, next_step = BLINDING[fault]
    outcomes = proof.broken.outcomes
    unknown = [o for o in outcomes if o.status is Status.UNKNOWN]
    said = []
    if cause not in {o.cause for o in unknown}:
        said.append(f"under {fault} nothing is unknown for {cause}:{told(unknown)}")
    if lost := [o for o in unknown if o.cause is cause and not o.next_step.startswith(next_step)]:
        said.append(f"under {fault} the next step is not {next_step!r}:{told(lost)}")
    if proof.broken.verdict.word is Word.PASS:
        said.append(f"under {fault} the verdict is PASS")
    failed = [o for o in outcomes if o.status is Status.FAILED and not check_of(o).about_traffic]
    if fault not in CITED and failed:
        said.append(f"{fault} is no failure of the service, and these fail:{told(failed)}")
    return said


def told(outcomes: Iterable[Outcome]) -> str:
    """The outcomes, a line each."""
    return "".join(f"\n  {o.check}: {o.status}, {o.cause}: {o.message}" for o in outcomes)


def not_green(run: Run) -> list[Outcome]:
    """What did not pass, and was not left out."""
    return [o for o in run.outcomes if o.status not in (Status.PASSED, Status.SKIPPED)]


def run_gate(stack: str, systems: tuple[str, ...], reports: Path, *more: str) -> tuple[Run, str]:
    """Run all checks of these systems against a stack; the run and what the terminal showed."""
    options = ["--stack", stack, "--allow-writes", "embedded", "--expect-version", "1.0.0", f"--reports={reports}"]
    options += [f"--profile={system}/embedded" for system in systems]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, *more],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=480,
        check=False,
    )
    assert (reports / "latest").exists(), f"the gate wrote no report:\n{done.stdout}\n{done.stderr}"
    run = read_run(reports / "latest")
    assert done.returncode == run.verdict.exit_status, done.stdout
    return run, done.stdout
