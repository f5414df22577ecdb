"""`--baseline`: what is new and what was there before; what is normal; and which runs cannot say it."""

import json
import shutil
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from answering import Answer, AnsweringServer
from checkout import Checkout, Finished, together

sys.path.insert(0, str(Path(__file__).parents[1] / "probes" / "metrics"))

from prometheus_server import Written, prometheus

from opsproof.judge.outcome import Cause

CHECKS = """
pytestmark = [pytest.mark.smoke, pytest.mark.recovery]

async def _well(api, path):
    answer = await api.get(path)
    assert answer.field("status") == "healthy", answer.field("status")

@runbook()
async def test_one(api):
    await _well(api, "/one")

@runbook(severity="SEV-1")
async def test_two(api):
    await _well(api, "/two")

@runbook(severity="SEV-3")
async def test_three(api):
    await _well(api, "/three")

@runbook()
@pytest.mark.daily
async def test_four(api):
    await _well(api, "/four")

@runbook()
async def test_five(api):
    await _well(api, "/five")
"""
INDICATORS = """
@each(indicator="indicators")
async def test_indicator(indicator, reader):
    judgement = await reader.judge(indicator)

    assert judgement.state == "well", judgement.words
"""
PATH = "checks/indicators/test_indicators.py"
QUEUE = """
indicators:
  queue-depth:
    title: {en: Queue depth, ko: 큐 깊이}
    http: {path: /numbers, field: queue}
    unit: jobs
    LIMITS
    normal: {at_most: 1.5, above: 10}
    markers: [smoke, recovery]
    next_step: {en: Add workers., ko: 워커를 늘린다.}
"""
LIMITS = 'ok: "< 1000"\n    p1: "> 5000"'


@pytest.fixture
def checkout(checkout: Checkout) -> Checkout:
    """With five checks, each of a path."""
    checkout.checks(CHECKS)
    return checkout


def bad(server: AnsweringServer, **told: str) -> None:
    """From now on these paths say so, and all others are healthy."""
    server.script = {f"/{path}": Answer({"status": words}) for path, words in told.items()}


@pytest.fixture
def baseline(checkout: Checkout, server: AnsweringServer) -> Finished:
    """A run of a better time: two, three and five are bad in it; four is not looked at."""
    bad(server, two="slow", three="tired", five="ill")
    return checkout.run("-k", "not four")


def test_new_failures_come_first_and_are_told_from_those_that_were_there_before(
    checkout: Checkout, server: AnsweringServer, baseline: Finished
) -> None:
    """The incident is what is new; the verdict counts both, for a known failure is one that is waived."""
    bad(server, one="down", two="slower", three="tired", four="gone")

    done = checkout.run(f"--baseline={baseline.folder}", "--lang=en")
    words = " ".join(done.block.split())

    assert {name: o.before for name, o in done.outcomes.items() if o.before is not None} == {
        "one": False,
        "two": True,
        "three": True,
    }
    headlines = [line for line in done.block.splitlines() if line.startswith("FAILED")]
    assert headlines == [
        "FAILED SEV-2, NEW  demo.one[demo/local]",
        "FAILED SEV-2, NOT KNOWN IF NEW  demo.four[demo/local]",
        "FAILED SEV-1, THERE BEFORE  demo.two[demo/local]",
    ]
    assert "what target wrong: slower before slow" in words
    assert "demo.three[demo/local] (SEV-3, THERE BEFORE) target wrong: tired" in words
    assert f"baseline run {baseline.run.id}, " in words
    assert "new: 1; there before: 2; not known: 1" in words
    assert "A failure that was there before is still a failure" in words
    assert "green again since then: demo.five[demo/local]" in words
    assert f"--baseline={baseline.folder.relative_to(checkout.root)}" in done.block
    assert (done.status, done.word, done.agrees()) == (1, "FAIL", True)


