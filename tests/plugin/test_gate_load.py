"""Benchmarks as pytest runs them: Locust as a process of its own, each gate a check; refused, interrupted, replayed."""

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from answering import Answer, AnsweringServer
from checkout import PYPROJECT, Checkout, Finished, until

CHECKS = Path(__file__).parents[2] / "checks" / "load" / "test_load.py"
LOCUSTFILE = """\
from locust import FastHttpUser, tag, task
from opsproof.load import attach

attach()


class User(FastHttpUser):
    @task
    def read(self):
        self.client.get("/item", name="/item")

    @tag("write")
    @task
    def write(self):
        self.client.post("/item", name="/item", json={})
"""
LOAD = """\
load:
  rate: {rate}
  duration: {duration}
  warm_up: 1s
  timeout: 4s
  {more}
  gates:
    p95:
      title: {{en: p95, ko: p95}}
      measure: p95
      {limit}
      runbook: [DEMO-1]
      next_step: {{en: Find what is slow., ko: 느린 곳을 찾는다.}}
    errors:
      title: {{en: Errors, ko: 오류}}
      measure: errors
      limit: "< 5 %"
      runbook: [DEMO-2]
      next_step: {{en: Find what fails., ko: 실패 원인을 찾는다.}}
"""


@pytest.fixture
def loaded(checkout: Checkout) -> Callable[..., Checkout]:
    """A checkout with a locustfile and a benchmark of a few seconds."""

    def made(
        *,
        rate: int = 40,
        duration: str = "4s",
        limit: str = 'limit: "<= 3 s"',  # a generator on a busy machine is late by a tenth of this
        more: str = "",
        policy: str = "policy: {writes: true}",
        name: str = "demo/local",
    ) -> Checkout:
        checkout.write("pyproject.toml", PYPROJECT.replace("markers = [", 'markers = ["load: benchmarks", '))
        checkout.profile(LOAD.format(rate=rate, duration=duration, limit=limit, more=more) + policy, name=name)
        checkout.write("load/demo.py", LOCUSTFILE)
        (checkout.root / "checks/load").mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKS, checkout.root / "checks/load")
        return checkout

    return made


def told(done: Finished) -> dict[str, str]:
    assert done.folder is not None, done.text
    return {outcome.name: str(outcome.status) for outcome in done.run.outcomes}


def test_gates_that_hold_pass(loaded: Callable[..., Checkout], server: AnsweringServer) -> None:
    done = loaded().run("-m", "load", "--lang=en")

    assert (done.status, done.word, done.agrees()) == (0, "PASS", True), done.text
    assert told(done) == {"load.the_benchmark_can_be_believed": "passed", "load.p95": "passed", "load.errors": "passed"}
    (benchmark,) = done.run.benchmarks
    assert (benchmark.answer, benchmark.ending) == ("PASS", "done")
    assert sum(one.ended for one in benchmark.requests) == 3 * 40
    assert {request.method for request in server.requests} == {"GET"}
    assert "demo/local: 40 arrivals a second over 4 s by at most 240 users, at most 1,600 requests" in done.text


def test_a_gate_that_does_not_hold_fails_with_its_numbers(
    loaded: Callable[..., Checkout], server: AnsweringServer
) -> None:
    server.by_prefix["/item"] = Answer({}, status=500)
    done = loaded().run("-m", "load", "--lang=en")

    assert (done.status, done.word, done.agrees()) == (1, "FAIL", True), done.text
    assert told(done)["load.errors"] == "failed"
    assert "failed (100 %)" in done.outcomes["errors"].message
    assert "Find what fails." in done.block
    assert "DEMO-2" in done.block


def test_no_request_at_all_is_unknown(loaded: Callable[..., Checkout]) -> None:
    """A locustfile that raises before it asks tests nothing, whatever it looks like."""
    checkout = loaded()
    checkout.write(
        "load/demo.py", LOCUSTFILE.replace('self.client.get("/item", name="/item")', 'raise KeyError("user")')
    )

    done = checkout.run("-m", "load", "--lang=en")

    assert (done.status, done.word) == (6, "INCONCLUSIVE"), done.text
    assert set(told(done).values()) == {"unknown"}
    assert "not one request was made" in done.block
    assert "KeyError: 'user'" in done.block


def test_a_benchmark_is_judged_again_without_network(loaded: Callable[..., Checkout], server: AnsweringServer) -> None:
    first = loaded().run("-m", "load")
    server.requests.clear()
    stricter = loaded(limit='limit: "<= 0.1 ms"')

    again = stricter.run("-m", "load", f"--replay={first.folder}", "--lang=en")

    assert (first.status, again.status, again.word) == (0, 1, "FAIL"), again.text
    assert told(again)["load.p95"] == "failed"
    assert not server.requests


