"""Collection: every check once for every profile that can carry it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from opsproof.errors import ProfileError
from opsproof.judge.limits import Lang
from opsproof.plugin.check import Entry, check_name, check_of, indicator_check, is_known_in, lacking, value_at
from opsproof.plugin.gate import Gate
from opsproof.plugin.marks import Card, Verifies, marked, proven_by
from opsproof.profile.attested import Attested, attested_check
from opsproof.profile.canary import Criterion
from opsproof.profile.indicators import Indicator
from opsproof.profile.load import Gate as LoadGate

_NOT_CARRIED = "opsproof_not_carried"


def parametrize(metafunc: pytest.Metafunc, gate: Gate) -> None:
    """Make a check run on each profile, and for each entry that it asks for."""
    if "profile" not in metafunc.fixturenames:
        return
    lacks = {profile.name: lacking(profile, metafunc) for profile in gate.profiles.values()}
    profiles = [profile for profile in gate.profiles.values() if not lacks[profile.name]]
    _note_not_carried(metafunc, gate, lacks)
    each = marked(metafunc, "each")
    if each is None:
        names = [profile.name for profile in profiles]
        metafunc.parametrize("profile", names, indirect=True, ids=names, scope="session")
        return
    ((argument, key),) = each.kwargs.items()
    entries = [
        pytest.param(profile.name, entry, id=f"{profile.name}-{name}", marks=marks_of(entry, gate.options.lang))
        for profile in profiles
        for name, entry in named_entries(value_at(profile, key))
    ]
    metafunc.parametrize(("profile", argument), entries, indirect=["profile"], scope="session")


def _note_not_carried(metafunc: pytest.Metafunc, gate: Gate, lacks: Mapping[str, str]) -> None:
    """Keep for the report which selected checks a profile cannot carry, and what it lacks for them."""
    card = marked(metafunc, "runbook")
    if card is None:
        return
    in_class = metafunc.cls is not None
    name = check_name(metafunc.definition.path, metafunc.function.__name__, in_class=in_class)
    for profile, key in lacks.items():
        if key and _is_selected(metafunc, f"{metafunc.definition.nodeid}[{profile}]"):
            gate.ledger.not_carried.setdefault(profile, {}).setdefault(key, {})[name] = card.args[0].severity


def _is_selected(metafunc: pytest.Metafunc, nodeid: str) -> bool:
    """True if `-m` and `-k` would select it, as pytest reads them."""
    from _pytest.mark.expression import Expression

    option = metafunc.config.option
    markers = {mark.name for mark in metafunc.definition.iter_markers()}
    names = f"{nodeid} {' '.join(markers)}".lower()

    def has_marker(name: str, /, **_: str | int | bool | None) -> bool:
        return name in markers

    def has_name(name: str, /, **_: str | int | bool | None) -> bool:
        return name.lower() in names

    asked = ((option.markexpr, has_marker), (option.keyword, has_name))
    try:
        return all(Expression.compile(text).evaluate(matches) for text, matches in asked if text)
    except SyntaxError:
        return False  # pytest refuses the expression, and says where it is wrong


def learn_not_carried(node: Any, gate: Gate) -> None:
    """Where the reports arrive: learn from an xdist worker, which collects, what profiles cannot carry."""
    gate.ledger.not_carried.update(getattr(node, "workeroutput", {}).get(_NOT_CARRIED, {}))


def named_entries(value: Any) -> list[tuple[str, Any]]:
    """The entries of a list or mapping of the profile, by name."""
    return list(value.items()) if isinstance(value, Mapping) else [(entry.name, entry) for entry in value or ()]


def marks_of(entry: object, lang: Lang) -> list[pytest.MarkDecorator]:
    """An indicator, and what a person attests, bring the marks of their check along."""
    if not isinstance(entry, Entry):
        return []
    if isinstance(entry, (Criterion, LoadGate)):
        return [pytest.mark.runbook(Card(entry.runbook, entry.severity, getattr(entry.next_step, lang), "content"))]
    verifies: Verifies = "attestation" if isinstance(entry, Attested) else "content"
    card = Card(entry.runbook, entry.severity, getattr(entry.next_step, lang), verifies)
    own = [pytest.mark.runbook(card), *(getattr(pytest.mark, name) for name in entry.markers)]
    return [*own, proven_by(*entry.proven_by)] if isinstance(entry, Indicator) and entry.proven_by else own


def select(config: pytest.Config, items: list[pytest.Item], gate: Gate) -> None:
    """
    Leave out checks that no profile can carry, and refuse what is not a proper check.

    Raises:
        pytest.UsageError: A test uses a profile without citing the runbook, cites it without using one, or expects to
            fail; two checks have one id; or a waiver names an unknown check.
    """
    carried: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        spec = getattr(item, "callspec", None)
        can_be_carried = spec is None or isinstance(spec.params.get("profile", ""), str)
        is_asked_for = spec is None or not can_be_carried or _is_asked_for(config, item, gate)
        gate.unasked += not is_asked_for
        (carried if can_be_carried and is_asked_for else left_out).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = carried
    for item in items:
        if objection := _objection(item):
            raise pytest.UsageError(f"{item.nodeid} {objection[0]}\n  next: {objection[1]}")
    checks = [check for item in items if (check := check_of(item))]
    gate.ledger.collected = len(checks)
    gate.steps = tuple(check for check in checks if check.step)
    if hasattr(config, "workeroutput"):
        config.workeroutput[_NOT_CARRIED] = gate.ledger.not_carried
    if any(check.step for check in checks) and hasattr(config, "workerinput"):
        raise pytest.UsageError(
            "the steps of a rehearsal are one after the other, in one process\n"
            "  next: leave -n out, or -m 'dr and not quarterly'"
        )
    if any(check.of_canary for check in checks) and hasattr(config, "workerinput"):
        raise pytest.UsageError("a canary is watched as time passes, in one process\n  next: leave -n out")
    if any(check.of_benchmark for check in checks) and hasattr(config, "workerinput"):
        raise pytest.UsageError(
            "two benchmarks at once measure each other\n  next: leave -n out; Locust has its own: --processes"
        )
    if len({check.id for check in checks}) < len(checks):
        twice = sorted(check.id for check in checks if [c.id for c in checks].count(check.id) > 1)
        raise pytest.UsageError(f"two checks have one id: {twice[0]}\n  next: rename one of the functions")
    _know_signs(config, gate, {check.name for check in checks})
    _know_waivers(config, gate, {check.name for check in checks} | {row for c in checks for row in c.card.rows})


def _is_asked_for(config: pytest.Config, item: pytest.Item, gate: Gate) -> bool:
    """
    Whether a check runs where no marker asks for it.

    A rehearsal breaks what it rehearses on, what looks at embedded backups makes two sites first, and the watch of a
    canary, and a benchmark, last.
    """
    markers = gate.options.markers or frozenset()
    check = check_of(item)
    if check is None or any(Path(arg.partition("::")[0]).resolve() in _places(item) for arg in config.args):
        return True
    if check.step:
        return bool(markers & {"dr", "quarterly"})
    if check.of_canary:
        return "canary_criteria" in markers
    if check.of_benchmark:
        return "load" in markers
    on_its_own_site = check.profile.endswith("/embedded") and check.on_site
    return not on_its_own_site or bool(markers & {"dr", "monthly", "quarterly"})


def _places(item: pytest.Item) -> tuple[Path, Path]:
    return item.path, item.path.parent


def _objection(item: pytest.Item) -> tuple[str, str] | None:
    """Why an item is no proper check, and what to do about it; None for a proper one, and for an ordinary test."""
    asks = "profile" in getattr(item, "fixturenames", ())
    cites = marked(item, "runbook") is not None
    if asks and check_of(item) is None:
        return "asks an environment and cites no runbook row", "add @runbook(ROW, severity=..., next_step=...) to it"
    if cites and not asks:
        return "cites the runbook and asks no environment", "give it a fixture of opsproof: api, database, profile, ..."
    if cites and item.get_closest_marker("xfail"):
        return "is marked xfail, which hides a failure", "waive it in the profile, with owner, reason and expiry"
    return None


def _know_signs(config: pytest.Config, gate: Gate, known: set[str]) -> None:
    """A sign of a check that does not exist is never there."""
    for profile in gate.profiles.values():
        indicators = {indicator_check(key) for key in profile.indicators}
        for key, scenario in profile.scenarios.items():
            for sign in scenario.signs:
                if sign.check not in known | indicators and not _is_known(config, sign.check):
                    raise pytest.UsageError(
                        str(
                            ProfileError(
                                f"a sign names the check {sign.check!r}, and there is none of that name",
                                where=f"scenarios.{key} of {profile.name}",
                                next_step="Correct the name (`pytest --co -q` lists them all, `NAME[PROFILE]`).",
                            )
                        )
                    )


def _is_known(config: pytest.Config, name: str) -> bool:
    return any(is_known_in(config.rootpath / path, name) for path in config.getini("testpaths"))


def _know_waivers(config: pytest.Config, gate: Gate, known: set[str]) -> None:
    """A waiver for a check that does not exist hides nothing today, and something else tomorrow."""
    for profile in gate.profiles.values():
        for waiver in profile.policy.waivers:
            if waiver.check in known or waiver.check.partition("[")[0] in known:
                continue
            name = waiver.check.partition("[")[0]
            entries = {*map(indicator_check, profile.indicators), *map(attested_check, profile.attested)}
            if name in entries:
                continue
            if not _is_known(config, name):
                raise pytest.UsageError(
                    str(
                        ProfileError(
                            f"a waiver names the check {waiver.check!r}, and there is none of that id",
                            where=f"policy.waivers of {profile.name}",
                            next_step="Correct the id (`pytest --co -q` lists them all), or delete the waiver.",
                        )
                    )
                )