def test_every_report_tells_them_apart(checkout: Checkout, server: AnsweringServer, baseline: Finished) -> None:
    """A pipeline reads junit.xml, a team lead Allure, the post-mortem summary.md."""
    bad(server, one="down", two="slow")

    done = checkout.run(f"--baseline={baseline.folder}", "--lang=ko")
    assert done.folder is not None
    junit, summary = ((done.folder / name).read_text("utf-8") for name in ("junit.xml", "summary.md"))
    allure = {
        told["name"]: told
        for path in (done.folder / "allure-results").glob("*-result.json")
        if (told := json.loads(path.read_text("utf-8")))
    }

    assert "실패 SEV-2, 신규  demo.one" in done.block
    assert "실패 SEV-1, 이전부터 있음  demo.two" in done.block
    assert "신규 1건; 이전부터 1건" in done.block
    assert junit.count('name="baseline" value="new"') == junit.count('name="baseline" value="there before"') == 1
    assert "baseline: new\n" in junit
    assert "| SEV-2, NEW | `demo.one[demo/local]`" in summary
    assert summary.index("demo.one") < summary.index("| SEV-1, THERE BEFORE | `demo.two")
    assert f"- baseline: run {baseline.run.id}, " in summary
    assert {"name": "tag", "value": "new"} in allure["demo.one[demo/local]"]["labels"]
    assert "\nbaseline: there before" in allure["demo.two[demo/local]"]["statusDetails"]["message"]


def test_only_what_was_there_before_is_still_a_failure(
    checkout: Checkout, server: AnsweringServer, baseline: Finished
) -> None:
    """A baseline is no waiver: nobody answers for it, and it does not expire."""
    done = checkout.run(f"--baseline={baseline.folder}", "--lang=en")

    assert "new: 0; there before: 3" in " ".join(done.block.split())
    assert (done.status, done.word) == (1, "FAIL")


def test_what_a_dead_target_takes_along_is_new(checkout: Checkout, server: AnsweringServer, baseline: Finished) -> None:
    """One root cause, new, although some of its checks were bad before for a cause of their own."""
    with server.stopped():
        done = checkout.run(f"--baseline={baseline.folder}", "--lang=en")

    assert "ROOT CAUSE 1  SEV-1, NEW  api of demo/local" in done.block
    assert {name: o.before for name, o in done.outcomes.items()} == {
        "one": False, "two": False, "three": False, "four": None, "five": False
    }  # fmt: skip


def test_it_is_the_same_with_workers_and_in_a_replay(
    checkout: Checkout, server: AnsweringServer, baseline: Finished
) -> None:
    """Where the reports arrive, all outcomes are held against the baseline."""
    bad(server, one="down", two="slow")
    option = f"--baseline={baseline.folder}"

    live = checkout.run(option, "-n", "2")
    again = checkout.run(option, f"--replay={live.folder}", profile=None)

    expected = {"one": False, "two": True, "three": None, "four": None, "five": None}
    for done in (live, again):
        assert {name: outcome.before for name, outcome in done.outcomes.items()} == expected


def changed(run: Finished, folder: Path, **facts: object) -> Path:
    """A copy of a run's folder in which run.json says something else."""
    assert run.folder is not None
    shutil.copytree(run.folder, folder)
    told = json.loads((folder / "run.json").read_text("utf-8"))
    (folder / "run.json").write_text(json.dumps(told | facts), encoding="utf-8")
    return folder


