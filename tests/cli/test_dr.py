"""`opsproof dr`: faults in copies, and which checks catch them."""

import json
from pathlib import Path

import pytest

from opsproof.cli import main

PROFILES = Path(__file__).parents[2] / "profiles"


def test_every_fault_can_be_listed(capsys):
    """What there is, before anything is started."""
    assert main(["dr", "faults", "--list", "--area", "stored-dumps"]) == 0

    out = capsys.readouterr().out
    assert "stored-dumps:" in out
    assert "dump-cut-off" in out
    assert "segment-missing" not in out


def test_faults_are_put_in_and_shown_caught(capsys, tmp_path):
    """The whole way on real files: sound copies green, each fault red, the table and JSON written."""
    table, kept = tmp_path / "docs" / "faults.md", tmp_path / "faults.json"

    status = main(
        ["dr", "faults", "--only", "dump-cut-off", "latest-is-old", "--table", str(table), "--json", str(kept)]
    )

    out = capsys.readouterr().out
    assert status == 0
    assert "sound copies: every check is green" in out
    assert "2 faults in" in out
    assert ": 2 caught" in out
    assert "| A12 | `dump-cut-off`:" in table.read_text(encoding="utf-8")
    facts = {one["damage"]: one for one in json.loads(kept.read_text(encoding="utf-8"))}
    assert "backup.every_dump_reads_to_its_end" in facts["dump-cut-off"]["red"]
    assert "exit 0" in facts["dump-cut-off"]["usual"]


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [
        (["--only", "dump-cut-of"], "dump-cut-off"),
        (["--area", "stores"], "stored"),
        (["--only", "rewind"], "rewind-"),
    ],
)
def test_a_name_that_is_not_known_is_a_mistake_with_a_suggestion(arguments, nearest, capsys):
    """Nothing selected must not look like nothing wrong."""
    assert main(["dr", "faults", *arguments]) == 2

    assert f"did you mean: {nearest}" in capsys.readouterr().err


def test_faults_are_put_into_copies_of_an_environment_s_own_backups(capsys, tmp_path):
    """Dump, base backup and archive of the embedded sites, fetched through the profile's store."""
    arguments = ["--profile", "factory-ai/embedded", "--root", str(PROFILES), "--reports", str(tmp_path)]

    faults = ["dump-cut-off", "base-file-cut", "segment-missing", "two-targets", "standby-replay-paused"]
    status = main(["dr", "prove", *arguments, "--only", *faults])

    out = capsys.readouterr().out
    assert status == 0, out
    assert "4 of 5 faults were tried" in out
    assert ": 4 caught" in out
    assert "not tried - archive two-targets it needs the server, and yours is left alone" in " ".join(out.split())
    kept = json.loads((tmp_path / "dr" / "seeded-factory-ai-embedded.json").read_text(encoding="utf-8"))
    assert sorted(kept["faults"]) == [
        "archive/segment-missing",
        "standby/standby-replay-paused",
        "stored-bases/base-file-cut",
        "stored-dumps/dump-cut-off",
    ]


def test_backups_that_are_too_large_are_not_copied(capsys, tmp_path):
    """A terabyte is not fetched because somebody pressed return."""
    arguments = ["--profile", "factory-ai/embedded", "--root", str(PROFILES), "--reports", str(tmp_path)]

    assert main(["dr", "prove", *arguments, "--most-bytes", "1MB"]) == 1

    captured = capsys.readouterr()
    assert "1,000,000 are allowed" in captured.err
    assert "--most-bytes" in captured.err
    assert not list(tmp_path.iterdir())
