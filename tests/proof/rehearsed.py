"""A scenario of a rehearsal gone through in this process, on real sites, with harm done to each of its steps."""

import asyncio
import contextlib
import inspect
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from proof_gate import REPOSITORY, module_of

from opsproof.errors import NotObserved, OpsproofError
from opsproof.plugin.check import check_name
from opsproof.profile import load_profile
from opsproof.rehearsal.asking import Asking
from opsproof.rehearsal.procedure import common_steps
from opsproof.rehearsal.procedure import recovery as of_recovery
from opsproof.rehearsal.procedure.plan import Plan, PlannedStep
from opsproof.rehearsal.procedure.rehearsal import Rehearsal
from opsproof.rehearsal.procedure.surroundings import Surroundings

NAME = "factory-ai/embedded"
PASSED = "passed"
_PATIENCE, _WRITE_SECONDS = 2.0, 2.0
_ATTEMPT_SECONDS = 240.0


@dataclass(frozen=True)
class Harm:
    """
    What goes wrong in the middle of a rehearsal.

    Attributes:
        name: `stale-resolver`.
        scenario: In which it is done.
        step: The step that must be red, by the name of its check without `rehearsal.SCENARIO.`.
        says: A word of what the step must say.
        do: Does it, and takes it back.
        after: True if the step has been green before; else it is green for the first time once it is taken back.
    """

    name: str
    scenario: str
    step: str
    says: str
    do: Callable[["Course"], AbstractContextManager[None]]
    after: bool = False


@dataclass
class Course:
    """
    A scenario that is gone through.

    Attributes:
        told: By step what it said: `passed`, or what is wrong.
        harmed: By harm what its step said under it.
        kept: What a test wants to know of the middle of it.
    """

    scenario: str
    rehearsal: Rehearsal
    patch: pytest.MonkeyPatch
    told: dict[str, str] = field(default_factory=dict)
    harmed: dict[str, str] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def recovery(self) -> Any:
        return self.rehearsal._recovery

    @property
    def site(self) -> Any:
        return self.recovery.at.embedded


def steps_of(scenario: str) -> dict[str, Callable[..., Any]]:
    """The checks of a scenario in their order, by the name of the check."""
    path = REPOSITORY / "checks" / "rehearsal" / f"test_{scenario.replace('-', '_')}.py"
    ((_, holder),) = inspect.getmembers(module_of(path), inspect.isclass)
    found = {name: one for name, one in vars(holder).items() if name.startswith("test_")}
    return {check_name(path, name, in_class=True): one for name, one in found.items()}


def plan_of(scenario: str, objectives: Any) -> Plan:
    """The plan of a scenario, as the plugin makes it."""
    planned = []
    for name, one in steps_of(scenario).items():
        (step,) = (mark.args[0] for mark in one.pytestmark if mark.name == "step")
        title = {"en": (inspect.getdoc(one) or "").partition("\n")[0]}
        planned.append(PlannedStep(name, title, step.phase, step.critical, step.always))
    return Plan(NAME, scenario, objectives, tuple(planned))


def load(variables: Mapping[str, str]) -> Any:
    """The embedded profile, with what sites of its own give."""
    return load_profile(NAME, root=REPOSITORY / "profiles", variables={**os.environ, **variables}, missing="keep")


def rehearsal_of(scenario: str, folder: Path, **changes: Any) -> Rehearsal:
    """A rehearsal that makes its own sites with its first step; `changes` are arguments of `Rehearsal`."""
    profile, asking = load({}), Asking.alone(NAME)

    def surroundings() -> Surroundings:
        return Surroundings.open(profile, asking, embedded=True, reload=lambda _, variables: load(variables))

    how: dict[str, Any] = {"run": "test", "say": lambda _: None, "allowed": True, "resumes": False}
    return Rehearsal(
        plan_of(scenario, profile.rehearsals.scenarios[scenario]),
        **{"surroundings": surroundings, "asking": asking, "journal": folder / f"{scenario}.jsonl", **how, **changes},
    )


def rehearse(
    scenario: str,
    folder: Path,
    harms: Iterable[Harm] = (),
    before: Mapping[str, Callable[[Course], None]] | None = None,
) -> Course:
    """
    Go through a scenario to its end, on sites of its own.

    Args:
        scenario: Its name.
        folder: For journal and ledger.
        harms: Those of the scenario; each is done, seen and taken back.
        before: By step what is done before it, for good.
    """
    with pytest.MonkeyPatch.context() as patch:
        course = Course(scenario, rehearsal_of(scenario, folder), patch)
        asyncio.run(_go(course, tuple(harms), before or {}))
        return course


async def _go(course: Course, harms: tuple[Harm, ...], before: Mapping[str, Callable[[Course], None]]) -> None:
    try:
        for name, check in steps_of(course.scenario).items():
            short = name.rpartition(".")[2]
            own = [harm for harm in harms if harm.step == short]
            for harm in own:
                if not harm.after:
                    course.harmed[harm.name] = await _harmed(course, harm, check)
            if short in before:
                await asyncio.to_thread(before[short], course)
            course.told[short] = await _said(_step(course.rehearsal, name, check))
            for harm in own:
                if harm.after:
                    course.harmed[harm.name] = await _harmed(course, harm, check)
    finally:
        course.rehearsal.close()
        if course.recovery is not None:
            course.recovery.at.close()


async def _step(rehearsal: Rehearsal, name: str, check: Callable[..., Any]) -> None:
    async with rehearsal.step(name) as goes_on:
        assert goes_on
        await check(None, rehearsal)


async def _harmed(course: Course, harm: Harm, check: Callable[..., Any]) -> str:
    harming = harm.do(course)
    try:
        await asyncio.to_thread(harming.__enter__)
    except Exception as exc:  # noqa: BLE001 - the other harms are told of all the same
        return f"{harm.name} could not be done: {exc!r}"
    try:
        async with _trying(course):
            return await _said(check(None, course.rehearsal))
    finally:
        try:
            await asyncio.to_thread(harming.__exit__, None, None, None)
        except Exception as exc:  # noqa: BLE001 - as above; the steps after it tell what it did
            course.told[f"{harm.name} could not be taken back"] = repr(exc)


@contextlib.asynccontextmanager
async def _trying(course: Course) -> AsyncIterator[None]:
    """A step that is only tried: it waits a moment, notes no time, and starts no second writer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(of_recovery, "_EMBEDDED_PATIENCE", _PATIENCE)
        patch.setattr(common_steps, "_WRITE_SECONDS", _WRITE_SECONDS)
        patch.setattr(course.rehearsal.watch, "note", lambda *_: None)
        patch.setattr(course.recovery.writer, "start", _writes_already)
        async with asyncio.timeout(_ATTEMPT_SECONDS):
            yield


async def _writes_already() -> None:
    """A second writer would spoil the ledger."""


async def _said(step: Any) -> str:
    try:
        await step
    except AssertionError as exc:
        return str(exc).partition("\nassert ")[0] or "it failed without a word"
    except NotObserved as exc:
        return f"unknown: {exc.what}"
    except OpsproofError as exc:
        return f"broken: {type(exc).__name__}: {exc.what}"
    return PASSED
