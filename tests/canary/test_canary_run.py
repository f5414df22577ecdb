"""`pytest -m canary_criteria` as a deployer runs it: exit status, verdict, report, and what was kept judged again."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from opsproof.report.folder import read_run

REPOSITORY = Path(__file__).parents[2]
PATIENCE = 300


def gate(*options):
    """A run, and what the terminal showed."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "canary_criteria", *map(str, options)],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src")},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """The folder of a run of the embedded canary, which is healthy."""
    reports = tmp_path_factory.mktemp("canary")
    done = gate("--profile=factory-ai/embedded", f"--reports={reports}")
    assert done.returncode == 0, done.stdout + done.stderr
    return (reports / "latest").resolve()


def replayed(watched, folder, change):
    """Judge what was kept again, after somebody changed it."""
    kept = json.loads((watched / "run.json").read_text(encoding="utf-8"))
    (canary,) = kept["canaries"]
    change(canary)
    earlier = folder / "earlier"
    earlier.mkdir()
    (earlier / "run.json").write_text(json.dumps(kept), encoding="utf-8")
    (earlier / "evidence.jsonl").write_bytes((watched / "evidence.jsonl").read_bytes())
    done = gate(f"--replay={earlier}", f"--reports={folder / 'again'}")
    return done, read_run(folder / "again" / "latest")


def told(run):
    return {outcome.name: outcome.status for outcome in run.outcomes}


def looks(canary, name):
    return next(one["looks"] for one in canary["criteria"] if one["name"] == name)


def test_a_healthy_canary_may_be_promoted(watched):
    """By a watch of real versions under traffic; every check has evidence."""
    run = read_run(watched)
    (canary,) = run.canaries

    assert set(told(run).values()) == {"passed"}
    assert canary.answer == "promote"
    assert len(canary.criteria[0].looks) == canary.looks
    assert all(outcome.observations for outcome in run.outcomes)
    assert json.loads((watched / "verdict.json").read_text(encoding="utf-8"))["answer"] == "promote"


def test_what_was_kept_gives_the_same_answer_again(watched, tmp_path):
    """Nothing is asked; the same numbers come to the same answer."""
    done, run = replayed(watched, tmp_path, lambda canary: None)

    assert done.returncode == 0, done.stdout
    assert set(told(run).values()) == {"passed"}


def test_failures_among_what_was_kept_roll_back(watched, tmp_path):
    """Exit status 1, and the criterion is red by itself."""

    def fails(canary):
        for look in looks(canary, "error-rate"):
            look["canary"]["failed"] = round(0.1 * look["canary"]["total"])

    done, run = replayed(watched, tmp_path, fails)

    assert done.returncode == 1, done.stdout
    assert told(run) == {
        "canary.the_questions_can_tell": "passed",
        "canary.error-rate": "failed",
        "canary.latency-p95": "passed",
        "canary.llm-parsing-failure-rate": "passed",
        "canary.the_canary_may_be_promoted": "failed",
    }
    assert "CANARY  ROLL BACK" in done.stdout


def test_too_little_of_what_was_kept_is_inconclusive(watched, tmp_path):
    """Exit status 6, and how many more requests are needed."""

    def few(canary):
        for look in looks(canary, "error-rate"):
            look["canary"]["total"] = 100

    done, run = replayed(watched, tmp_path, few)

    assert done.returncode == 6, done.stdout
    assert told(run)["canary.error-rate"] == "unknown"
    assert told(run)["canary.the_canary_may_be_promoted"] == "unknown"
    assert "199 more requests without a failure" in done.stdout.replace("\n", " ").replace("           ", " ")


def test_a_watch_that_was_refused_is_inconclusive(watched, tmp_path):
    """A question that cannot tell makes nobody promote, whatever the others say."""

    def refused(canary):
        canary["refused"] = ["error-rate: canary: there is no metric http_requests_total"]
        canary["ending"] = "refused"
        for criterion in canary["criteria"]:
            criterion["looks"] = []

    done, run = replayed(watched, tmp_path, refused)

    assert done.returncode == 6, done.stdout
    assert set(told(run).values()) == {"unknown"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda canary: canary["criteria"][0]["questions"].update({"canary all": "other"}),
            "other questions were asked",
        ),
        (lambda canary: canary.update(duration=30.0), "it was watched for 30 s, and the profile demands 60 s"),
    ],
)
def test_a_watch_of_something_else_is_judged_as_none(watched, tmp_path, change, words):
    """What the profile demands now was never looked at, or not for long enough."""
    done, run = replayed(watched, tmp_path, change)

    assert done.returncode == 6, done.stdout
    assert words in " ".join(run.canaries[0].notes)


@pytest.mark.parametrize("options", [["-n", "1"], ["--stable-for=5m"], ["-k", "questions"]])
def test_what_cannot_go_with_a_watch_is_refused(options):
    """Before anything is started, if it can be known by then."""
    done = gate("--profile=factory-ai/embedded", *options)

    assert done.returncode == 4
    assert "canary" in done.stdout + done.stderr