def test_a_run_that_cannot_say_what_was_there_before_is_refused_with_the_way_out(
    checkout: Checkout, server: AnsweringServer, baseline: Finished
) -> None:
    """Each of them would have called old failures new, or new ones old; nothing is asked then."""
    root = checkout.root
    checkout.profile(name="demo/other")
    incident = {"started": "2026-01-01T00:00:00Z", "timezone": "Asia/Seoul"}
    of_incident = changed(baseline, root / "of-incident", incident=incident)
    asked = len(server.requests)

    done = together(
        {
            "replay": partial(checkout.run, f"--baseline={changed(baseline, root / 'a', replay_of='77aa')}"),
            "younger": partial(
                checkout.run, f"--baseline={changed(baseline, root / 'b', finished='2099-01-01T00:00:00Z')}"
            ),
            "empty": partial(checkout.run, f"--baseline={changed(baseline, root / 'c', outcomes=[])}"),
            "other": partial(checkout.run, f"--baseline={baseline.folder}", profile="demo/other"),
            "nothing": partial(checkout.run, f"--baseline={root}"),
            "incident": partial(
                checkout.run, f"--baseline={baseline.folder}", "--incident-started=2026-01-01T09:00+09:00"
            ),
            "of-incident": partial(
                checkout.run, f"--baseline={baseline.folder}", f"--replay={of_incident}", profile=None
            ),
        }
    )
    said = {name: " ".join(run.text.split()) for name, run in done.items()}

    assert {name: (run.status, run.folder) for name, run in done.items()} == dict.fromkeys(done, (4, None))
    assert len(server.requests) == asked
    assert "it judged the evidence of run 77aa again" in said["replay"]
    assert "Name the folder of run 77aa itself." in said["replay"]
    assert "the baseline ended 2099-01-01 09:00 KST, after this run began" in said["younger"]
    assert "has no outcome of any check" in said["empty"]
    assert "the baseline is of demo/local, and this run is of demo/other" in said["other"]
    assert "no run can be read" in said["nothing"]
    for name in ("incident", "of-incident"):
        assert "after the incident began (2026-01-01 09:00 KST)" in said[name]
        assert "Name a run that ended before 2026-01-01 09:00 KST." in said[name]
    assert [name for name, text in said.items() if "Traceback" in text] == []


def test_a_profile_that_the_baseline_does_not_have_is_told(checkout: Checkout, baseline: Finished) -> None:
    """Of five systems four had a run: the fifth is not called new."""
    checkout.profile(name="demo/other")

    done = checkout.run(f"--baseline={baseline.folder}", "--profile=demo/other")

    assert "is not of demo/other: what is new there is not known" in " ".join(done.run.notes)


@pytest.fixture
def queue(checkout: Checkout, server: AnsweringServer):
    """Set the queue's depth; it is an indicator with a `normal` and limits, unless others are given."""
    (checkout.root / "checks/demo/test_demo.py").unlink()
    checkout.checks(INDICATORS, PATH)

    def answer(depth: int, limits: str = LIMITS) -> None:
        checkout.profile(QUEUE.replace("LIMITS", limits))
        server.script["/numbers"] = Answer({"queue": depth})

    return answer


def test_a_number_within_its_limit_is_not_recovered_at_ten_times_the_baseline(checkout: Checkout, queue) -> None:
    """The limit is for alarms; normal is what it was before the incident. Back at normal it is green."""
    queue(40)
    before = checkout.run("-m", "recovery")
    option = f"--baseline={before.folder}"
    queue(400)
    done = together(
        {
            "alone": partial(checkout.run, "-m", "recovery"),
            "recovery": partial(checkout.run, "-m", "recovery", option, "--lang=en"),
            "round": partial(checkout.run, "-m", "smoke", option, "--lang=en"),
        }
    )
    queue(55)
    back = checkout.run("-m", "recovery", option)

    assert {name: run.status for name, run in done.items()} == {"alone": 0, "recovery": 1, "round": 6}
    outcome = done["recovery"].outcomes["queue-depth"]
    assert (outcome.severity, outcome.cause, outcome.before) == ("SEV-2", Cause.TARGET_WRONG, False)
    assert outcome.message.startswith("400 jobs, within its limits, not normal: it was 40 jobs in the baseline (run ")
    assert "and at most 60 jobs is normal (1.5 times that): not recovered yet" in outcome.message
    assert (outcome.normal.reference, outcome.normal.high, outcome.normal.normal) == (40, 60, False)
    assert done["round"].outcomes["queue-depth"].severity == "SEV-3"
    assert (back.status, back.outcomes["queue-depth"].normal.normal) == (0, True)


