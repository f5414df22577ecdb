"""The verdict is said whether or not it can be written; every run has a folder of its own."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import jsonschema
import pytest
from answering import AnsweringServer
from checkout import Checkout, together
from users import AS_ROOT, nobody

from opsproof.report.schema import run_schema

CHECKS = """
@pytest.mark.smoke
@runbook()
async def test_good(api):
    assert (await api.get("/good")).ok

@pytest.mark.smoke
@runbook("DEMO-2", severity="SEV-1", next_step="Do this.")
async def test_bad(api):
    assert (await api.get("/bad")).status == 418
"""


def test_a_run_leaves_a_whole_folder(checkout: Checkout, server: AnsweringServer) -> None:
    """By default under reports/runs; `latest` points at it; the summary goes to the pipeline's page, too."""
    checkout.checks(CHECKS)
    page = checkout.root / "page.md"
    page.write_text("before\n")

    done = checkout.run("-m", "smoke", reports=False, env={"GITHUB_STEP_SUMMARY": str(page)})

    folder = (checkout.root / "reports" / "runs" / "latest").resolve()
    names = {path.name for path in folder.iterdir()}
    assert names >= {"run.json", "evidence.jsonl", "summary.md", "junit.xml", "allure-results"}
    run = json.loads((folder / "run.json").read_text())
    jsonschema.validate(run, json.loads(run_schema()))
    assert run["selection"] == "-m 'smoke'"
    assert run["verdict"]["exit_status"] == done.status == 1
    assert f"reports/runs/{folder.name}" in done.text
    summary = (folder / "summary.md").read_text()
    assert page.read_text().startswith("before\n")
    assert page.read_text().count("Do this.") == summary.count("Do this.") > 0


def test_a_report_that_cannot_be_written_changes_nothing_of_the_verdict(
    checkout: Checkout, server: AnsweringServer, tmp_path: Path
) -> None:
    """A file in the way, a place that is no place, a summary page that is a folder: said, and not more."""
    checkout.checks(CHECKS)
    (tmp_path / "file").write_text("")
    places = {
        "file": lambda: checkout.run(f"--reports={tmp_path}/file", reports=False),
        "under a file": lambda: checkout.run(f"--reports={tmp_path}/file/below", reports=False),
        "proc": lambda: checkout.run("--reports=/proc/nowhere", reports=False),
    }

    done = together(places)
    page = checkout.run(env={"GITHUB_STEP_SUMMARY": str(tmp_path)})

    for case, run in done.items():
        assert run.status == 1, case
        assert "the run's folder cannot be made" in run.text, case
        assert "The verdict holds" in run.text, case
        assert "VERDICT FAIL  exit status 1" in run.text, case
        assert "Traceback" not in run.text, case
    assert (page.status, page.word) == (1, "FAIL")
    assert "Traceback" not in page.text
    assert str(tmp_path) in page.text


@AS_ROOT
def test_an_ordinary_user_who_may_not_write_reads_the_verdict(server: AnsweringServer) -> None:
    """Neither the folder of reports nor pytest's cache may be written."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        checkout = Checkout(Path(folder), server.url)
        checkout.checks(CHECKS)
        identity = nobody("opsproof.plugin.hooks", checkout.environment)

        done = checkout.run(f"--reports={folder}/reports/runs", reports=False, env={"HOME": "/nonexistent"}, **identity)

    assert done.status == 1, done.text
    assert "Permission denied" in done.text
    assert "VERDICT FAIL  exit status 1" in done.text


@AS_ROOT
def test_a_full_disk_does_not_hide_the_verdict(checkout: Checkout, server: AnsweringServer, tmp_path: Path) -> None:
    """What could not be written is named; what has its name is whole."""
    checkout.checks(
        CHECKS + 'BIG = "x" * 400_000\n@runbook()\nasync def test_talks(api):\n    print(BIG)\n    await api.get("/")\n'
    )
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.decode()}")
    try:
        done = checkout.run(f"--reports={disk}/runs", reports=False)
        (folder,) = (path for path in (disk / "runs").iterdir() if path.is_dir() and not path.is_symlink())
        whole = {path.name for path in folder.iterdir()}
    finally:
        subprocess.run(["umount", str(disk)], check=True)

    assert done.status == 1
    assert "No space left on device" in done.text
    assert "VERDICT FAIL  exit status 1" in done.text
    assert "run.json" not in whole
    assert "run.json" in done.text
    assert ".unfinished" not in whole


def test_runs_at_once_do_not_disturb_each_other(checkout: Checkout, server: AnsweringServer) -> None:
    """Two pipelines, one checkout, one second."""
    server.delay = 0.1
    checkout.checks(CHECKS)
    shared = checkout.root / "shared"

    done = together({str(n): lambda: checkout.run(f"--reports={shared}", reports=False) for n in range(3)})

    folders = [path for path in shared.iterdir() if path.is_dir() and not path.is_symlink()]
    assert [run.status for run in done.values()] == [1, 1, 1]
    assert len(folders) == 3
    assert len({json.loads((folder / "run.json").read_text())["id"] for folder in folders}) == 3
    assert (shared / "latest").resolve() in folders
    assert all({"run.json", "evidence.jsonl", "summary.md"} <= {p.name for p in folder.iterdir()} for folder in folders)


def test_starting_contacts_nothing_and_loads_little(checkout: Checkout, server: AnsweringServer) -> None:
    """Start-up counts: what only lists or imports needs no client and asks nobody."""
    checkout.checks(CHECKS)
    program = (
        "import sys, opsproof; assert opsproof.__version__; "
        "print([name for name in ('pytest', 'httpx', 'psycopg', 'redis', 'pydantic') if name in sys.modules])"
    )
    bare = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=checkout.environment
    )
    checkout.write(
        "conftest.py",
        """
        pytest_plugins = ["opsproof.plugin"]

        def pytest_unconfigure():
            import sys

            heavy = ("httpx", "psycopg", "redis", "celery", "alembic", "sqlalchemy", "allure_commons", "numpy", "scipy")
            print("LOADED", [name for name in heavy if name in sys.modules])
        """,
    )

    listed = checkout.run("--co", "-q")

    assert bare.stdout.strip() == "[]"
    assert listed.status == 0
    assert "LOADED []" in listed.text, listed.text
    assert (server.requests, server.accepted) == ([], 0)
