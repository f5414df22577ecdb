"""`opsproof notify`: tell the findings of a run to the channels of its profile, once."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opsproof.cli.notified import Notified
    from opsproof.report.notices import Notice

_EXAMPLES = """\
examples:
  opsproof notify --run reports/runs/latest --dry-run           what would be told, and where
  opsproof notify --run reports/runs/latest --incident INC-42   tell it

Findings with a priority (P0, P1, P2) go to the channels that `policy.channels` of the profile names for it; their
addresses are in `policy.notify`, as apprise writes them, and come from variables. A message is sent once for each
incident, profile, priority and channel; what failed is sent again by the next command. Without --incident, the run is
the incident; a replayed or resumed run belongs to the one that it was made from.
"""
_LATEST = Path("reports", "runs", "latest")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `opsproof notify`."""
    command = subparsers.add_parser(
        "notify",
        help="tell the findings of a run to the profile's channels",
        description="Tell the findings of a run to the channels that its profile names for their priority.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--run", type=Path, default=_LATEST, dest="folder", metavar="RUN", help=f"default: {_LATEST}")
    command.add_argument("--incident", metavar="ID", help="the incident, for example INC-42")
    command.add_argument("--lang", choices=("ko", "en"), default="ko", help="default: ko")
    command.add_argument(
        "--dry-run", action="store_true", help="print it and what was sent already; send nothing, write nothing down"
    )
    command.add_argument("--root", type=Path, default=Path("profiles"), metavar="FOLDER", help="folder of the profiles")
    command.set_defaults(run=_notify)


def _notify(options: argparse.Namespace) -> int:
    from opsproof.cli.notified import notified, read_notified
    from opsproof.report.folder import read_run
    from opsproof.report.notices import notices
    from opsproof.report.records.writing import incident_id

    run = read_run(options.folder)
    incident = run.replay_of or run.resume_of or run.id
    if options.incident is not None:
        incident = incident_id(options.incident, "--incident")
    found = notices(run, incident, options.lang)
    if not found:
        print("nothing to tell: no finding of this run has a priority")
        return 0
    addresses = {notice.profile: _addresses(notice.profile, options.root) for notice in found}
    if options.dry_run:
        known = read_notified(options.folder.resolve().parent)
        return max([_show(notice, incident, addresses[notice.profile], known) for notice in found])
    with notified(options.folder.resolve().parent) as ledger:
        return max([_tell(notice, incident, addresses[notice.profile], ledger) for notice in found])


def _addresses(profile: str, root: Path) -> Mapping[str, str]:
    from opsproof.profile import load_with_unset

    loaded, _ = load_with_unset(profile, root=root, variables=os.environ)
    return {name: secret.get_secret_value() for name, secret in loaded.policy.notify.items()}


def _show(notice: "Notice", incident: str, addresses: Mapping[str, str], ledger: "Notified") -> int:
    print(notice.title)
    print(notice.body)
    status = 0 if notice.channels else _nowhere(notice)
    for channel in notice.channels:
        before = _before(channel, _key(notice, incident, channel), ledger)
        if before is None and addresses.get(channel):
            print(f"  would go to {channel}")
        elif before is None:
            print(f"  {_no_address(channel)}")
        status = max(status, before if before is not None else int(not addresses.get(channel)))
    return status


def _tell(notice: "Notice", incident: str, addresses: Mapping[str, str], ledger: "Notified") -> int:
    from opsproof.cli.sending import send

    print(notice.title)
    status = 0 if notice.channels else _nowhere(notice)
    for channel in notice.channels:
        key = _key(notice, incident, channel)
        before = _before(channel, key, ledger)
        if before is not None:
            status = max(status, before)
        elif not addresses.get(channel):
            print(f"  {_no_address(channel)}")
            status = 1
        else:
            ledger.claim(key)
            reason = send(addresses[channel], notice.title, notice.body, notice.priority)
            ledger.settle(key, sent=not reason)
            print(f"  {channel}: NOT told, {reason}; run this again" if reason else f"  {channel}: told")
            status = 1 if reason else status
    return status


def _key(notice: "Notice", incident: str, channel: str) -> str:
    return " / ".join((incident, notice.profile, notice.priority, channel))


def _before(channel: str, key: str, ledger: "Notified") -> int | None:
    """Say what became of the message earlier: its exit status; None if it was not sent yet."""
    from opsproof.cli.notified import State

    state = ledger.state(key)
    if state is State.NEW:
        return None
    if state is State.SENT:
        print(f"  {channel}: told already, at {ledger.at(key)}")
        return 0
    print(f"  {channel}: cut off while it was sent, at {ledger.at(key)}; it may have arrived and is not repeated")
    print(f"    next: look there; to send it again, take {key!r} out of notified.json")
    return 1


def _nowhere(notice: "Notice") -> int:
    print(f"  nobody is told: {notice.profile} names no channel for {notice.priority} (policy.channels)")
    return 1


def _no_address(channel: str) -> str:
    return f"{channel}: NOT told, it has no address here (policy.notify of the profile)"
