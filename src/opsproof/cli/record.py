"""`opsproof record`: documents made from a run, and whether a document is finished."""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from opsproof.report.records.kinds import KINDS, SCENARIOS

if TYPE_CHECKING:
    from opsproof.report.records.writing import Written

_EXAMPLES = f"""\
examples:
  opsproof record incident --run reports/runs/latest --id INC-42
                                       everything that the run's runbooks want, in Korean
  opsproof record incident --id INC-42 --kind start --lang en
                                       one message, from the newest run
  opsproof record incident --id INC-42 --kind sev --severity SEV-1
                                       a report that says when the next one is due
  opsproof record dr --run reports/runs/latest
                                       dr.ko.md, dr.ko.html and the same in English, with today's trend
  opsproof record check reports/runs/latest/records/INC-42-end.ko.md
                                       what is still blank, overdue or contradictory

kinds: {", ".join(KINDS)}

What the run knows is filled in; what only a person knows is marked: [[담당자 입력: ...]], [[to fill in: ...]].
A file that a person has edited is never overwritten.
"""
_LATEST = Path("reports", "runs", "latest")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register `opsproof record`."""
    group = subparsers.add_parser(
        "record",
        help="write incident records from a run, and check them",
        description="Write the records that the runbooks want from a run: messages, reports, checklists, post-mortems.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = group.add_subparsers(title="commands", metavar="COMMAND", required=True)

    command = commands.add_parser("incident", help="write the records of an incident from a run")
    command.add_argument("--run", type=Path, default=_LATEST, dest="folder", metavar="RUN", help=f"default: {_LATEST}")
    command.add_argument("--id", required=True, dest="incident", metavar="ID", help="the incident, for example INC-42")
    command.add_argument("--lang", choices=("ko", "en"), default="ko", help="default: ko")
    command.add_argument(
        "--kind", action="append", choices=[*KINDS], default=[], metavar="KIND", help="may be repeated"
    )
    command.add_argument("--severity", choices=("SEV-1", "SEV-2", "SEV-3"), help="as people declared it")
    command.add_argument("--priority", choices=("P0", "P1", "P2"), help="as people declared it; dates the post-mortem")
    command.add_argument("--scenario", choices=SCENARIOS, default="", help="template of runbook 003")
    command.add_argument("--out", type=Path, metavar="DIR", help="default: records/ in the run's folder")
    command.add_argument("--templates", type=Path, metavar="DIR", help="default: reports/templates")
    command.set_defaults(run=_incident)

    command = commands.add_parser("dr", help="write the report of a run's rehearsals again, in both languages")
    command.add_argument("--run", type=Path, default=_LATEST, dest="folder", metavar="RUN", help=f"default: {_LATEST}")
    command.add_argument("--out", type=Path, metavar="DIR", help="default: records/ in the run's folder")
    command.add_argument("--templates", type=Path, metavar="DIR", help="default: reports/templates")
    command.set_defaults(run=_rehearsals)

    command = commands.add_parser("check", help="is a record finished: blanks, due times, contradictions")
    command.add_argument("files", type=Path, nargs="+", metavar="FILE")
    command.set_defaults(run=_check)


def _incident(options: argparse.Namespace) -> int:
    from opsproof.evidence.bundle import read_evidence
    from opsproof.report.folder import read_run
    from opsproof.report.records.facts import Asked, Facts
    from opsproof.report.records.filling import find_templates
    from opsproof.report.records.rendering import kinds_for, render
    from opsproof.report.records.writing import FOLDER, incident_id, record_name, write_record
    from opsproof.report.view import View

    incident = incident_id(options.incident, "--id")
    run = read_run(options.folder)
    asked = Asked(
        incident=incident,
        lang=options.lang,
        written=datetime.now(UTC),
        severity=options.severity,
        priority=options.priority,
        scenario=options.scenario,
    )
    facts = Facts(View(run, read_evidence(options.folder)), asked)
    templates = find_templates(options.templates, options.folder)
    folder: Path = options.out or options.folder / FOLDER
    status = 0
    for kind, missing in kinds_for(facts, options.kind).items():
        if missing:
            print(f"not written: {KINDS[kind].title[options.lang]} ({kind}); name --{missing} for it")
            status = 1 if options.kind else status
            continue
        text = render(kind, facts, templates=templates, run=options.folder, folder=folder)
        withheld = KINDS[kind].claims and not facts.recovered
        _tell(write_record(folder, record_name(incident, kind, options.lang), text), text, withheld=withheld)
    if facts.recovered:
        print("recovery: verified")
    else:
        print("recovery: NOT verified")
        for reason in facts.reasons:
            print(f"  {reason}")
    return status


def _rehearsals(options: argparse.Namespace) -> int:
    from opsproof.errors import NoData
    from opsproof.evidence.bundle import read_evidence
    from opsproof.report.folder import read_run
    from opsproof.report.records.filling import find_templates
    from opsproof.report.records.writing import FOLDER, write_record
    from opsproof.report.rehearsals.document import rehearsal_reports
    from opsproof.report.view import View

    run = read_run(options.folder)
    if not run.rehearsals:
        raise NoData(
            "nothing was rehearsed in this run",
            where=str(options.folder),
            next_step="Name the folder of a run of `pytest -m dr` with --run.",
        )
    folder: Path = options.out or options.folder / FOLDER
    templates = find_templates(options.templates, options.folder)
    view = View(run, read_evidence(options.folder))
    for name, text in rehearsal_reports(view, options.folder, templates, folder).items():
        written = write_record(folder, name, text)
        if name.endswith(".md"):
            _tell(written, text, withheld=False)
        else:
            print(written.path)
    return 0


def _tell(written: "Written", text: str, *, withheld: bool) -> None:
    from opsproof.report.records.marks import blanks

    left = blanks(text)
    state = f"{len(left)} to fill in" if left else "nothing to fill in"
    print(f"{written.path}  {'withheld: recovery is not verified' if withheld else state}")
    if written.beside:
        print(f"  {written.beside.name} was edited by a person and is left as it is; compare the two")
    for line, what in left:
        print(f"  line {line}: {what}")


def _check(options: argparse.Namespace) -> int:
    from opsproof.report.records.checking import check_record, end_of, read_record

    status = 0
    for path in options.files:
        text = read_record(path)
        findings = check_record(text, now=datetime.now(UTC), ended=end_of(path, text))
        print(f"{'open' if findings else 'ok':6} {path}" + (f"  {len(findings)} findings" if findings else ""))
        for finding in findings:
            print(f"  line {finding.line}: {finding.what}")
        status = 1 if findings else status
    return status