def test_it_is_compared_with_an_earlier_one(loaded: Callable[..., Checkout], server: AnsweringServer) -> None:
    """Without an earlier one nothing is known; with one that was as quick nothing is worse; a slow one is worse."""
    worse = "worse: {ratio: 8}"
    alone = loaded(limit=worse).run("-m", "load", "--lang=en")
    server.by_prefix["/item"] = Answer({}, delay=0.1)
    before = loaded(limit=worse).run("-m", "load")
    same = loaded(limit=worse).run("-m", "load", f"--baseline={before.folder}", "--lang=en")
    server.by_prefix["/item"] = Answer({}, delay=1.5)
    slower = loaded(limit=worse).run("-m", "load", f"--baseline={before.folder}", "--lang=en")

    assert told(alone)["load.p95"] == "unknown"
    assert "none was given (--baseline)" in alone.outcomes["p95"].message
    assert told(same)["load.p95"] == "passed", same.text
    assert told(slower)["load.p95"] == "failed", slower.text
    assert "worse than the earlier benchmark" in slower.outcomes["p95"].message


def test_tasks_that_write_need_the_name_of_the_environment(
    loaded: Callable[..., Checkout], server: AnsweringServer
) -> None:
    server.by_prefix["/item"] = Answer({})
    done = loaded().run("-m", "load", "--allow-writes=local")

    assert done.status == 0, done.text
    assert {request.method for request in server.requests} == {"GET", "POST"}
    assert done.run.benchmarks[0].plan.writes


def test_production_is_refused_until_its_profile_allows_it(
    loaded: Callable[..., Checkout], server: AnsweringServer
) -> None:
    checkout = loaded(name="demo/production")

    refused = checkout.run("-m", "load", profile="demo/production")
    allowed = loaded(name="demo/production", more="allowed: true").run("-m", "load", profile="demo/production")

    assert refused.status == 4
    assert "production is not put under load unless its profile says `load.allowed: true`" in refused.text
    assert allowed.status == 0, allowed.text


def test_what_cannot_be_run_is_told_before(loaded: Callable[..., Checkout], server: AnsweringServer) -> None:
    """No locustfile; several processes of pytest; a window; a locustfile that is none; then nothing was asked."""
    checkout = loaded()
    window = checkout.run("-m", "load", "--stable-for=5s")
    side_by_side = checkout.run("-m", "load", "-n", "2")
    checkout.write("load/demo.py", "import no_such_module\n")
    broken = checkout.run("-m", "load", "--lang=en")
    (checkout.root / "load/demo.py").unlink()
    missing = checkout.run("-m", "load")

    assert (missing.status, window.status, side_by_side.status) == (4, 4, 4)
    assert "demo has no locustfile" in missing.text
    assert "last as long as their profile says" in window.text
    assert "two benchmarks at once measure each other" in side_by_side.text
    assert (broken.status, "no_such_module" in broken.text) == (6, True), broken.text
    assert not server.requests


def test_a_locustfile_that_hangs_is_ended(loaded: Callable[..., Checkout], server: AnsweringServer) -> None:
    checkout = loaded()
    checkout.write("load/demo.py", "import time\nprint('asking a host that never answers')\ntime.sleep(3600)\n")
    checkout.write(
        "checks/load/conftest.py", "from opsproof.plugin import benchmarks\nbenchmarks._SECONDS_BESIDE_THE_PLAN = 3.0\n"
    )

    done = checkout.run("-m", "load", "--lang=en")

    assert done.status == 6, done.text
    assert "Locust had not ended after 11 s, 3 s more than its plan: asking a host that never answers" in done.text
    assert "run it by hand" in done.text
    assert str(checkout.root) not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout


@pytest.mark.parametrize(
    ("selected", "left_out"),
    [
        ("p95", "load.errors, load.the_benchmark_can_be_believed"),
        ("not believed", "load.the_benchmark_can_be_believed"),
        ("not errors", "load.errors"),
    ],
)
def test_a_part_of_a_benchmark_is_refused(
    loaded: Callable[..., Checkout], server: AnsweringServer, selected: str, left_out: str
) -> None:
    """The part could be green where bench.json says FAIL."""
    done = loaded().run("-m", "load", "-k", selected)

    assert done.status == 4, done.text
    assert f"the benchmark of demo/local is asked about without {left_out}" in done.text
    assert not server.requests


