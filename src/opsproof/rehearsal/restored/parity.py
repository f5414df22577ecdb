"""What differs between what was and what is, both ways, as sentences."""

from collections.abc import Mapping
from typing import Any

Things = Mapping[str, Mapping[str, Any]]
"""By key of the thing, its facts."""

_LONGEST = 160


def differences(kind: str, reference: Things, found: Things) -> list[str]:
    """
    Compare things of one kind.

    Args:
        kind: `constraint`.
        reference: What was there when the backup was made.
        found: What is there now.

    Returns:
        A sentence for each thing that is missing, was not there, or is another one.
    """
    said = [f"{kind} {key} is missing" for key in sorted(reference.keys() - found.keys())]
    said += [
        f"{kind} {key} is there, and was not when the backup was made"
        for key in sorted(found.keys() - reference.keys())
    ]
    for key in sorted(reference.keys() & found.keys()):
        was, now = reference[key], found[key]
        said += [
            f"{kind} {key}: {fact} {_change(was.get(fact), now.get(fact))}"
            for fact in sorted(was.keys() | now.keys())
            if was.get(fact) != now.get(fact)
        ]
    return said


def rows(reference: Mapping[str, int], found: Mapping[str, int], tolerance: float = 0.0) -> list[str]:
    """
    Compare counts of rows. A table that had rows and has none is wrong within every tolerance.

    Args:
        tolerance: Share of the reference by which a count may differ, up or down.
    """
    said = []
    for table in sorted(reference.keys() | found.keys()):
        was, now = reference.get(table), found.get(table)
        if was is None:
            said.append(f"table {table} has {now} rows, and was not there when the backup was made")
        elif now is None:
            said.append(f"table {table} with {was} rows is missing")
        elif (was and not now) or abs(now - was) > was * tolerance:
            allowed = f", {tolerance:.1%} may differ" if tolerance else ""
            said.append(f"{table} has {now} rows, and had {was} ({now - was:+d}{allowed})")
    return said


def contents(reference: Mapping[str, Mapping[str, Any]], found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Compare ordered content hashes of the tables that the reference names."""
    said = []
    for table, was in sorted(reference.items()):
        now = found.get(table)
        if now is None:
            said.append(f"{table} cannot be compared: it is missing")
        elif now["sha256"] != was["sha256"]:
            said.append(
                f"{table}: its content is another one: sha256 {now['sha256'][:12]}... over {now['rows']} rows, was "
                f"{was['sha256'][:12]}... over {was['rows']} rows"
            )
    return said


def _change(was: Any, now: Any) -> str:
    if isinstance(was, list) and isinstance(now, list):
        gone, new = [str(one) for one in was if one not in now], [str(one) for one in now if one not in was]
        parts = [f"lacks {', '.join(gone)}"] if gone else []
        parts += [f"has besides {', '.join(new)}"] if new else []
        return _short(" and ".join(parts) or f"is in another order: {now}")
    return f"is {_shown(now)}, was {_shown(was)}"


def _shown(value: Any) -> str:
    return "not there" if value is None else _short(str(value) or "empty")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
