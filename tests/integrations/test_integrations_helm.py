"""docs/integrations/helm/canary.sh, with stand-ins for helm, kubectl and pytest that write down their calls."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from opsproof.plugin.options import HELP
from opsproof.plugin.windows.plan import HELP as WINDOW_HELP

SCRIPT = Path(__file__).parents[2] / "docs" / "integrations" / "helm" / "canary.sh"

STAND_IN = """\
import json, os, signal, sys, time
from pathlib import Path
home = Path(os.environ["STAND_INS"])
words = [Path(sys.argv[0]).name, *sys.argv[1:]]
with (home / "calls").open("a") as calls:
    calls.write(json.dumps(words) + "\\n")
plan = json.loads((home / "plan.json").read_text())
for step in plan:
    if step["words"] == [word for word in words if word in step["words"]]:
        if not step["times"]:
            continue
        step["times"] -= 1
        (home / "plan.json").write_text(json.dumps(plan))
        break
else:
    sys.exit(f"nobody told what {words} does")
def ended(number, frame):
    (home / "ended").write_text(str(number))
    sys.exit(2)
signal.signal(signal.SIGTERM, ended)
if step.get("answer"):
    folder = Path(next(word for word in words if word.startswith("--reports=")).partition("=")[2]) / "latest"
    folder.mkdir(parents=True)
    (folder / "verdict.json").write_text(json.dumps({"answer": step["answer"]}))
