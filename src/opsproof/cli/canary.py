"""`opsproof canary`: tell deployers that ask by HTTP what the newest verdict on a canary is."""

import argparse
import signal
from pathlib import Path

from opsproof.errors import OpsproofError

_ABOUT = """\
`pytest -m canary_criteria` watches a canary and leaves a verdict.json. A deployer that was not there asks here.
"""
_SERVE = """\
Serves the newest verdict of each profile out of a folder of runs. It reads, and writes nothing; it asks nobody who they
are, so bind it where the deployer alone can reach it. Ctrl-C or SIGTERM ends it.

  GET /verdict?profile=P[&version=V]
      200 and the verdict.json of P's canary; 404 and why there is none: {"answer": "inconclusive", "reason": ...}
  POST /gate   {"name": ..., "namespace": ..., "phase": ..., "metadata": {"profile": P, "version": V, "answer": A}}
      Flagger's webhook. 200 if the verdict is A (promote, unless said; or rollback), else 403 and why

The newest run that watched P counts, and none before it that was better; replays are passed over. There is no verdict
if its watch ended longer ago than --fresh-for, if it cannot be read, or if it watched another version than V. Which
version was watched is known where the profile's labels name it: canary: {track: canary, version: "${VERSION}"}.
Without V, the verdict on the release before counts for this one, too, as long as it is fresh.
"""
_EXAMPLES = """\
examples:
  opsproof canary serve --reports reports/runs
  opsproof canary serve --reports /reports --host 0.0.0.0 --port 8080 --fresh-for 30m
  curl -s 'http://127.0.0.1:8080/verdict?profile=factory-ai/production&version=1.5.0' | jq -r .answer

exit status: 0 it was ended, 1 it could not begin, 2 wrong usage
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `opsproof canary`."""
    formatter = argparse.RawDescriptionHelpFormatter
    group = subparsers.add_parser(
        "canary", help="hand verdicts on canaries to deployers", description=_ABOUT, formatter_class=formatter
    )
    commands = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    serve = commands.add_parser(
        "serve",
        help="answer Argo's web metric and Flagger's webhook",
        description=_SERVE,
        epilog=_EXAMPLES,
        formatter_class=formatter,
    )
    runs = Path("reports", "runs")
    serve.add_argument("--reports", type=Path, default=runs, metavar="DIR", help=f"folder of the runs; default: {runs}")
    serve.add_argument("--port", type=_port, default=8080, help="default: 8080; 0 takes a free one and says which")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on; default: 127.0.0.1")
    serve.add_argument("--fresh-for", type=_duration, default=3600.0, metavar="TIME", help="default: 1h")
    serve.set_defaults(run=_serve)


def _serve(options: argparse.Namespace) -> int:
    from opsproof.cli.serving import Verdicts, server_of
    from opsproof.profile.scalars import duration_text

    if not options.reports.is_dir():
        next_step = "Name the folder that `pytest --reports=DIR` writes to."
        raise OpsproofError("there is no such folder", where=f"--reports {options.reports}", next_step=next_step)
    try:
        server = server_of(Verdicts(options.reports, options.fresh_for), options.host, options.port)
    except (OSError, UnicodeError) as exc:
        raise OpsproofError(
            f"cannot listen: {getattr(exc, 'strerror', None) or exc}",
            where=f"--host {options.host} --port {options.port}",
            next_step="Name an address of this machine and a port that is free.",
        ) from exc
    with server:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler)
        host, port = server.server_address[:2]
        fresh = duration_text(options.fresh_for)
        print(f"verdicts of {options.reports}, fresh for {fresh}: http://{host!s}:{port}/verdict", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("ended", flush=True)
    return 0


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, not {text!r}")
    return int(text)


def _duration(text: str) -> float:
    from opsproof.profile.scalars import seconds

    try:
        found = seconds(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{exc}, not {text!r}") from None
    if not found:
        raise argparse.ArgumentTypeError("with 0 no verdict would ever be fresh")
    return found
