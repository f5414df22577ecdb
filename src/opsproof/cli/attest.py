"""`opsproof attest`: what people must confirm, as a file to fill in for `pytest --attest=FILE`."""

import argparse
import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from opsproof.profile import Profile

_ABOUT = """\
Some of what a runbook wants confirmed no probe can see: that a message was read, that the pager is quiet. A person says
so, at the terminal or in a file. An answer has a name and a time; without one the check is unknown, never green.
"""
_EXAMPLES = """\
examples:
  opsproof attest template --profile ingest/production > answers.yaml
  pytest -m recovery --profile=ingest/production --attest=answers.yaml
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `opsproof attest`."""
    formatter = argparse.RawDescriptionHelpFormatter
    group = subparsers.add_parser(
        "attest",
        help="what people must confirm",
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=formatter,
    )
    commands = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    command = commands.add_parser(
        "template",
        help="print a file to fill in",
        description="Prints a file of answers to fill in: every question, each answered `later`, which is no answer.",
        epilog=_EXAMPLES,
        formatter_class=formatter,
    )
    command.add_argument(
        "--profile",
        action="append",
        required=True,
        metavar="NAME",
        help="SYSTEM/ENVIRONMENT or a glob ('ingest/*'); repeats",
    )
    command.add_argument(
        "--root",
        type=Path,
        default=Path("profiles"),
        metavar="FOLDER",
        help="folder of the profiles (default: profiles)",
    )
    command.set_defaults(run=_template)


def _template(options: argparse.Namespace) -> int:
    from opsproof.errors import ProfileError
    from opsproof.profile import find_profiles, load_with_unset

    names = find_profiles(options.profile, options.root)
    profiles = [load_with_unset(name, root=options.root, variables=os.environ)[0] for name in names]
    if not any(profile.attested for profile in profiles):
        raise ProfileError(
            f"{', '.join(names)} has nothing that a person must confirm",
            where="attested",
            next_step="Name a profile with an `attested:` section; none is needed where all can be measured.",
        )
    asked = [profile.name for profile in profiles if profile.attested]
    print(f"# Answers for: pytest -m recovery {' '.join(f'--profile={name}' for name in asked)} --attest=THIS-FILE")
    print("# answer: yes, no, or later (no answer yet). at: when you looked, with your zone.")
    for profile in profiles:
        for line in _lines(profile):
            print(line)
    return 0


def _lines(profile: "Profile") -> Iterator[str]:
    from opsproof.profile.answers import operator
    from opsproof.profile.attested import attested_check

    now = datetime.now(ZoneInfo(profile.timezone)).isoformat(timespec="minutes")
    for key, item in profile.attested.items():
        yield ""
        yield from (f"# {' '.join(text.split())}" for text in (item.ask.ko, item.ask.en))
        valid_for = item.model_dump(mode="json")["valid_for"]
        yield f"# runbook {', '.join(item.runbook)}; an answer counts for {valid_for}"
        yield f'"{attested_check(key)}[{profile.name}]":'
        yield "  answer: later"
        yield f"  by: {json.dumps(operator(os.environ) or 'NAME', ensure_ascii=False)}"
        yield f"  at: {now}"
        yield '  note: ""'