@pytest.mark.parametrize("named", ["load.errors", "DEMO-2", "load.the_benchmark_can_be_believed[demo/local]"])
def test_a_waiver_of_a_part_of_a_benchmark_is_refused(
    loaded: Callable[..., Checkout], server: AnsweringServer, named: str
) -> None:
    waiver = f'{{check: "{named}", owner: kim, reason: known, until: 2999-01-01}}'

    done = loaded(policy=f"policy: {{waivers: [{waiver}]}}").run("-m", "load")

    assert done.status == 4, done.text
    assert f"the waiver of kim for {named} would let a benchmark pass" in done.text
    assert "take it out of `load.gates`" in done.text
    assert not server.requests


def test_nothing_of_a_benchmark_is_taken_over(loaded: Callable[..., Checkout], server: AnsweringServer) -> None:
    """A gate that passed then and one that is measured now would be two benchmarks in one verdict."""
    checkout = loaded()
    server.by_prefix["/item"] = Answer({}, status=500)
    first = checkout.run("-m", "load")
    server.by_prefix["/item"] = Answer({})

    second = checkout.run("-m", "load", f"--resume={first.folder}")

    assert (first.status, second.status) == (1, 0), second.text
    assert not [outcome for outcome in second.run.outcomes if outcome.taken_over]


def test_a_mild_fail_on_is_refused(loaded: Callable[..., Checkout], server: AnsweringServer) -> None:
    """The run would pass where bench.json says FAIL."""
    done = loaded(policy="policy: {fail_on: SEV-1}").run("-m", "load")

    assert done.status == 4, done.text
    assert "`policy.fail_on: SEV-1` would let a benchmark pass" in done.text
    assert not server.requests


def test_a_status_of_the_locustfiles_own_is_not_overlooked(
    loaded: Callable[..., Checkout], server: AnsweringServer
) -> None:
    checkout = loaded()
    own = "@events.quitting.add_listener\ndef own_gate(environment, **_):\n    environment.process_exit_code = 3\n"
    checkout.write("load/demo.py", LOCUSTFILE.replace("import FastHttpUser", "import FastHttpUser, events") + own)

    done = checkout.run("-m", "load", "--lang=en")

    assert done.status == 6, done.text
    assert "Locust ended with exit status 3, and its result says 0" in done.text


def test_variables_of_locust_leave_no_task_out(loaded: Callable[..., Checkout], server: AnsweringServer) -> None:
    done = loaded().run("-m", "load", "--lang=en", env={"LOCUST_TAGS": "write", "LOCUST_RUN_TIME": "1s"})

    assert (done.status, done.word) == (0, "PASS"), done.text
    assert done.run.benchmarks[0].plan.selected == ""


def test_without_pytest_the_load_ends(loaded: Callable[..., Checkout], server: AnsweringServer) -> None:
    """Whoever waited for the result was killed, and nobody is left who would end it."""
    running = loaded(duration="900s").start("-m", "load")
    until(lambda: len(server.requests) > 40)
    running.process.kill()
    running.process.communicate()

    until(lambda: _is_left_alone(server))


def _is_left_alone(server: AnsweringServer) -> bool:
    before = len(server.requests)
    time.sleep(1.0)
    return len(server.requests) == before


def test_without_its_marker_nothing_is_put_under_load(loaded: Callable[..., Checkout], server: AnsweringServer) -> None:
    done = loaded().run()

    assert done.status == 5, done.text
    assert "a benchmark's gates are left out" in done.text
    assert not server.requests


def test_bench_profile_names_the_environment(loaded: Callable[..., Checkout]) -> None:
    """As runbook 003 writes it: BENCH_PROFILE=staging."""
    checkout = loaded(name="demo/staging")

    done = checkout.run("-m", "load", profile=None, env={"BENCH_PROFILE": "staging"})

    assert (done.status, done.run.profiles.keys()) == (0, {"demo/staging"}), done.text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_benchmark_ends_its_locust(
    loaded: Callable[..., Checkout], server: AnsweringServer, number: signal.Signals
) -> None:
    checkout = loaded(duration="60s")
    running = checkout.start("-m", "load")

    done = running.interrupt(lambda: len(server.requests) > 40, number)
    asked = len(server.requests)
    time.sleep(1.0)

    assert (done.status, done.word) == (2, "INCONCLUSIVE"), done.text
    assert len(server.requests) == asked
    assert str(checkout.root) not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    assert done.run.benchmarks[0].ending == "interrupted"


def test_the_benchmark_is_a_file_of_the_run(loaded: Callable[..., Checkout]) -> None:
    done = loaded().run("-m", "load")

    assert done.folder is not None
    own = (done.folder / "locust.html").read_text(encoding="utf-8")
    assert "/item" in own
    (file,) = done.folder.glob("bench*.json")
    assert json.loads(file.read_text(encoding="utf-8"))["profile"] == "demo/local"
