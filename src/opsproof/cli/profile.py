"""`opsproof profile`: list, show and check profiles, and write their schema."""

import argparse
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from opsproof.errors import OpsproofError, ProfileError

if TYPE_CHECKING:
    from opsproof.profile import Unset
    from opsproof.profile.models import Profile

EMBEDDED = "embedded"

_EXAMPLES = """\
examples:
  opsproof profile list                      names, titles and targets
  opsproof profile show ingest/staging       what staging resolves to, with defaults, secrets masked
  opsproof profile check                     validate all
  opsproof profile check 'ingest/*' --strict the same for ingest; here unset variables are mistakes
  opsproof profile check ingest/embedded --connect
                                             also ask every indicator's question once, and show the number
  opsproof profile schema                    write profiles/schema.json, which editors complete keys from

A profile is profiles/SYSTEM/ENVIRONMENT.yaml. It may extend base.yaml and refer to ${VAR}, ${VAR:-default} and
file:PATH. Variables come from this shell; for SYSTEM/embedded also from the running stack (opsproof stack up).
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `opsproof profile`."""
    group = subparsers.add_parser(
        "profile",
        help="list, show and check profiles",
        description="List, show and check profiles: the descriptions of the environments that checks run against.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--root",
        type=Path,
        default=Path("profiles"),
        metavar="FOLDER",
        help="folder of the profiles (default: profiles)",
    )
    commands = group.add_subparsers(title="commands", metavar="COMMAND", required=True)

    command = commands.add_parser("list", parents=[common], help="names, titles and targets of all profiles")
    command.set_defaults(run=_list)

    command = commands.add_parser("show", parents=[common], help="one profile as it resolves, secrets masked")
    command.add_argument("name", metavar="NAME", help="SYSTEM/ENVIRONMENT, for example ingest/staging")
    command.set_defaults(run=_show)

    command = commands.add_parser("check", parents=[common], help="validate profiles; lists every mistake")
    command.add_argument("patterns", metavar="PATTERN", nargs="*", help="names or globs; left out, all profiles")
    command.add_argument("--strict", action="store_true", help="an unset variable or unreadable file: is a mistake")
    command.add_argument("--connect", action="store_true", help="also ask every indicator's question (SQL: EXPLAIN)")
    command.set_defaults(run=_check)

    command = commands.add_parser("schema", parents=[common], help="write the JSON Schema for editors")
    command.add_argument("--print", action="store_true", dest="to_stdout", help="print it, write nothing")
    command.set_defaults(run=_schema)


def _list(options: argparse.Namespace) -> int:
    from opsproof.profile import find_profiles, load_with_unset

    language = _language()
    rows = [("NAME", "TITLE", "TARGETS")]
    status = 0
    for name in find_profiles(["*"], options.root):
        try:
            profile, _ = load_with_unset(name, root=options.root, variables=os.environ)
        except ProfileError:
            rows.append((name, f"(not valid; see: opsproof profile check {name})", ""))
            status = 1
            continue
        rows.append((name, getattr(profile.title, language), ", ".join(profile.targets) or "none"))
    _print_table(rows)
    return status


def _show(options: argparse.Namespace) -> int:
    from opsproof.profile import as_yaml, load_with_unset

    profile, unset = load_with_unset(options.name, root=options.root, variables=_variables(options.name))
    print(as_yaml(profile), end="")
    if unset:
        print(f"opsproof: {_not_set(unset)}; placeholders are shown in their place", file=sys.stderr)
    return 0


def _check(options: argparse.Namespace) -> int:
    from opsproof.profile import find_profiles, load_profile, load_with_unset

    names = find_profiles(options.patterns or ["*"], options.root)
    width = max(map(len, names))
    errors: list[OpsproofError] = []
    for name in names:
        variables = _variables(name)
        try:
            if options.strict or options.connect:
                profile = load_profile(name, root=options.root, variables=variables)
                note = ""
            else:
                profile, unset = load_with_unset(name, root=options.root, variables=variables)
                note = _not_set(unset) if unset else ""
        except ProfileError as exc:
            errors.append(exc)
            print(f"wrong  {name}")
            continue
        wrong = _connect(profile) if options.connect else []
        errors += wrong
        print(f"{'wrong' if wrong else 'ok':6} {name:{width}}  {note}".rstrip())
    sys.stdout.flush()
    for error in errors:
        print(f"\n{error}", file=sys.stderr)
    return 1 if errors else 0


def _connect(profile: "Profile") -> list[OpsproofError]:
    """Ask the profile's indicators, tell what they answer, and return what is wrong."""
    from opsproof.cli.connecting import try_indicators

    tried = try_indicators(profile)
    width = max((len(one.indicator) for one in tried), default=0)
    for one in tried:
        print(f"  {one.indicator:{width}}  {one.error.what if one.error else one.answer}")
    return [one.error for one in tried if one.error]


def _schema(options: argparse.Namespace) -> int:
    from opsproof.profile.schema import schema_text

    if options.to_stdout:
        print(schema_text(), end="")
        return 0
    file: Path = options.root / "schema.json"
    try:
        file.write_text(schema_text(), encoding="utf-8")
    except OSError as exc:
        raise ProfileError(
            f"the schema cannot be written: {exc.strerror}",
            where=str(file),
            next_step="name the folder of the profiles with --root, or use --print",
        ) from exc
    print(file)
    return 0


def _variables(name: str) -> Mapping[str, str]:
    """This shell's variables; for an embedded environment those of the running stack win."""
    if not name.endswith(f"/{EMBEDDED}"):
        return os.environ
    from opsproof.stack import Stack

    stack = Stack.attach()
    return {**os.environ, **stack.variables} if stack else os.environ


def _not_set(unset: "Iterable[Unset]") -> str:
    return f"not set: {', '.join(dict.fromkeys(reference.reference for reference in unset))}"


def _language() -> str:
    chosen = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "ko" if chosen.startswith("ko") else "en"


def _print_table(rows: list[tuple[str, str, str]]) -> None:
    widths = [max(_width(row[column]) for row in rows) for column in range(2)]
    for row in rows:
        cells = [cell + " " * (width - _width(cell)) for cell, width in zip(row[:2], widths, strict=True)]
        print("  ".join([*cells, row[2]]).rstrip())


def _width(text: str) -> int:
    """Columns of a terminal; a Korean letter takes two."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
