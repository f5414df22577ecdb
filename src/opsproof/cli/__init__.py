"""The command `opsproof`: one group of subcommands a module; a subcommand imports what is heavy when it runs."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper

from opsproof import __version__
from opsproof.errors import OpsproofError

GROUPS = ("profile", "attest", "stack", "dr", "canary", "bench", "record", "notify")
"""Modules of this package; each registers its subcommands through `add_parser(subparsers)`."""

_INTERRUPTED = 130

_EXAMPLES = """\
examples:
  opsproof profile list                what there is
  opsproof profile check               validate every profile
  opsproof profile show ingest/staging a resolved profile, secrets masked
  opsproof attest template --profile ingest/staging
                                       what a person must confirm, to fill in
  opsproof stack up                    start the embedded environment, here, in seconds
  opsproof dr faults --area archive    damage copies, and see which checks catch it
  opsproof canary serve                tell Argo Rollouts and Flagger the verdict on a canary
  opsproof bench compare BEFORE AFTER  which numbers of a benchmark are worse, and by how much
  opsproof record incident --id INC-42 write down an incident from the newest run
  pytest -m smoke                      run the smoke gate against it

exit status: 0 all is well, 1 something is wrong, 2 the command was not understood
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run one command.

    Args:
        arguments: Words after `opsproof`; left out, those of this process.

    Returns:
        Exit status: 0 all is well, 1 something is wrong, 130 interrupted.

    Raises:
        SystemExit: 2 if the command was not understood, 0 after help.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # Korean on a terminal that cannot show it
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except OpsproofError as exc:
        print(f"opsproof: {exc}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader (`| head`) went away; without this, Python complains again while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="opsproof",
        description="Turns an operations runbook into checks that run. The checks themselves run with pytest.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"opsproof {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for group in GROUPS:
        import_module(f"opsproof.cli.{group}").add_parser(subparsers)
    return parser
