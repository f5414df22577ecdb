"""The plan of a rehearsal: printed before anything is touched, and hashed, for a changed plan was not rehearsed."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from opsproof.profile.models import Profile
from opsproof.profile.rehearsals import Objectives
from opsproof.profile.scalars import duration_text

_ASSUMED = 1800.0


@dataclass(frozen=True)
class PlannedStep:
    """
    One step.

    Attributes:
        check: Name of its check.
        title: What must be true after it, by language.
        phase: Its phase.
        critical: True if the rehearsal is given up where it fails.
        always: True if it is done in a rehearsal that was given up, too.
    """

    check: str
    title: Mapping[str, str]
    phase: str
    critical: bool
    always: bool


@dataclass(frozen=True)
class Plan:
    """
    The steps of one scenario on one environment, in their order.

    Attributes:
        profile: Name of the profile.
        scenario: `region-loss`.
        objectives: What must be held.
        steps: In their order.
    """

    profile: str
    scenario: str
    objectives: Objectives
    steps: tuple[PlannedStep, ...]

    def budget(self, phase: str) -> float:
        """Seconds that a phase may take; half an hour where the profile says nothing."""
        return self.objectives.phases.get(phase, _ASSUMED)

    @property
    def sha256(self) -> str:
        """Of steps, objectives and budgets, in hexadecimal digits."""
        content = {
            "profile": self.profile,
            "scenario": self.scenario,
            "objectives": self.objectives.model_dump(mode="json"),
            "steps": [asdict(step) for step in self.steps],
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def told(plan: Plan, profile: Profile, *, embedded: bool) -> list[str]:
    """
    The plan as lines for a terminal.

    Args:
        plan: Of one scenario.
        profile: Its environment.
        embedded: True if opsproof makes an environment of its own for it.
    """
    objectives, rehearsals = plan.objectives, profile.rehearsals
    lines = [
        f"{plan.scenario} on {plan.profile}: {objectives.title.en}",
        f"  RTO {duration_text(objectives.rto)}, RPO {duration_text(objectives.rpo)}; plan {plan.sha256[:12]}",
    ]
    if embedded:
        lines.append("  touches nothing but clusters of its own, which are gone afterwards")
    elif rehearsals is not None:
        touched = [site.database for site in (rehearsals.home, rehearsals.dr) if site]
        lines += [f"  touches {_address(url.get_secret_value())}" for url in touched]
        lines.append(f"  only if its system identifier is {rehearsals.system_identifier or 'what the first step says'}")
        lines += [f"  only if {sql} gives {value}" for sql, value in rehearsals.marker.items()]
        lines += [f"  {action}: {' '.join(argv)}" for action, argv in rehearsals.commands.items()]
    return [*lines, *_steps_told(plan)]


def _steps_told(plan: Plan) -> list[str]:
    lines: list[str] = []
    phases: Sequence[str] = tuple(dict.fromkeys(step.phase for step in plan.steps))
    for phase in phases:
        lines.append(f"  {phase}, at most {duration_text(plan.budget(phase))}")
        for step in (step for step in plan.steps if step.phase == phase):
            remark = " (given up where it fails)" if step.critical else " (always)" if step.always else ""
            lines.append(f"    {step.title['en']}{remark}")
    return lines


def _address(url: str) -> str:
    return url.rpartition("@")[2].partition("?")[0]
