"""Indicators of a profile as checks: id, markers, priority, channels, language; and what is no number."""

import json
import os

import pytest
from answering import Answer, AnsweringServer
from checkout import Checkout, together

from opsproof.judge.outcome import Cause, Status

CHECK = """
@each(indicator="indicators")
async def test_indicator(indicator, reader):
    judgement = await reader.judge(indicator)

    assert judgement.state == "well", judgement.words
"""
QUEUE = """
policy: {channels: {P1: ["#ops-alerts", PagerDuty]}}
indicators:
  queue-depth:
    title: {en: Queue depth, ko: 큐 깊이}
    http: {path: /numbers, field: queue}
    unit: jobs
    ok: "< 1000"
    p1: "> 5000"
    runbook: [SB-007]
    markers: [smoke, recovery]
    next_step: {en: Add workers., ko: 워커를 늘린다.}
"""
PATH = "checks/indicators/test_indicators.py"


@pytest.fixture
def numbers(checkout: Checkout, server: AnsweringServer):
    """Set what /numbers answers; the checkout has the check of indicators."""
    checkout.checks(CHECK, PATH)
    checkout.profile(QUEUE)

    def answer(**values: object) -> None:
        server.script["/numbers"] = Answer(body=json.dumps(values).encode())

    return answer


def test_an_indicator_is_a_check_with_a_readable_id(checkout: Checkout, numbers) -> None:
    """Rows, markers, title and next step are the profile's."""
    numbers(queue=5001)

    done = checkout.run("-m", "smoke", "--lang=en")

    (outcome,) = done.run.outcomes
    assert (outcome.check, outcome.name) == ("indicators.queue-depth[demo/local]", "indicators.queue-depth")
    assert (outcome.title, outcome.runbook, outcome.markers) == ("Queue depth", ("SB-007",), ("recovery", "smoke"))
    assert (outcome.priority, outcome.severity, outcome.value, outcome.unit) == ("P1", "SEV-2", 5001, "jobs")
    assert "FAILED SEV-2 P1  indicators.queue-depth[demo/local]" in done.block
    assert "Queue depth: 5,001 jobs, which is P1 (> 5000; well is < 1000)" in done.block
    assert "Add workers." in done.block
    assert "#ops-alerts, PagerDuty" in done.block
    assert (done.status, done.word, done.agrees()) == (1, "FAIL", True)


def test_it_speaks_the_operators_language(checkout: Checkout, numbers) -> None:
    """Title and next step are told in Korean where the operator is."""
    numbers(queue=5001)

    done = checkout.run("--lang=ko", "-m", "smoke")

    assert done.run.outcomes[0].title == "큐 깊이"
    assert "워커를 늘린다." in done.block
    assert "알릴 곳" in done.block
    assert "대상 이상: 큐 깊이: 5,001 jobs, P1에 해당 (> 5000; 정상은 < 1000)" in done.block


def test_a_check_is_as_urgent_as_its_severity_where_the_runbook_acts_by_priorities(
    checkout: Checkout, server: AnsweringServer, numbers
) -> None:
    """Who is paged for a number is paged for a service that is down, too; rows of other runbooks are not its own."""
    numbers(queue=5)
    checkout.checks("""
        @runbook("SB-007", "EVAL-001", severity="SEV-2", next_step="Restart it.")
        async def test_it_is_well(api):
            assert (await api.get("/numbers")).field("queue") == 6, "it is not well"
    """)
    checkout.write("checks/runbooks/demo.csv", "id,statement\nSB-007,It is well.\n")

    (outcome,) = (o for o in checkout.run("--lang=en").run.outcomes if o.name == "demo.it_is_well")

    assert (outcome.priority, outcome.channels, outcome.runbook) == ("P1", ("#ops-alerts", "PagerDuty"), ("SB-007",))


def test_between_well_and_bad_warns_a_round_and_holds_up_a_recovery(checkout: Checkout, numbers) -> None:
    """Below the alarm is not recovered."""
    numbers(queue=1500)

    done = together(
        {
            "round": lambda: checkout.run("-m", "smoke", f"--reports={checkout.root}/round", reports=False),
            "recovery": lambda: checkout.run("-m", "recovery", f"--reports={checkout.root}/recovery", reports=False),
        }
    )

    assert (done["round"].status, done["recovery"].status) == (6, 1)
    words = {name: " ".join(run.text.split()) for name, run in done.items()}
    assert "neither well (< 1000) nor bad" in words["round"]
    assert "not recovered yet" in words["recovery"]


def test_what_is_well_passes_and_a_marker_that_it_does_not_have_leaves_it_out(checkout: Checkout, numbers) -> None:
    """`-m daily` is another round."""
    numbers(queue=10)

    done = together(
        {
            "smoke": lambda: checkout.run("-m", "smoke", f"--reports={checkout.root}/smoke", reports=False),
            "daily": lambda: checkout.run("-m", "daily", f"--reports={checkout.root}/daily", reports=False),
        }
    )

    assert done["smoke"].status == 0
    assert done["daily"].status == 5


