"""`opsproof dr`: what the disaster-recovery checks catch, shown on labs and on copies of one's own backups."""

import argparse
import json
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsproof.errors import OpsproofError

if TYPE_CHECKING:
    from opsproof.rehearsal.damage.damage import Area, Damage
    from opsproof.rehearsal.damage.proving import Shown
    from opsproof.stack.clusters import Grounds

_ABOUT = """\
A check that nobody has seen red proves nothing. These commands damage copies, one fault at a time, and show what the
usual check says of the damage, and which checks of opsproof go red. The rehearsal itself is `pytest -m dr`.
"""
_EXAMPLES = """\
examples:
  opsproof dr faults --area archive        every fault of the WAL archive, on small clusters made for it
  opsproof dr faults --only dump-cut-off   one fault
  opsproof dr faults --list                what there is
  opsproof dr faults --table docs/dr-faults.md
                                           all of them, as a table
  opsproof dr prove --profile factory-ai/production --area archive
                                           the same faults in copies of your own archive

exit status: 0 every fault was caught, 1 one stayed green or could not be shown, 2 wrong usage
"""
_FAULTS = """\
Makes sound copies of backups, an archive, restored databases, pairs of servers and a site, on real PostgreSQL servers
of its own on 127.0.0.1. Each fault gets fresh copies. Everything is gone afterwards.

Each line: whether it was caught, the seconds, the fault, what the usual check said, the checks that went red.
"""
_PROVE = """\
Copies the backups and the archive that the profile names onto scratch grounds, and damages copies of the copies, one
fault at a time. Out of your newest base backup and your archive it makes a primary and standbys on this machine, and
damages those. What is yours is only read: through the store's target, and a few SELECTs on the server that archives
(rehearsals.home, else the target backups.database). The undamaged copies must be green first. Their size is said
before anything is copied; three times as much room is needed. Ctrl-C removes all of it.

Areas: stored (stored-dumps, stored-bases), archive, failover (standby, promotion, failback).

Each line: caught, GREEN, NOT SHOWN or not tried; the seconds, area, fault, and the checks that went red. A fault that
stays green is a finding: what the profile asks for would not notice it. Not tried is what your copies have no place
for, with the reason. What came of it is kept in reports/dr and stands in the next rehearsal's report.
"""
_OWN = ("stored", "archive", "failover")
_MOST = 2 * 10**9


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dr` and its subcommands; each sets `run`, a function from the arguments to the exit status."""
    group = _command(subparsers, "dr", "show that the disaster-recovery checks catch faults", _ABOUT, epilog=_EXAMPLES)
    commands = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    faults = _command(commands, "faults", "put every fault into copies of a lab", _FAULTS)
    _chosen(faults)
    faults.add_argument("--list", action="store_true", help="list the faults, and do nothing")
    faults.add_argument("--table", type=Path, metavar="FILE", help="write what came of it as a Markdown table")
    faults.add_argument("--json", type=Path, metavar="FILE", help="write what came of it as JSON")
    faults.set_defaults(run=_faults)
    prove = _command(commands, "prove", "put faults into copies of your own backups and standbys", _PROVE)
    prove.add_argument("--profile", required=True, metavar="SYSTEM/ENV", help="whose backups")
    prove.add_argument("--area", action="append", default=[], metavar="AREA", help="only this area; may be repeated")
    prove.add_argument("--only", nargs="+", default=[], metavar="NAME", help="only these faults")
    prove.add_argument("--most-bytes", type=_size, default=_MOST, metavar="SIZE", help="copy no more than this: 20GB")
    prove.add_argument("--root", type=Path, default=Path("profiles"), metavar="DIR", help="default: profiles")
    prove.add_argument("--reports", type=Path, default=Path("reports"), metavar="DIR", help="default: reports")
    prove.set_defaults(run=_prove)


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, title: str, about: str, epilog: str = ""
) -> argparse.ArgumentParser:
    formatter = argparse.RawDescriptionHelpFormatter
    return commands.add_parser(name, help=title, description=about, epilog=epilog, formatter_class=formatter)


def _chosen(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--area", action="append", default=[], metavar="AREA", help="only this area; may be repeated")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="only these faults")


def _faults(options: argparse.Namespace) -> int:
    from opsproof.rehearsal.damage.areas import BLIND_SPOTS, NOT_HERE, area_names, areas
    from opsproof.rehearsal.damage.fault_table import fault_table
    from opsproof.stack.clusters import Grounds

    if (status := _unknown("area", options.area, area_names())) is not None:
        return status
    chosen = list(areas(tuple(options.area)))
    names = [damage.name for area in chosen for damage in area.damages]
    if (status := _unknown("fault", options.only, names)) is not None:
        return status
    if options.list:
        for area in chosen:
            _print_list(area, _wanted(options.only))
        return 0
    _interruptible()
    with Grounds() as grounds:
        shown, problems = _shown(chosen, grounds, _wanted(options.only))
        version = grounds.programs.run("postgres", "--version").out.split()[2].partition(".")[0]
    if options.json:
        _write(options.json, json.dumps([asdict(one) for one in shown], indent=1, ensure_ascii=False) + "\n")
    if options.table:
        _write(options.table, fault_table(shown, version, NOT_HERE, BLIND_SPOTS))
    return _summary(shown, problems)


def _prove(options: argparse.Namespace) -> int:
    from opsproof.cli.proving import prove_own
    from opsproof.rehearsal.damage.areas import areas

    known = [area.name for area in areas(_OWN)]
    if (status := _unknown("area", options.area, [*_OWN, *known])) is not None:
        return status
    names = [damage.name for area in areas(tuple(options.area) or _OWN) for damage in area.damages]
    if (status := _unknown("fault", options.only, names)) is not None:
        return status
    _interruptible()
    return prove_own(options, _wanted(options.only))


def _shown(
    chosen: "Iterable[Area[Any]]", grounds: "Grounds", wanted: "Callable[[Damage[Any]], bool]"
) -> "tuple[list[Shown], list[str]]":
    from opsproof.rehearsal.damage.proving import prove, sound

    shown: list[Shown] = []
    problems = []
    for area in chosen:
        count = sum(map(wanted, area.damages))
        if not count:
            continue
        print(f"{area.name}: {count} faults", flush=True)
        try:
            seconds = sound(area, grounds)
        except OpsproofError as exc:
            problems.append(str(exc))
            print(f"  {exc}", flush=True)
            continue
        print(f"  sound copies: every check is green, {seconds:.1f} s", flush=True)
        for one in prove(area, grounds, only=wanted, say=_announce):
            _print(one)
            shown.append(one)
    return shown, problems


def _announce(text: str) -> None:
    if sys.stdout.isatty():
        print(f"  ... {text[:100]}", end="\r", flush=True)


def _print(one: "Shown") -> None:
    if sys.stdout.isatty():
        print("\033[2K", end="")
    state = "caught" if one.caught else "FAILED" if one.failed else "GREEN"
    found = one.failed or ", ".join(one.red) or "no check went red"
    print(f"  {state:6} {one.seconds:5.1f} s  {one.damage} | {' '.join(one.usual.split())[:90]} | {found}", flush=True)
    if one.missing and one.caught:
        print(f"         expected as well, and green: {', '.join(one.missing)}", flush=True)


def _summary(shown: "Sequence[Shown]", problems: Sequence[str]) -> int:
    quiet = [one.damage for one in shown if not one.red and not one.failed]
    failed = [one.damage for one in shown if one.failed]
    missing = [one.damage for one in shown if one.missing and one.caught]
    seconds = sum(one.seconds for one in shown)
    print(f"\n{len(shown)} faults in {seconds:.0f} s: {sum(one.caught for one in shown)} caught")
    for words, names in (
        ("stayed green: a finding", quiet),
        ("could not be shown", failed),
        ("caught, though not by every check that was to catch it", missing),
        ("not sound before any fault, and not tried", problems),
    ):
        if names:
            print(f"{len(names)} {words}: {', '.join(names)}")
    return 1 if quiet or failed or problems or missing else 0


def _print_list(area: "Area[Any]", wanted: "Callable[[Damage[Any]], bool]") -> None:
    print(f"{area.name}:")
    for damage in filter(wanted, area.damages):
        print(f"  {damage.source or '-':4} {damage.name:40} {damage.title['en']}")


def _wanted(names: Sequence[str]) -> "Callable[[Damage[Any]], bool]":
    return lambda damage: not names or damage.name in names


def _unknown(what: str, names: Iterable[str], known: Sequence[str]) -> int | None:
    import difflib

    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=5, cutoff=0.0)
            print(f"there is no {what} {name!r}; did you mean: {', '.join(close)}?", file=sys.stderr)
            return 2
    return None


def _interruptible() -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # as Ctrl-C: the grounds are cleaned up


def _size(text: str) -> int:
    number = text.upper().removesuffix("B")
    units = {"K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
    factor = units.get(number[-1:], 1)
    try:
        return int(float(number.rstrip("KMGT")) * factor)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a size such as 500MB or 20GB, not {text!r}") from None


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(f"written: {path}")
