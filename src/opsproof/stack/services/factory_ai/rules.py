"""Judging by rules: limits of a machine's readings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from opsproof.stack.services.common.failures import ApiError
from opsproof.stack.services.common.services import Services

Rules = Mapping[str, Mapping[str, float]]
"""By reading: from which value on it is a warning (`warn`), and from which on the machine must stop (`stop`)."""

OUTCOMES = ("NORMAL", "WARNING", "STOP")

RULESETS: dict[str, Rules] = {
    "v1.3.0": {"temperature": {"warn": 60, "stop": 80}, "vibration": {"warn": 4.0, "stop": 7.0}},
    "v1.4.0": {"temperature": {"warn": 70, "stop": 90}, "vibration": {"warn": 4.5, "stop": 7.1}},
}
ACTIVE = "v1.4.0"
"""The newest version, which runbook 001 (5.2, phase 5) expects."""


@dataclass(frozen=True)
class Opinion:
    """What rules or a model think: one of OUTCOMES, and how sure they are, 0 to 1."""

    result: str
    confidence: float


@dataclass(frozen=True)
class Ruleset:
    """One version of the rules."""

    version: str
    rules: Rules


def judge_by_rules(rules: Rules, readings: Mapping[str, float]) -> Opinion:
    """The worst outcome of the readings that a rule knows; unsure where it knows none."""
    known = [(limits, readings[name]) for name, limits in rules.items() if name in readings]
    if not known:
        return Opinion("NORMAL", 0.5)
    worst = max((value >= limits["warn"]) + (value >= limits["stop"]) for limits, value in known)
    return Opinion(OUTCOMES[worst], 0.95)


async def ruleset(services: Services, version: str | None = None) -> Ruleset:
    """
    A version of the rules, or the active one.

    Raises:
        ApiError: 422, there is no such version.
    """
    rows = await services.database.query(
        "SELECT version, rules FROM rulesets WHERE version = %s OR (%s::text IS NULL AND active)", (version, version)
    )
    if not rows:
        raise ApiError(422, "there is no such version of the rules")
    return Ruleset(rows[0]["version"], rows[0]["rules"])