@pytest.mark.parametrize(
    ("answer", "told", "words"),
    [
        pytest.param(Answer({"queue": None}), "unknown: no data", "queue is null", id="null"),
        pytest.param(Answer({}), "unknown: no data", "without the field queue", id="no-field"),
        pytest.param(Answer({"queue": "many"}), "unknown: bad answer", "'many' where a number", id="text"),
        pytest.param(Answer(body=b'{"queue": NaN}'), "unknown: no data", "nan is no number", id="nan"),
        pytest.param(Answer(body=b'{"queue": Infinity}'), "unknown: no data", "inf is no number", id="infinite"),
        pytest.param(Answer({}, status=503), "unknown: bad answer", "503", id="error"),
        pytest.param(Answer(body=b"<html>"), "unknown: bad answer", "where JSON was expected", id="page"),
    ],
)
def test_what_is_no_number_is_unknown_in_words_of_its_own(
    checkout: Checkout, server: AnsweringServer, numbers, answer: Answer, told: str, words: str
) -> None:
    """No data is not a pass, and not a zero."""
    server.script["/numbers"] = answer

    done = checkout.run("-m", "smoke")

    assert (done.status, done.told["queue-depth"]) == (6, told)
    assert words in done.run.outcomes[0].message


def test_emptiness_counts_only_where_the_indicator_says_so(
    checkout: Checkout, server: AnsweringServer, numbers
) -> None:
    """`empty: 0` is the profile's decision, not ours."""
    checkout.profile(QUEUE.replace("unit: jobs", "unit: jobs\n    empty: 0"))
    server.script["/numbers"] = Answer({})

    done = checkout.run("-m", "smoke")

    assert done.told["queue-depth"] == "passed"
    assert done.run.outcomes[0].value == 0


def test_a_number_of_a_host_is_judged_like_any_other(checkout: Checkout, numbers) -> None:
    """A backup that nobody wrote for an hour is found by its file; where there is no file nothing is known."""
    dump = checkout.root / "dump"
    declared = f"""
indicators:
  dump-age:
    title: {{en: Age of the dump, ko: 백업 파일의 나이}}
    host: {{file_age: {dump}}}
    unit: s
    ok: "< 1 h"
    p1: ">= 1 h"
    markers: [smoke]
    next_step: {{en: Run the dump., ko: 덤프를 실행한다.}}
"""
    checkout.profile(declared, targets='host: {kind: host, url: "local://"}')

    missing = checkout.run("-m", "smoke").run.outcomes[0]
    dump.touch()
    fresh = checkout.run("-m", "smoke").run.outcomes[0]
    os.utime(dump, (0, 0))
    old = checkout.run("-m", "smoke").run.outcomes[0]

    assert (missing.status, missing.cause, fresh.status) == (Status.UNKNOWN, Cause.NO_DATA, Status.PASSED)
    assert (old.status, old.priority) == (Status.FAILED, "P1")
    assert "P1 (>= 1 h" in old.message


def test_an_indicator_without_a_limit_is_unknown(checkout: Checkout, numbers) -> None:
    """The runbook gives no number; a limit that nobody set must not pass."""
    checkout.profile(QUEUE.replace('    ok: "< 1000"\n    p1: "> 5000"\n', ""))
    numbers(queue=10)

    done = checkout.run("-m", "smoke")

    assert done.told["queue-depth"] == "unknown: precondition missing"
    assert "there is no limit for it; it is 10" in done.block
    assert "Give it a limit in the profile" in done.block


def test_a_target_that_is_absent_skips_with_its_reason(checkout: Checkout, numbers) -> None:
    """Absent on purpose is told; it does not fail and does not pass."""
    targets = 'alerts: {kind: alertmanager, url: "http://127.0.0.1:9", absent: no Alertmanager on this machine}'
    firing = QUEUE.replace("http: {path: /numbers, field: queue}", "alerts: {match: {priority: P0}}")
    checkout.profile(firing, targets=targets)

    done = checkout.run("-m", "smoke")

    assert done.told["queue-depth"] == "skipped: does not apply"
    assert done.run.outcomes[0].message == "demo/local has no alerts: no Alertmanager on this machine"


def test_a_replay_judges_by_todays_limits(checkout: Checkout, server: AnsweringServer, numbers) -> None:
    """The limit was wrong, the evidence is not."""
    numbers(queue=5001)
    before = checkout.run("-m", "smoke")
    asked = len(server.requests)
    checkout.profile(QUEUE.replace("> 5000", "> 9000").replace("< 1000", "< 9000"))

    done = checkout.run("-m", "smoke", f"--replay={before.folder}")

    assert (done.status, done.told["queue-depth"]) == (0, "passed")
    assert len(server.requests) == asked


def test_waivers_and_signs_may_name_indicators(checkout: Checkout, numbers) -> None:
    """By the id that the operator reads; a wrong one is refused before anything is asked."""
    numbers(queue=5001)
    waived = QUEUE.replace(
        "policy: {",
        "policy: {waivers: [{check: indicators.queue-depth, owner: me, reason: known, until: 2999-01-01}], ",
    )
    scenario = """
    scenarios:
      flood:
        title: {en: A flood of jobs, ko: 작업 폭주}
        runbook: [SB-100]
        signs: [{check: NAME}]
        next_steps: [{en: Stop the flood., ko: 폭주를 막는다.}]
    """
    checkout.profile(waived + scenario.replace("\n    ", "\n").replace("NAME", "indicators.queue-depth"))
    good = checkout.run("-m", "smoke")
    checkout.profile(QUEUE + scenario.replace("\n    ", "\n").replace("NAME", "demo.no_such_check"))
    wrong = checkout.run("-m", "smoke")

    assert good.told["queue-depth"] == "waived: target wrong"
    assert wrong.status == 4
    assert "a sign names the check 'demo.no_such_check'" in wrong.text
