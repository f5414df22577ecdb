"""The section `attested` of a profile, and how long a passed check is fresh: what an operator reads of a mistake."""

from collections.abc import Callable
from pathlib import Path

import pytest

from opsproof.profile import load_profile

HEAD = "system: shop\nenvironment: staging\ntitle: {en: Shop, ko: 상점}\n"
ITEM = {
    "title": "{en: Told, ko: 공지}",
    "ask": "{en: 'Told?', ko: '공지?'}",
    "runbook": "[ING-033]",
    "markers": "[recovery]",
    "next_step": "{en: Tell., ko: 공지한다.}",
}


def section(**changes: str) -> str:
    keys = {key: value for key, value in (ITEM | changes).items() if value}
    return "attested:\n  told:\n" + "".join(f"    {key}: {value}\n" for key, value in keys.items())


@pytest.mark.parametrize(
    ("changes", "mistake"),
    [
        ({"ask": ""}, "attested.told.ask: is missing (The question, so that yes means well)"),
        ({"ask": "{en: 'Told?'}"}, "attested.told.ask.ko: is missing"),
        ({"runbook": "[]"}, "attested.told.runbook: expected a list of at least 1"),
        ({"markers": "[]"}, "attested.told.markers: expected a list of at least 1"),
        ({"markers": "[recover]"}, "attested.told.markers[0]: expected one of: 'smoke', 'recovery'"),
        ({"severity": "SEV-4"}, "attested.told.severity: expected one of: 'SEV-1', 'SEV-2' or 'SEV-3'"),
        ({"valid_for": "4 hours"}, "attested.told.valid_for: expected a duration such as 250ms, 5s, 2m or 12h"),
        ({"valid_for": "0s"}, "attested.told.valid_for: expected more than 0"),
        ({"valid": "4h"}, "attested.told.valid: unknown key; did you mean `valid_for`?"),
    ],
)
def test_a_mistake_is_told_by_its_key(
    mistakes_in: Callable[..., list[str]], changes: dict[str, str], mistake: str
) -> None:
    """A question without a row, a moment or one of the two languages is none that an operator can be asked."""
    assert any(mistake in line for line in mistakes_in(section(**changes)))


def test_fresh_for_is_a_duration(mistakes_in: Callable[..., list[str]]) -> None:
    """How long a passed check may be taken over is a number of the environment."""
    (line,) = mistakes_in("policy: {fresh_for: soon}")

    assert "policy.fresh_for: expected a duration such as 250ms, 5s, 2m or 12h" in line


def test_what_is_left_out_has_its_default(root: Path, write: Callable[[str, str], Path]) -> None:
    """An hour for a machine's answer, four for a person's, and severe enough to hold a verdict up."""
    write("shop/staging.yaml", HEAD + section())

    profile = load_profile("shop/staging", root=root, variables={})

    item = profile.attested["told"]
    assert (item.id, item.severity, item.valid_for, profile.policy.fresh_for) == ("told", "SEV-2", 14400, 3600)


def test_an_environment_can_leave_all_of_it_out(root: Path, write: Callable[[str, str], Path]) -> None:
    """Where nobody is at hand: `attested: null` removes what base.yaml asks."""
    write("shop/base.yaml", HEAD.replace("environment: staging\n", "") + section())
    write("shop/staging.yaml", "extends: base.yaml\nenvironment: staging\nattested: null\n")

    assert load_profile("shop/staging", root=root, variables={}).attested == {}
