"""Names inside a profile that point to another part of it: each must lead somewhere."""

from collections.abc import Iterator

from opsproof.profile.tree import Loc
from opsproof.profile.wording import unknown

_INDICATORS = "indicators."


def dangling(document: object) -> Iterator[tuple[Loc, str]]:
    """
    Names of targets, identities and indicators that the profile does not have.

    Works on a document that may be wrong elsewhere, so that all mistakes show at once. What `policy.require` names may
    be absent: the run's verdict says so. Without a target `api`, what needs it is skipped, and its identities too.

    Args:
        document: The profile as dicts, lists and scalars, references resolved.

    Yields:
        The way to each such name, and what is wrong with it.
    """
    targets = _mapping(document, "targets")
    for name, target in targets.items():
        for position, other in enumerate(_list(target, "depends_on")):
            yield from _unless_known((("targets", name, "depends_on", position), other), "target", targets)
    for component, other in _mapping(document, "health", "components").items():
        if other:
            yield from _unless_known((("health", "components", component), other), "target", targets)
    indicators = _mapping(document, "indicators")
    for key, indicator in indicators.items():
        if isinstance(indicator, dict) and indicator.get("target") is not None:
            yield from _unless_known((("indicators", key, "target"), indicator["target"]), "target", targets)
    for key, scenario in _mapping(document, "scenarios").items():
        for position, sign in enumerate(_list(scenario, "signs")):
            check = sign.get("check") if isinstance(sign, dict) else None
            if isinstance(check, str) and check.startswith(_INDICATORS):
                loc = ("scenarios", key, "signs", position, "check")
                yield from _unless_known((loc, check.removeprefix(_INDICATORS)), "indicator", indicators)
    for key, hop in _mapping(document, "payload", "hops").items():
        if isinstance(hop, dict):
            yield from _unless_known((("payload", "hops", key, "target"), hop.get("target")), "target", targets)
    if _mapping(document, "payload").get("stored") is not None:
        yield from _unless_known((("payload", "stored"), "database"), "target", targets)
    if "api" not in targets:
        return
    identities = _mapping(targets, "api", "identities")
    for named in _identity_names(document):
        yield from _unless_known(named, "identity of targets.api", identities)


def _identity_names(document: object) -> Iterator[tuple[Loc, object]]:
    for position, endpoint in enumerate(_list(document, "core")):
        if isinstance(endpoint, dict) and endpoint.get("identity") is not None:
            yield ("core", position, "identity"), endpoint["identity"]
    for section, key in (("authorization", "admitted"), ("authorization", "refused"), ("rate_limit", "identity")):
        name = _mapping(document, section).get(key)
        if name is not None:
            yield (section, key), name


def _unless_known(named: tuple[Loc, object], what: str, known: dict[str, object]) -> Iterator[tuple[Loc, str]]:
    loc, name = named
    if isinstance(name, str) and name not in known:
        yield loc, unknown(name, f"names no {what}", "there are", list(known))


def _mapping(document: object, *way: str) -> dict[str, object]:
    found = document
    for key in way:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _list(document: object, key: str) -> list[object]:
    value = document.get(key) if isinstance(document, dict) else None
    return value if isinstance(value, list) else []