def test_without_a_reference_the_limits_decide_and_the_run_says_so(checkout: Checkout, queue) -> None:
    """Green by its limits alone is told, where somebody must be right that it is over."""
    queue(400)

    done = checkout.run("-m", "recovery", "--lang=en")

    assert done.status == 0
    assert "nothing tells what is normal for 1 number, and only limits decided" in " ".join(done.block.split())
    assert done.outcomes["queue-depth"].normal.words == "nothing to compare with: no --baseline was given"


def test_a_baseline_gives_a_number_its_limit_where_nobody_has_set_one(checkout: Checkout, queue) -> None:
    """The runbook has no number: the first run reads it and is no pass, and every later one is held against it."""
    queue(40, limits="")
    first = checkout.run("-m", "recovery")
    green = checkout.run("-m", "recovery", f"--baseline={first.folder}")
    queue(400, limits="")
    red = checkout.run("-m", "recovery", f"--baseline={first.folder}", "--lang=en")

    assert first.told["queue-depth"] == "unknown: precondition missing"
    assert "or give --baseline RUN" in first.outcomes["queue-depth"].next_step
    assert (green.status, red.status) == (0, 1)
    assert red.outcomes["queue-depth"].message.startswith("400 jobs, not normal: it was 40 jobs in the baseline")


def test_a_number_that_was_bad_in_the_baseline_is_no_reference(checkout: Checkout, queue) -> None:
    """Twice a bad number is not normal, and half a bad one is no recovery."""
    queue(6000)
    before = checkout.run("-m", "recovery")
    queue(900)

    done = checkout.run("-m", "recovery", f"--baseline={before.folder}", "--lang=en")

    assert done.status == 0
    assert done.outcomes["queue-depth"].normal.words == (
        "nothing to compare with: the number was not well in the baseline"
    )


