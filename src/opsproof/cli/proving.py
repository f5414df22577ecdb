"""`opsproof dr prove`: faults in copies of one's own backups, archive and standbys, as a table."""

import argparse
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opsproof.errors import OpsproofError, PreconditionMissing, ProfileError

if TYPE_CHECKING:
    from opsproof.profile.models import Profile
    from opsproof.rehearsal.damage.damage import Area, Damage
    from opsproof.rehearsal.damage.proving import Shown
    from opsproof.rehearsal.procedure.surroundings import Surroundings
    from opsproof.stack.clusters import Grounds

Wanted = Callable[["Damage[Any]"], bool]

_HEAD = ("verdict", "seconds", "area", "fault", "checks that went red")
_COLUMNS = "{:<9}  {:>7}  {:<12}  {:<36}  "
_NARROWEST = 30


def prove_own(options: argparse.Namespace, wanted: Wanted) -> int:
    """
    Copy an environment's backups, damage the copies, print and keep what comes of it.

    Args:
        options: Of the command.
        wanted: Faults that are wanted.

    Returns:
        Exit status: 0 if every fault that was tried was caught, and one was tried; else 1.

    Raises:
        OpsproofError: The backups cannot be had, or are too large.
    """
    from opsproof.rehearsal.asking import Asking
    from opsproof.rehearsal.damage.own import fetch, own_areas, sizes
    from opsproof.rehearsal.procedure.surroundings import Surroundings
    from opsproof.rehearsal.seeded import keep_seeded

    profile, embedded = _profile(options), options.profile.endswith("/embedded")
    if embedded:
        print("the embedded environment: two sites of its own are started, and their backups copied", flush=True)
    surroundings = Surroundings.open(
        profile,
        Asking.alone("prove"),
        embedded=embedded,
        reload=lambda name, variables: _profile(options, variables),
    )
    try:
        said, store = surroundings.backups, surroundings.objects
        for prefix, size in sizes(said, store).items():
            print(f"{store.where(prefix)}: {size:,} bytes", flush=True)
        server = _server(surroundings)
        own = fetch(said, store, surroundings.catalogue, server, surroundings.grounds, options.most_bytes)
        print("copied; from here on nothing but the copies is touched\n", flush=True)
        areas, left_out = own_areas(own, options.area)
        print(_COLUMNS.format(*_HEAD[:4]) + _HEAD[4])
        shown = [one for area in areas for one in _tried(area, surroundings.grounds, wanted)]
        shown += [one for area, why in left_out for one in _not_tried(area, why, wanted)]
    finally:
        surroundings.close()
    facts = [(one.area, one.fact) for one in shown if not one.not_applicable and not one.failed]
    if facts:
        print(f"\nkept for the next rehearsal's report: {keep_seeded(options.reports, profile.name, facts)}")
    return _summary(shown)


def _tried(area: "Area[Any]", grounds: "Grounds", wanted: Wanted) -> "Iterable[Shown]":
    """Every fault of an area, printed as it comes; none is tried where the copies are not sound before any fault."""
    from opsproof.rehearsal.damage.proving import prove, sound

    if not any(map(wanted, area.damages)):
        return
    try:
        sound(area, grounds)
    except OpsproofError as exc:
        yield from _not_tried(area, f"{exc.what} ({exc.where})", wanted, problem=True)
        return
    for one in prove(area, grounds, only=wanted, say=_announce):
        _print(one)
        yield one


def _not_tried(area: "Area[Any]", why: str, wanted: Wanted, *, problem: bool = False) -> "Iterable[Shown]":
    from opsproof.rehearsal.damage.proving import Shown

    for damage in filter(wanted, area.damages):
        names = area.name, damage.name, damage.source, damage.title["en"]
        one = Shown(*names, failed=why) if problem else Shown(*names, not_applicable=why)
        _print(one)
        yield one


def _announce(text: str) -> None:
    if sys.stdout.isatty():
        print(f"... {text[:100]}", end="\r", flush=True)


def _print(one: "Shown") -> None:
    if sys.stdout.isatty():
        print("\033[2K", end="")
    taken = f"{one.seconds:.1f}" if one.seconds else "-"
    begin = _COLUMNS.format(_verdict(one), taken, one.area, one.damage)
    checks = ", ".join(name.partition(".")[2] for name in one.red)
    words = one.not_applicable or one.failed or checks or f"none: {one.title}"
    width = max(shutil.get_terminal_size((160, 50)).columns - len(begin), _NARROWEST)
    print(begin + f"\n{' ' * len(begin)}".join(textwrap.wrap(words, width, break_on_hyphens=False)), flush=True)


def _verdict(one: "Shown") -> str:
    if one.not_applicable:
        return "not tried"
    return "NOT SHOWN" if one.failed else "caught" if one.red else "GREEN"


def _summary(shown: "Sequence[Shown]") -> int:
    """What it comes to by area, and every finding; the exit status."""
    verdicts = ("caught", "GREEN", "NOT SHOWN", "not tried")
    print("\narea          faults" + "".join(f"  {one:>9}" for one in verdicts))
    for area in dict.fromkeys(one.area for one in shown):
        of_area = [_verdict(one) for one in shown if one.area == area]
        print(f"{area:<12}  {len(of_area):>6}" + "".join(f"  {of_area.count(one):>9}" for one in verdicts))
    findings = [one for one in shown if _verdict(one) in ("GREEN", "NOT SHOWN")]
    tried = [one for one in shown if not one.not_applicable]
    caught = sum(_verdict(one) == "caught" for one in tried)
    if findings:
        print("\nfindings:")
    for number, (one, *others) in enumerate(_alike(findings), 1):
        if one.failed:
            more = f" and {len(others)} more of it" if others else ""
            print(f"  {number}. {one.area}/{one.damage}{more} could not be shown: {one.failed}")
        else:
            print(
                f"  {number}. {one.area}/{one.damage} stayed green: {one.title} What the profile asks for would not "
                f"notice it; the usual check says: {' '.join(one.usual.split())[:120]}"
            )
    seconds = sum(one.seconds for one in tried)
    print(f"\n{len(tried)} of {len(shown)} faults were tried in {seconds:.0f} s: {caught} caught")
    if not tried:
        print("nothing was tried, and nothing is proven")
    return 0 if tried and not findings else 1


def _alike(findings: "Iterable[Shown]") -> "list[list[Shown]]":
    """Faults of an area that could not be shown for the same reason are one finding."""
    groups: dict[tuple[str, str], list[Shown]] = {}
    for one in findings:
        groups.setdefault((one.area, one.failed or one.damage), []).append(one)
    return list(groups.values())


def _profile(options: argparse.Namespace, variables: Mapping[str, str] | None = None) -> "Profile":
    from opsproof.profile import find_profiles, load_profile

    names = find_profiles([options.profile], options.root)
    if len(names) != 1:
        raise ProfileError(
            f"{len(names)} profiles match", where=options.profile, next_step=f"Name one: {', '.join(names)}."
        )
    known = {**os.environ, **(variables or {})}
    return load_profile(
        names[0], root=options.root, variables=known, missing="keep" if names[0].endswith("/embedded") else "error"
    )


def _server(surroundings: "Surroundings") -> Any:
    """The server that archives; None, and why, where the profile names none."""
    try:
        server = surroundings.archiving
    except PreconditionMissing as exc:
        print(f"no server is asked: {exc.what}; what only it can tell is not tried")
        return None
    print(f"the server that archives: {server.name}; it is only asked")
    return server
