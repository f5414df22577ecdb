"""Diagnosis: which incidents of the runbook the outcomes fit, in order of fit."""

from collections.abc import Iterable, Mapping

from pydantic import Field

from opsproof.judge.outcome import Fact, Outcome, Status
from opsproof.profile.scenarios import Scenario, Sign


class Fit(Fact):
    """How well one scenario fits."""

    scenario: str = Field(description="Id in the profile.")
    title: dict[str, str] = Field(description="By language.")
    runbook: tuple[str, ...]
    share: float = Field(description="Weight of the signs that are there, of the weight of all: 0 to 1.")
    there: tuple[str, ...] = Field(description="Checks that show what the scenario says.")
    against: tuple[str, ...] = Field(description="Checks that show the contrary.")
    not_measured: tuple[str, ...] = Field(description="Checks that were not asked, or gave no answer to judge.")
    next_steps: tuple[dict[str, str], ...] = Field(description="The runbook's, by language.")


class Diagnosis(Fact):
    """What one profile's outcomes say of the scenarios that its runbook knows."""

    profile: str
    fits: tuple[Fit, ...] = Field(description="Scenarios that fit, the best first; empty: none fits.")
    others: tuple[Fit, ...] = Field(description="Scenarios that do not fit.")


def diagnose(profile: str, scenarios: Mapping[str, Scenario], outcomes: Iterable[Outcome]) -> Diagnosis:
    """
    Compare the outcomes of a profile with its scenarios.

    A scenario fits if one of its symptoms is there, and the trouble of it outweighs what should be well and is not; the
    better, the more of the weight of its signs is there. What was not measured is not there, so that blindness makes no
    diagnosis: a target that does not answer is trouble only to the check whose subject that is, which then has failed.
    A number between well and bad is neither.

    Args:
        profile: Name of the profile.
        scenarios: By id.
        outcomes: Those of this profile.
    """
    by_name: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_name.setdefault(outcome.name, []).append(outcome)
    found = [_fit(key, scenario, by_name) for key, scenario in scenarios.items()]
    ranked = sorted(found, key=lambda pair: (-pair[0].share, len(pair[0].against)))
    return Diagnosis(
        profile=profile,
        fits=tuple(fit for fit, fits in ranked if fits),
        others=tuple(fit for fit, fits in ranked if not fits),
    )


def _fit(key: str, scenario: Scenario, outcomes: Mapping[str, list[Outcome]]) -> tuple[Fit, bool]:
    shown = [(sign, _shows(sign, outcomes.get(sign.check, []))) for sign in scenario.signs]
    there = [sign for sign, shows in shown if shows]
    share = sum(sign.weight for sign in there) / sum(sign.weight for sign in scenario.signs)
    fit = Fit(
        scenario=key,
        title=scenario.title.model_dump(),
        runbook=scenario.runbook,
        share=share,
        there=tuple(sign.check for sign in there),
        against=tuple(sign.check for sign, shows in shown if shows is False),
        not_measured=tuple(sign.check for sign, shows in shown if shows is None),
        next_steps=tuple(step.model_dump() for step in scenario.next_steps),
    )
    seen = sum(sign.weight for sign in there if sign.shows != "well")
    contrary = sum(sign.weight for sign, shows in shown if sign.shows == "well" and shows is False)
    return fit, seen > contrary and any(sign.shows == "symptom" for sign in there)


def _shows(sign: Sign, outcomes: list[Outcome]) -> bool | None:
    """Whether the sign is there; None if that was not measured."""
    troubled = [trouble for outcome in outcomes if (trouble := _is_trouble(outcome)) is not None]
    if not troubled:
        return None
    return any(troubled) is (sign.shows != "well")


def _is_trouble(outcome: Outcome) -> bool | None:
    if outcome.status is Status.PASSED:
        return False
    if outcome.status in (Status.FAILED, Status.WAIVED) and not outcome.between:
        return True
    return None
