"""The table of faults: what was done, what the usual check said of it, and what opsproof said; as Markdown."""

import re
from collections.abc import Iterable, Mapping
from itertools import groupby

from opsproof.rehearsal.damage.proving import Shown

_USUAL, _SAID = 280, 120
_HEAD = """\
# Faults, and what catches them

Made by `opsproof dr faults --table docs/dr-faults.md` on PostgreSQL {version}; do not edit it. Every fault was put into
sound copies of its own. Then the usual check was asked, and all checks of opsproof, of the same copy. On sound copies
every check was green. What changes from run to run (paths, times, positions, hashes) is written as TIME, LSN and so on.

Faults with a number are those of the list that opsproof was built against; those without are further ones.

{counts} Every fault was written beside the check that catches it: so this shows that each check
goes red, not that every damage is found. What is known not to be looked at stands at the end.
"""
_TITLES = {
    "stored-dumps": "Stored dumps (custom format)",
    "stored-plain-dumps": "Stored dumps (plain SQL)",
    "stored-bases": "Stored base backups",
    "archive": "WAL archive and recovery targets",
    "restored-data": "Data of a restored copy",
    "recovered-servers": "Recoveries from a base backup",
    "standby": "Standby before the disaster",
    "promotion": "Promotion",
    "failback": "The way back",
    "site": "Service and site",
}
_VOLATILE: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), by)
    for pattern, by in (
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?( ?(Z|UTC|KST|[+-]\d\d(:?\d\d)?))?", "TIME"),
        (r"\d{8}T\d{6}Z", "TIME"),
        (r"(?<![\w.])/(?:[\w.@%+=-]+/)+", ".../"),
        (r"\b[0-9A-F]{24}\b", "SEGMENT"),
        (r"\b[0-9A-F]{1,8}/[0-9A-F]{1,8}\b", "LSN"),
        (r"\b\d{18,20}\b", "SYSTEM"),
        (r"\b(?=[0-9a-f]*\d)[0-9a-f]{8,64}\b(\.\.\.)?", "HASH"),
        (r"\b(p|archive-|recovered-|pair-)\d+(?=-|\b)", r"\1N"),
        (r"\b(pid|PID|process|xid|transaction) \d+", r"\1 N"),
        (r"\b\d+(\.\d+)? ?(bytes|B|kB|MB|s|ms|m|h|d|seconds|minutes|hours)\b", r"N \2"),
        (r"\b\d+\.\d{2,}\b", "N"),
        (r"(?<=port=)\d+|(?<=port )\d+|(?<=[\w\]]:)\d{4,5}\b|(?<=PGSQL\.)\d+", "PORT"),
        (r"(?<= \[)\d+(?=\] )", "N"),
        (r"\b\d{7,}\b", "N"),
    )
)


def fault_table(shown: Iterable[Shown], version: str, not_here: Mapping[str, str], blind: Mapping[str, str]) -> str:
    """
    The whole document.

    Args:
        shown: In the order of the areas.
        version: Of PostgreSQL.
        not_here: What one machine does not allow, and why.
        blind: What no check looks at, and why.
    """
    every = list(shown)
    caught = sum(one.caught for one in every)
    quiet = [one.damage for one in every if not one.caught]
    counts = f"**{len(every)} faults, {caught} caught.**" + (f" Not caught: {', '.join(quiet)}." if quiet else "")
    lines = [_HEAD.format(version=version, counts=counts)]
    for area, faults in groupby(every, key=lambda one: one.area):
        lines += [f"## {_TITLES.get(area, area)}", "", "| No. | fault | the usual check | opsproof |"]
        lines += ["| --- | --- | --- | --- |", *(_row(one) for one in faults), ""]
    lines += ["## What one machine does not allow", "", "| fault | why |", "| --- | --- |"]
    lines += [f"| {what} | {why} |" for what, why in not_here.items()]
    lines += ["", "## Known blind spots", "", "| what | why |", "| --- | --- |"]
    lines += [f"| {what} | {why} |" for what, why in blind.items()]
    return "\n".join(lines) + "\n"


def steady(text: str) -> str:
    """A text without what changes from run to run."""
    for pattern, by in _VOLATILE:
        text = pattern.sub(by, text)
    return text


def _row(one: Shown) -> str:
    usual = _cell(one.usual, _USUAL)
    if one.failed:
        said = f"could not be shown: {_cell(one.failed, _SAID)}"
    else:
        said = "<br>".join(f"`{name}`: {_cell(words, _SAID)}" for name, words in one.red.items())
    return f"| {one.source} | `{one.damage}`: {_cell(one.title, _USUAL)} | {usual} | {said or '**nothing**'} |"


def _cell(text: str, most: int) -> str:
    plain = " ".join(steady(text).split())
    short = plain if len(plain) <= most else f"{plain[: most - 3].rstrip()}..."
    return short.replace("|", "\\|").replace("<", "&lt;")