print(step.get("says", ""), end="", flush=True)
time.sleep(step.get("lasts", 0))
sys.exit(step.get("status", 0))
"""
STATUS = {"words": ["helm", "status"], "says": '{"version": 3, "info": {"status": "deployed"}}', "times": 9}
VALUES = {"words": ["helm", "get"], "says": '{"image": {"tag": "1.4.0"}}', "times": 9}
UPGRADE = {"words": ["helm", "upgrade"], "times": 9}
ROLLBACK = {"words": ["helm", "rollback"], "times": 9}
ROLLED_OUT = {"words": ["kubectl", "rollout"], "times": 9}
RECOVERED = {"words": ["pytest", "recovery"], "times": 9}
SMOKE = {"words": ["pytest", "smoke"], "times": 9}
ALL_IS_WELL = [STATUS, VALUES, UPGRADE, ROLLBACK, ROLLED_OUT, RECOVERED, SMOKE]


def watched(status: int, answer: str = "", **more: Any) -> dict[str, Any]:
    """A watch that ends so."""
    return {"words": ["pytest", "canary_criteria"], "times": 1, "status": status, "answer": answer} | more


PROMOTES, ROLLS_BACK, UNKNOWN = watched(0, "promote"), watched(1, "rollback"), watched(6, "inconclusive")


class Ended(NamedTuple):
    """How the script ended, and what it has called."""

    status: int
    calls: list[list[str]]
    said: str

    def called(self, *words: str) -> list[list[str]]:
        return [call for call in self.calls if call[: len(words)] == list(words)]

    def values(self, call: list[str]) -> set[str]:
        """What a helm upgrade sets."""
        return {value for key, value in pairwise(call) if key == "--set"}


class Deployer:
    """Runs the script in a folder of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        for name in ("helm", "kubectl", "pytest"):
            program = home / "bin" / name
            program.parent.mkdir(exist_ok=True)
            program.write_text(f"#!{sys.executable}\n{STAND_IN}", encoding="utf-8")
            program.chmod(0o755)

    def begin(self, plan: list[dict[str, Any]], *words: str, **variables: str) -> "subprocess.Popen[str]":
        (self.home / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
        path = f"{self.home / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return subprocess.Popen(
            [str(SCRIPT), *(words or ("judgment-service", "./helm/judgment-service", "1.5.0"))],
            cwd=self.home,
            env={**os.environ, "PATH": path, "STAND_INS": str(self.home), **variables},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def end(self, process: "subprocess.Popen[str]") -> Ended:
        _, said = process.communicate(timeout=60)
        return Ended(process.returncode, self.calls(), said)

    def calls(self) -> list[list[str]]:
        file = self.home / "calls"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def run(self, *plan: dict[str, Any], **variables: str) -> Ended:
        return self.end(self.begin([*plan, *ALL_IS_WELL], **variables))

    def when(self, *words: str) -> None:
        """Wait until it has called this."""
        until = time.monotonic() + 30
        while not any(set(words) <= set(call) for call in self.calls()):
            assert time.monotonic() < until, f"never called: {words}"
            time.sleep(0.02)


@pytest.fixture
def deployer(tmp_path: Path) -> Deployer:
    return Deployer(tmp_path)


def test_it_can_be_read_and_stops_at_the_first_error() -> None:
    assert subprocess.run(["bash", "-n", str(SCRIPT)], check=False).returncode == 0
    assert os.access(SCRIPT, os.X_OK)
    assert SCRIPT.read_text(encoding="utf-8").splitlines()[6:8][-1] == "set -euo pipefail"


def test_every_option_that_it_gives_to_pytest_exists(deployer: Deployer) -> None:
    calls = [*deployer.run(ROLLS_BACK, ATTEST="a.yaml").calls]
    (deployer.home / "calls").unlink()
    calls += deployer.run(PROMOTES).calls
    given = {word.partition("=")[0][2:] for call in calls if call[0] == "pytest" for word in call if word[:2] == "--"}

    assert given == {"profile", "reports", "expect-version", "stable-for", "deadline", "attest", "wait-ready"}
    assert given <= {*HELP, *WINDOW_HELP}


def test_a_canary_that_promotes_gets_all_the_traffic(deployer: Deployer) -> None:
    """Runbook 2.2: ten percent, the watch, then a hundred."""
    ended = deployer.run(PROMOTES)

    first, second = ended.called("helm", "upgrade")
    assert ended.status == 0
    assert first[2:4] == ["judgment-service", "./helm/judgment-service"]
    assert ended.values(first) == {"canary.enabled=true", "canary.weight=10", "image.tag=1.5.0"}
    assert ended.values(second) == {"canary.enabled=true", "canary.weight=100", "image.tag=1.5.0"}
    assert all(call[call.index("-n") + 1] == "production" for call in ended.calls if call[0] in ("helm", "kubectl"))
    assert not ended.called("helm", "rollback")
    watch, gate = ended.called("pytest")
    assert ended.calls.index(first) < ended.calls.index(watch) < ended.calls.index(second) < ended.calls.index(gate)
    assert {"smoke", "--expect-version=1.5.0"} <= set(gate)


def test_a_sure_violation_is_rolled_back_and_the_roll_back_verified(deployer: Deployer) -> None:
    """Runbook 3.1: to the revision that was there, then error rate and p95 over five minutes, of the old version."""
    ended = deployer.run(ROLLS_BACK)

    assert ended.status == 1
    assert len(ended.called("helm", "upgrade")) == 1
    (back,) = ended.called("helm", "rollback")
    assert back[2:6] == ["judgment-service", "3", "-n", "production"]
    assert ended.called("kubectl", "rollout", "status", "deployment/judgment-service")
    _, verification = ended.called("pytest")
    assert {"recovery", "--stable-for=5m", "--expect-version=1.4.0"} <= set(verification)
    assert ended.calls.index(back) < ended.calls.index(verification)
    assert "rolled back to 1.4.0, and recovered" in ended.said


def test_what_is_not_known_is_watched_again_and_then_left_to_somebody(deployer: Deployer) -> None:
    ended = deployer.run(UNKNOWN, UNKNOWN)

    assert ended.status == 6
    assert len(ended.called("pytest")) == 2
    assert len(ended.called("helm", "upgrade")) == 1
    assert not ended.called("helm", "rollback")
    assert "NOT KNOWN (status 6, inconclusive): the canary keeps 10 % of the traffic" in ended.said
    assert "helm rollback judgment-service 3 -n production" in ended.said


@pytest.mark.parametrize(("second", "status"), [(PROMOTES, 0), (ROLLS_BACK, 1)])
def test_the_second_watch_decides(deployer: Deployer, second: dict[str, Any], status: int) -> None:
    ended = deployer.run(UNKNOWN, second)

    assert ended.status == status
    folders = {word for call in ended.called("pytest", "-m", "canary_criteria") for word in call if "--reports" in word}
    assert len(folders) == 2


@pytest.mark.parametrize(
    "watch",
    [
        watched(0),  # checks passed, and no canary was watched
        watched(0, "inconclusive"),
        watched(0, "rollback"),
        watched(2, "inconclusive"),  # interrupted
        watched(3),
        watched(4),
        watched(5),
        watched(124),
        watched(137),
        watched(143),
        watched(6, "promote"),
    ],
    ids=lambda watch: f"{watch['status']}-{watch['answer']}",
)
def test_nothing_but_promote_promotes(deployer: Deployer, watch: dict[str, Any]) -> None:
    ended = deployer.run(watch, watch)

    assert ended.status == 6
    assert len(ended.called("helm", "upgrade")) == 1
    assert not ended.called("helm", "rollback")


def test_an_old_verdict_is_not_taken_for_this_one(deployer: Deployer) -> None:
    """Each watch has a folder of its own: one that left no verdict must not find that of yesterday."""
    assert deployer.run(PROMOTES).status == 0

    assert deployer.run(watched(0)).status == 6


@pytest.mark.parametrize(
    ("broken", "status", "said"),
    [
        (STATUS | {"status": 1}, 2, "nothing was changed"),
        (STATUS | {"says": "Error: release: not found"}, 2, "nothing was changed"),
        (STATUS | {"says": '{"version": 3, "info": {"status": "pending-upgrade"}}'}, 2, "is pending-upgrade"),
        (VALUES | {"says": "{}"}, 2, "nothing was changed"),
    ],
)
def test_without_something_to_go_back_to_it_does_not_begin(
    deployer: Deployer, broken: dict[str, Any], status: int, said: str
) -> None:
    ended = deployer.run(broken)

    assert ended.status == status
    assert said in ended.said
    assert not ended.called("helm", "upgrade")
    assert not ended.called("pytest")


def test_a_canary_that_cannot_be_deployed_is_rolled_back(deployer: Deployer) -> None:
    ended = deployer.run(UPGRADE | {"status": 1})

    assert ended.status == 1
    assert ended.called("helm", "rollback")
    assert not ended.called("pytest", "-m", "canary_criteria")


@pytest.mark.parametrize(
    ("watch", "broken", "said"),
    [
        (ROLLS_BACK, ROLLBACK | {"status": 1}, "helm rollback failed"),
        (ROLLS_BACK, ROLLED_OUT | {"status": 1}, "the roll-out does not end"),
        (ROLLS_BACK, RECOVERED | {"status": 1}, "rolled back, and not recovered (status 1)"),
        (ROLLS_BACK, RECOVERED | {"status": 6}, "rolled back, and not recovered (status 6)"),
        (PROMOTES, ROLLED_OUT | {"status": 1}, "the roll-out does not end"),
        (PROMOTES, SMOKE | {"status": 6}, "promoted, and the gate is not green (status 6)"),
    ],
)
def test_what_is_half_done_calls_somebody(
    deployer: Deployer, watch: dict[str, Any], broken: dict[str, Any], said: str
) -> None:
    ended = deployer.run(watch, broken)

    assert ended.status == 8
    assert f"{said}: LOOK NOW" in ended.said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_in_the_middle_of_a_watch_it_does_nothing_more(deployer: Deployer, number: int) -> None:
    """The watch is ended in order, so that its report is written; the canary stays, and both commands are told."""
    process = deployer.begin([watched(0, "promote", lasts=60), *ALL_IS_WELL])
    deployer.when("canary_criteria")
    time.sleep(0.3)  # until the stand-in can be ended
    os.kill(process.pid, number)
    ended = deployer.end(process)

    assert ended.status == 130
    assert (deployer.home / "ended").read_text() == str(int(signal.SIGTERM))
    assert len(ended.called("helm", "upgrade")) == 1
    assert not ended.called("helm", "rollback")
    assert "interrupted while watching the canary (1 of 2)" in ended.said
    assert "helm rollback judgment-service 3 -n production" in ended.said


def test_interrupted_in_the_middle_of_a_roll_back_it_finishes_it(deployer: Deployer) -> None:
    """Half a roll-back is worse than a late one."""
    process = deployer.begin([ROLLS_BACK, ROLLBACK | {"lasts": 1}, *ALL_IS_WELL])
    deployer.when("helm", "rollback")
    os.kill(process.pid, signal.SIGTERM)
    ended = deployer.end(process)

    assert ended.status == 1
    assert ended.called("pytest", "-m", "recovery")


@pytest.mark.parametrize("words", [("judgment-service",), ("judgment-service", "./helm", "")])
def test_wrong_usage_changes_nothing(deployer: Deployer, words: tuple[str, ...]) -> None:
    """An unset $NEW_VERSION is the third word."""
    ended = deployer.end(deployer.begin(ALL_IS_WELL, *words))

    assert (ended.status, ended.calls) == (2, [])
    assert ended.said.startswith("usage: ")


def test_the_page_shows_what_the_script_says() -> None:
    page = (SCRIPT.parents[1] / "helm.md").read_text(encoding="utf-8")
    script = SCRIPT.read_text(encoding="utf-8")

    for name in re.findall(r"\$\{([A-Z]+):-", script):
        assert f"`{name}`" in page, name
    for status in (0, 1, 2, 6, 8, 130):
        assert f"| {status} |" in page