RATE = """
indicators:
  requests:
    title: {en: Requests in a second, ko: 초당 요청 수}
    rate: {of: requests_total, window: 5m}
    unit: req/s
    ok: "> 0"
    normal: {at_least: 0.5, at_most: 3, offset: 1h}
    markers: [recovery]
    next_step: {en: See the proxy., ko: 프록시를 확인한다.}
"""


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that has seen ten requests a second until half an hour ago, and two since."""
    now, count = int(time.time()) // 10 * 10, 0.0
    target, samples = {"job": "service", "instance": "one"}, []
    for at in range(now - 7200, now + 900, 10):
        count += 20 if at > now - 1800 else 100
        samples += [Written("requests_total", target, at, count), Written("up", target, at, 1.0)]
    with prometheus(tmp_path_factory.mktemp("prometheus"), samples) as url:
        yield url


def test_traffic_that_has_not_come_back_is_told_by_prometheus_own_history(checkout: Checkout, history: str) -> None:
    """Nobody has kept a run: the same question an hour before says what was normal. A replay says the same."""
    (checkout.root / "checks/demo/test_demo.py").unlink()
    checkout.checks(INDICATORS, PATH)
    targets = f"metrics: {{kind: prometheus, url: '{history}'}}"
    checkout.profile(RATE, targets=targets)
    red = checkout.run("-m", "recovery", "--lang=en", "-n", "2")
    again = checkout.run("-m", "recovery", "--lang=en", f"--replay={red.folder}", profile=None)
    began = datetime.now(UTC) - timedelta(minutes=20)
    since = checkout.run("-m", "recovery", "--lang=ko", f"--incident-started={began.isoformat()}")
    checkout.profile(RATE.replace("at_least: 0.5", "at_least: 0.1"), targets=targets)
    green = checkout.run("-m", "recovery")
    checkout.profile(RATE.replace("offset: 1h", "offset: 7d"), targets=targets)
    without = checkout.run("-m", "recovery", "--lang=ko")

    message = red.outcomes["requests"].message
    assert message.startswith("2 req/s, within its limits, not normal: it was 10 req/s 1h before this run (")
    assert "and at least 5 req/s is normal (0.5 times that): not recovered yet" in message
    assert "time=" not in red.block.partition("by hand")[2].splitlines()[0]
    assert [red.status, since.status, again.status, green.status, without.status] == [1, 1, 1, 0, 0]
    told = since.outcomes["requests"]
    assert "장애 1h 전(" in told.message
    assert told.normal.at == (began - timedelta(hours=1)).replace(microsecond=0)
    assert again.outcomes["requests"].message == message
    assert without.outcomes["requests"].normal.words.startswith("비교 대상 없음: ")


def test_a_count_since_the_incident_is_held_against_as_long_a_stretch(checkout: Checkout, history: str) -> None:
    """Twenty minutes of requests are more than five: the reference is scaled, or everything would be too much."""
    (checkout.root / "checks/demo/test_demo.py").unlink()
    checkout.checks(INDICATORS, PATH)
    counted = RATE.replace("rate: {", "increase: {").replace("req/s", "requests")
    checkout.profile(counted, targets=f"metrics: {{kind: prometheus, url: '{history}'}}")
    began = datetime.now(UTC) - timedelta(minutes=20)

    done = checkout.run("-m", "recovery", f"--incident-started={began.isoformat()}")
    outcome = done.outcomes["requests"]

    assert outcome.value == pytest.approx(20 * 60 * 2, rel=0.1)
    assert outcome.normal.reference == pytest.approx(20 * 60 * 10, rel=0.1)
    assert (done.status, outcome.normal.normal) == (1, False)


def test_a_window_begins_its_stretch_only_when_the_number_is_normal(
    checkout: Checkout, server: AnsweringServer, queue
) -> None:
    """Below the alarm from its first sample on, and not recovered until the queue is as short as before."""
    queue(40)
    before = checkout.run("-m", "recovery")
    depths = iter([400] * 4)
    server.script["/numbers"] = lambda _: Answer({"queue": next(depths, 40)})

    done = checkout.run(
        "-m", "recovery", f"--baseline={before.folder}", "--stable-for=2s", "--interval=500ms", "--deadline=50s"
    )

    assert (done.status, done.word) == (0, "PASS")
    assert done.run.window is not None
    failed = next(span for span in done.run.window.timelines[0].spans if str(span.state) == "failed")
    assert "not normal: it was 40 jobs in the baseline" in failed.message
    assert done.outcomes["queue-depth"].normal.normal is True


NOW_AND_THEN = """
indicators:
  now-and-then:
    title: {en: Now and then, ko: 가끔}
    promql: "1 + 9 * max(floor(vector(time())) % 7 == bool 3) + 0 * max(up)"
    ok: "< 100"
    normal: {at_most: 2}
    markers: [recovery]
    next_step: {en: Look., ko: 확인한다.}
"""


def test_what_was_not_normal_between_two_samples_breaks_the_stretch(checkout: Checkout, history: str) -> None:
    """One second in seven is ten times the baseline: no stretch of ten seconds is as before, whenever one looks."""
    (checkout.root / "checks/demo/test_demo.py").unlink()
    checkout.checks(INDICATORS, PATH)
    checkout.profile(NOW_AND_THEN, targets=f"metrics: {{kind: prometheus, url: '{history}'}}")
    before = checkout.run("-m", "recovery")
    (outcome,) = before.run.outcomes
    at_one = outcome.model_copy(update={"value": 1.0}).model_dump(mode="json")
    baseline = changed(before, checkout.root / "before", outcomes=[at_one])

    done = checkout.run(
        "-m", "recovery", f"--baseline={baseline}", "--stable-for=10s", "--interval=5s", "--deadline=32s", "--lang=en"
    )

    assert before.status == 0
    assert (done.status, done.told["now-and-then"]) == (1, "failed: target wrong")
    assert "10, within its limits, not normal: it was 1 in the baseline" in done.outcomes["now-and-then"].message
