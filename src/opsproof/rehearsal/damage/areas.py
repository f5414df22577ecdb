"""All kinds of damage, by area; an area is imported when it is asked for."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from opsproof.rehearsal.damage.damage import Area

GROUPS = ("stored", "archive", "restored", "failover", "site")
"""Packages beside this module; each has `AREAS`."""

NOT_HERE = {
    "B14": "An idle primary is no damage: its archive looks old and is not. A test holds that no check says otherwise.",
    "D14": "A jump of sequences at a promotion is no damage: the rule is `last_value >= max(id)`, never equality.",
    "F15": "A lock file that outlives its server is a trap of the lab: the start fails by itself, and says so.",
    "F1 on other machines": "One machine has one resolver of its own; those of clients are asked where they are named.",
    "F8 behind a firewall": "Cutting a network needs root and a second machine; connections are counted instead.",
    "E5 for real": "A change of glibc's or ICU's sorting needs another library: the index is given another collation.",
    "a cut network": "A dead port and a frozen sender stand for it: both look alike to the server.",
    "two clocks": "Both servers have the machine's clock.",
    "a slow disk": "Times of a rehearsal on one machine say nothing of the disks of another.",
}
"""What one machine does not allow, and why; by its number in the list of faults where it has one."""

BLIND_SPOTS = {
    "Damage that is as old as the reference": "A copy is compared with what the source was; of a source that had lost"
    " rows before, both say the same. Business totals and dumps of earlier days are other witnesses.",
    "A stored base backup of which a table is short, or has empty pages in its middle": "Reading alone cannot tell:"
    " PostgreSQL leaves empty pages itself, and how long a table is only its server knows. The restore counts rows.",
    "Configuration outside of the data folder (/etc)": "It is in no base backup; that of the standby is compared.",
    "archive_command that overwrites what is there": "Its text cannot tell in general what a program does.",
    "Index entries that lead to no row": "Lookups go from the table to the index. A DELETE leaves such entries.",
    "Indexes without an operator by which a key finds itself (vector: hnsw, ivfflat)": "They are told as not proven.",
    "A visibility map that is older than its table": "amcheck does not look at it; pg_visibility does.",
    "Conversions, transforms, security labels, base types in C, and comments but those of tables": "They are not in the"
    " inventory; extensions that bring them are.",
    "Where subscriptions connect to": "It holds a password, and a dump restores subscriptions switched off.",
}
"""What no check looks at, as far as it is known, and why."""


def areas(names: tuple[str, ...] = ()) -> Iterator[Area[Any]]:
    """
    The areas, in the order of a disaster: what is stored, what is restored, who takes over, what serves.

    Args:
        names: Of groups or areas (`stored`, `stored-bases`); none for all.
    """
    for group in GROUPS:
        for area in import_module(f"{__package__}.{group}").AREAS:
            if not names or area.name in names or group in names:
                yield area


def area_names() -> tuple[str, ...]:
    """Names of all groups and areas."""
    return tuple(dict.fromkeys((*GROUPS, *(area.name for area in areas()))))
