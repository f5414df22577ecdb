"""A canary's watch as pytest runs it: by scraping alone, interrupted, replayed; what is left, and with which status."""

import json
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from answering import Answer, AnsweringServer, Request
from checkout import PYPROJECT, Checkout, Finished

CHECKS = Path(__file__).parents[2] / "checks" / "canary" / "test_canary.py"
CANARY = """\
canary:
  scrape: {{canary: [new], baseline: [old-0, old-1]}}
  duration: {duration}
  interval: 500ms
  begin_within: {begin_within}
  criteria:
    error-rate:
      title: {{en: Errors, ko: 오류}}
      ratio: {{of: 'requests_total{{status="500"}}', over: requests_total}}
      limit: "{limit}"
      worse: {{ratio: {ratio}}}
      runbook: [DEMO-1]
      next_step: {{en: Roll back., ko: 롤백한다.}}
"""


def exposed(per_second: float, failed: float = 0.0) -> Callable[[Request], Answer]:
    """Counters of a replica that has so much traffic from now on."""
    begun = time.monotonic()

    def answer(_: Request) -> Answer:
        total = int(1000 + per_second * (time.monotonic() - begun))
        errors = int(total * failed)
        lines = ("# TYPE requests_total counter", f'requests_total{{status="200"}} {total - errors}')
        text = "\n".join([*lines, f'requests_total{{status="500"}} {errors}', ""])
        return Answer(body=text.encode(), headers={"Content-Type": "text/plain; version=0.0.4"})

    return answer


@pytest.fixture
def canary(checkout: Checkout, server: AnsweringServer) -> Callable[..., Checkout]:
    """A checkout with a canary and two replicas of the baseline, whose own /metrics are read."""

    def made(
        *,
        duration: str = "5s",
        begin_within: str = "20s",
        limit: str = "< 1 %",
        ratio: int = 3,
        per_second: float = 1000.0,
        **how: Any,
    ) -> Checkout:
        server.script["/new"] = exposed(per_second, **how)
        server.script["/old-0"] = server.script["/old-1"] = exposed(5 * per_second)
        checkout.write("pyproject.toml", PYPROJECT.replace("markers = [", 'markers = ["canary_criteria: a canary", '))
        checkout.profile(
            CANARY.format(duration=duration, begin_within=begin_within, limit=limit, ratio=ratio),
            targets="\n".join(
                f"{name}: {{kind: scrape, url: '{server.url}/{name}'}}" for name in ("new", "old-0", "old-1")
            ),
        )
        (checkout.root / "checks/canary").mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKS, checkout.root / "checks/canary")
        return checkout

    return made


def verdict(done: Finished) -> dict[str, Any]:
    assert done.folder is not None, done.text
    return dict(json.loads((done.folder / "verdict.json").read_text(encoding="utf-8")))


def test_a_canary_is_watched_by_scraping_alone(canary: Callable[..., Checkout]) -> None:
    done = canary().run("-m", "canary_criteria")

    assert (done.status, done.word) == (0, "PASS"), done.text
    assert (verdict(done)["answer"], verdict(done)["canaries"][0]["ending"]) == ("promote", "watched")
    assert "CANARY  PROMOTE: demo/local" in done.block
    assert set(done.told.values()) == {"passed"}
    assert {one["target"] for one in done.evidence} == {"new", "old-0", "old-1"}


def test_one_that_fails_by_scraping_is_rolled_back(canary: Callable[..., Checkout]) -> None:
    done = canary(duration="30s", failed=0.05).run("-m", "canary_criteria")

    assert (done.status, done.word) == (1, "FAIL"), done.text
    assert (verdict(done)["answer"], verdict(done)["canaries"][0]["ending"]) == ("rollback", "early")


def test_a_replay_judges_what_was_seen_by_the_limits_of_today(canary: Callable[..., Checkout]) -> None:
    made = canary(failed=0.002, ratio=1000)
    first = made.run("-m", "canary_criteria")
    assert (first.status, verdict(first)["answer"]) == (0, "promote"), first.text
    assert first.folder

    stricter = canary(failed=0.002, limit="< 0.05 %")
    again = stricter.run("-m", "canary_criteria", f"--replay={first.folder}")

    assert (again.status, verdict(again)["answer"]) == (1, "rollback"), again.text
    assert verdict(again)["replay_of"] == verdict(first)["run"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_watch_that_is_interrupted_is_inconclusive_and_has_a_report(
    canary: Callable[..., Checkout], server: AnsweringServer, number: int
) -> None:
    """Whatever it has seen by then: a pipeline that is cancelled must not promote."""
    running = canary(duration="60s").start("-m", "canary_criteria")

    done = running.interrupt(lambda: server.asked("/new") > 8, number)

    assert (done.status, done.word) == (2, "INCONCLUSIVE"), done.text
    assert (verdict(done)["answer"], verdict(done)["exit_status"]) == ("inconclusive", 6)
    (watched,) = verdict(done)["canaries"]
    assert watched["ending"] == "interrupted"
    assert len(watched["criteria"][0]["looks"]) > 1
    assert "the watch was ended before its time" in done.block
    assert done.folder
    assert {"run.json", "verdict.json", "canary.svg", "summary.md", "junit.xml"} <= {
        one.name for one in done.folder.iterdir()
    }


def test_one_that_is_interrupted_before_its_first_look_is_inconclusive(
    canary: Callable[..., Checkout], server: AnsweringServer
) -> None:
    """Without traffic the questions cannot tell; while it waits for some, nothing was watched."""
    running = canary(begin_within="60s", per_second=0.0).start("-m", "canary_criteria")

    done = running.interrupt(lambda: server.asked("/new") > 2, signal.SIGTERM)

    assert (done.status, done.word) == (2, "INCONCLUSIVE"), done.text
    assert (verdict(done)["answer"], verdict(done)["canaries"][0]["ending"]) == ("inconclusive", "interrupted")
    assert verdict(done)["canaries"][0]["criteria"][0]["looks"] == []


def test_one_that_is_killed_leaves_no_verdict(canary: Callable[..., Checkout], server: AnsweringServer) -> None:
    """Nobody can write after SIGKILL; there must be nothing that a deployer could take for an answer."""
    running = canary(duration="60s").start("-m", "canary_criteria")

    done = running.interrupt(lambda: server.asked("/new") > 8, signal.SIGKILL)

    assert done.status == -signal.SIGKILL
    assert done.folder is None


def test_a_canary_without_traffic_is_refused(canary: Callable[..., Checkout]) -> None:
    done = canary(begin_within="1s", per_second=0.0).run("-m", "canary_criteria")

    assert (done.status, done.word) == (6, "INCONCLUSIVE"), done.text
    assert verdict(done)["canaries"][0]["ending"] == "refused"
    assert "error-rate: canary: no traffic of canary since the begin; send it traffic" in " ".join(done.text.split())
