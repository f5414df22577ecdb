"""`opsproof dr prove`: faults in copies of one's own backups."""

import argparse
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from opsproof.errors import PreconditionMissing, ProfileError

if TYPE_CHECKING:
    from opsproof.profile.models import Profile
    from opsproof.rehearsal.damage.damage import Area
    from opsproof.rehearsal.damage.proving import Shown
    from opsproof.rehearsal.procedure.surroundings import Surroundings
    from opsproof.stack.clusters import Grounds

Show = Callable[["list[Area[Any]]", "Grounds"], "list[Shown]"]
"""Puts every fault in, prints what comes of it, and returns it."""


def prove_own(options: argparse.Namespace, show: Show) -> "list[Shown]":
    """
    Copy an environment's backups, damage the copies, and keep what came of it.

    Args:
        options: Of the command.
        show: Puts the faults in.

    Raises:
        OpsproofError: The backups cannot be had, or are too large.
    """
    from opsproof.rehearsal.asking import Asking
    from opsproof.rehearsal.damage.own import GROUPS, fetch, own_areas, sizes
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
        grounds = surroundings.grounds
        own = fetch(said, store, surroundings.catalogue, server, grounds, options.most_bytes)
        print(f"copied; from here on nothing but the copies is touched ({'' if server else 'no '}server is known)")
        chosen = own_areas(own, tuple(options.area) or GROUPS)
        if not chosen:
            raise PreconditionMissing(
                f"the profile describes nothing of {', '.join(options.area)}",
                where=f"{profile.name}: backups",
                next_step="Add `dumps`, `bases` or `wal`; the archive needs `bases` too.",
            )
        shown = show(chosen, grounds)
    finally:
        surroundings.close()
    facts = [(one.area, one.fact) for one in shown if not one.not_applicable and not one.failed]
    if facts:
        print(f"kept for the next rehearsal's report: {keep_seeded(options.reports, profile.name, facts)}")
    return shown


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
    try:
        return surroundings.home
    except PreconditionMissing:
        return None
