"""The decision engine: judgments in three modes, workflows, charts, the bot, feedback, and what its model costs."""

import uuid
from collections.abc import Iterator

import pytest
from reference_service import Service, eventually

from opsproof.stack import Stack
from opsproof.stack.faults.metrics_seen import numbers, total

EXECUTIONS = "/api/v1/judgment/executions"


@pytest.fixture(scope="module")
def factory() -> Iterator[Service]:
    with Stack.start(["factory-ai"]) as running:
        yield Service(running, "factory-ai")


@pytest.fixture(autouse=True)
def well(factory):
    """Every test leaves both circuit breakers closed."""
    yield
    assert eventually(lambda: counted(factory, "circuit_breaker_state", state="OPEN") == 0)


def judge(factory, workflow_id="line-quality", *, status=201, cache=False, **asked):
    body = {"workflow_id": workflow_id, "input": {"temperature": 95}, "use_cache": cache, **asked}
    answer = factory.http.post(EXECUTIONS, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def run(factory, workflow_id, **given):
    created = factory.http.post("/api/v1/workflows", json={"workflow_id": workflow_id, "input": given})
    assert (created.status_code, created.json()["status"]) == (202, "PENDING")
    path = f"/api/v1/workflows/{created.json()['instance_id']}"
    ended = eventually(lambda: (found := factory.http.get(path).json())["status"] in ("COMPLETED", "FAILED") and found)
    assert factory.http.delete(path).status_code == 204
    return ended


def counted(factory, name, **labels):
    return total(numbers(factory.stack, "factory-ai"), name, **labels)


@pytest.mark.parametrize(
    ("method", "decided_by"), [("RULE_ONLY", "RULE"), ("LLM_ONLY", "LLM"), ("HYBRID", "HYBRID")], ids=str
)
def test_a_judgment_in_each_mode_is_made_and_stored(factory, method, decided_by):
    """The smoke test of the runbook asks for the three."""
    made = judge(factory, method=method)
    path = f"{EXECUTIONS}/{made['execution_id']}"

    assert (made["method"], made["decided_by"], made["result"]) == (method, decided_by, "STOP")
    assert (made["ruleset_version"], made["cached"], made["fallback"]) == ("v1.4.0", False, False)
    assert 0 < made["confidence"] <= 1
    assert factory.http.get(path).json()["decided_by"] == decided_by
    assert factory.http.delete(path).status_code == 204
    assert factory.http.get(path).status_code == 404


@pytest.mark.parametrize(
    ("workflow", "decided_by"),
    [("line-quality", "RULE"), ("defect-vision", "LLM"), ("press-maintenance", "HYBRID"), ("safety-stop", "LLM")],
    ids=["rule-only", "llm-only", "hybrid", "rule-fallback"],
)
def test_the_workflows_policy_decides_where_no_method_is_asked_for(factory, workflow, decided_by):
    """Playbook 4.2 changes the policy of workflows, not what callers ask for."""
    assert judge(factory, workflow)["decided_by"] == decided_by


@pytest.mark.parametrize(
    ("readings", "result"),
    [
        pytest.param({"temperature": 69.9}, "NORMAL", id="below"),
        pytest.param({"temperature": 70}, "WARNING", id="warn"),
        pytest.param({"temperature": 20, "vibration": 7.1}, "STOP", id="worst-of-two"),
        pytest.param({"noise": 1000}, "NORMAL", id="unknown-reading"),
    ],
)
def test_rules_judge_by_the_worst_reading(factory, readings, result):
    """What a simulation compares must depend on the rules."""
    assert judge(factory, method="RULE_ONLY", input=readings)["result"] == result


def test_the_second_time_a_judgment_comes_from_the_cache(factory):
    """After a recovery the first request is a miss (5.2, phase 5), and the next one is none."""
    readings = {"temperature": int(uuid.uuid4()) % 10_000}

    first, second = (judge(factory, cache=True, input=readings) for _ in range(2))

    assert (first["cached"], second["cached"]) == (False, True)
    assert first["result"] == second["result"]


def test_rules_stand_in_for_the_model_only_where_the_policy_lets_them(factory):
    """Playbook 4.2: RULE_FALLBACK keeps judgments coming while the model is down."""
    with factory.defects(factory={"llm_failure_share": 1}):
        fallback, hybrid = judge(factory, "safety-stop"), judge(factory, "press-maintenance")
        refused = judge(factory, "defect-vision", status=503)

    assert [(made["decided_by"], made["fallback"]) for made in (fallback, hybrid)] == [("RULE", True)] * 2
    assert refused["error"]["code"] == "LLM_UNAVAILABLE"
    assert eventually(lambda: judge(factory, "safety-stop")["decided_by"] == "LLM")


def test_a_failing_model_opens_its_circuit_breaker_and_a_sound_one_closes_it(factory):
    """The breaker must be seen in its metric, and must not stay open for ever."""
    with factory.defects(factory={"llm_failure_share": 1}):
        for _ in range(2):
            judge(factory, "defect-vision", status=503)
        opened = counted(factory, "circuit_breaker_state", service="llm", state="OPEN")
        calls = counted(factory, "llm_calls_total")
        judge(factory, "defect-vision", status=503)
        more = counted(factory, "llm_calls_total") - calls

    assert opened == 1
    assert more <= 1
    assert eventually(lambda: counted(factory, "circuit_breaker_state", service="llm", state="CLOSED") == 1)


def test_calls_of_the_model_are_counted_by_how_they_end(factory):
    """The limits of the runbook are shares of these counters."""
    names = ("llm_calls_total", "llm_call_failures_total", "llm_parsing_failures_total", "llm_cost_usd_total")
    before = {name: counted(factory, name) for name in names}

    with factory.defects(factory={"llm_nonsense_share": 0.5}):
        for _ in range(4):
            judge(factory, "defect-vision")
    after = {name: counted(factory, name) - before[name] for name in names}

    assert after["llm_calls_total"] >= 7
    assert after["llm_parsing_failures_total"] >= 3
    assert after["llm_call_failures_total"] == 0
    assert after["llm_cost_usd_total"] == pytest.approx(after["llm_calls_total"] * 0.01, abs=0.05)


@pytest.mark.parametrize(
    ("workflow", "steps"),
    [("notification", ["collect", "judge"]), ("rca", ["collect", "judge", "analyse", "notify"])],
    ids=["simple", "complex"],
)
def test_a_workflow_is_run_to_its_end(factory, workflow, steps):
    """The smoke test of the runbook asks for a simple and a complex one."""
    ended = run(factory, workflow)

    assert (ended["status"], ended["steps"]) == ("COMPLETED", steps)


def test_a_workflow_that_fails_says_at_which_step(factory):
    """What the daily round counts as DLQ must be of use to whoever reads it."""
    ended = run(factory, "rca", fail_at="analyse")

    assert (ended["status"], ended["steps"]) == ("FAILED", ["collect", "judge"])
    assert ended["error_message"] == "the step analyse failed"


def test_a_stuck_workflow_ends_once_the_defect_is_gone(factory):
    """Meanwhile its health says that all is well: the trap that the check must see."""
    with factory.defects(factory={"workflows_stuck": True}):
        created = factory.http.post("/api/v1/workflows", json={"workflow_id": "notification"}).json()
        path = f"/api/v1/workflows/{created['instance_id']}"
        healthy = factory.ready()
        status = factory.http.get(path).json()["status"]

    assert healthy
    assert status in ("PENDING", "RUNNING")
    assert eventually(lambda: factory.http.get(path).json()["status"] == "COMPLETED")
    factory.http.delete(path)


@pytest.mark.parametrize(("question", "x"), [("오늘 판정 결과", "result"), ("workflows of today", "status")], ids=str)
def test_a_question_becomes_a_chart_with_data(factory, question, x):
    """In both languages of its users."""
    found = factory.http.get("/api/v1/bi/query", params={"question": question}).json()

    assert found["chart"] == {"type": "bar", "x": x, "y": found["chart"]["y"]}
    assert all(row[x] and row[found["chart"]["y"]] > 0 for row in found["rows"])
    assert found["rows"]


def test_a_hub_that_hangs_is_counted_and_opens_its_breaker(factory):
    """MCP time-outs and the breaker are two lines of the daily round."""
    with factory.defects(factory={"mcp_hangs": True}):
        answers = [factory.http.get("/api/v1/bi/query", params={"question": "defects"}) for _ in range(6)]
        opened = counted(factory, "circuit_breaker_state", service="mcp", state="OPEN")

    assert {answer.status_code for answer in answers} == {503}
    assert opened == 1
    assert counted(factory, "mcp_call_timeouts_total") >= 5


@pytest.mark.parametrize(
    ("text", "intent"),
    [("3번 라인 상태 알려줘", "machine_status"), ("stop line 2", "line_stop"), ("hello", "unknown")],
    ids=["korean", "english", "unknown"],
)
def test_the_bot_replies_and_keeps_what_it_understood(factory, text, intent):
    """Section 6.1 learns from intent_logs."""
    reply = factory.http.post("/api/v1/chat/messages", json={"text": text}).json()

    assert (reply["intent"], bool(reply["reply"])) == (intent, True)
    rows = factory.sql("SELECT utterance, confidence FROM intent_logs WHERE id = %s", reply["message_id"])
    assert rows == [(text, reply["confidence"])]
    assert factory.http.delete(f"/api/v1/chat/messages/{reply['message_id']}").status_code == 204


def test_feedback_joins_its_judgment(factory):
    """The query of playbook 4.4 joins the two."""
    made = judge(factory)
    given = factory.http.post(
        "/api/v1/feedback", json={"execution_id": made["execution_id"], "value": "thumbs_down", "comment": "wrong"}
    )

    rows = factory.sql(
        "SELECT result, feedback_value, comment FROM feedbacks f JOIN judgment_executions j ON f.execution_id = j.id"
        " WHERE f.id = %s",
        given.json()["feedback_id"],
    )
    assert rows == [("STOP", "thumbs_down", "wrong")]
    assert factory.http.delete(f"/api/v1/feedback/{given.json()['feedback_id']}").status_code == 204


def test_a_simulation_judges_with_the_version_that_it_names_and_stores_nothing(factory):
    """Playbook 4.4 decides on a rollback by this."""
    path = "/api/v1/judgment/simulate"
    asked = {"execution_id": "jud-456", "override_versions": {"ruleset": "v1.3.0"}}

    found = factory.http.post(path, json=asked).json()

    assert [found[which]["ruleset_version"] for which in ("original", "simulated")] == ["v1.4.0", "v1.3.0"]
    assert (found["original"]["result"], found["simulated"]["result"], found["changed"]) == ("NORMAL", "WARNING", True)
    assert factory.sql("SELECT count(*) FROM judgment_executions WHERE ruleset_version = 'v1.3.0'") == [(0,)]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(
            b'{"execution_id": "jud-456", "override_versions": {"ruleset": "v1.3.0"  # old\n}}', 400, id="comment"
        ),
        pytest.param(b'{"execution_id": "jud-456", "override_versions": {"ruleset": "v9"}}', 422, id="no-such-version"),
        pytest.param(b'{"execution_id": "jud-0", "override_versions": {"ruleset": "v1.3.0"}}', 404, id="no-execution"),
        pytest.param(b'{"execution_id": "jud-456"}', 422, id="no-version"),
    ],
)
def test_a_simulation_that_cannot_be_made_is_the_callers_error(factory, body, status):
    """The runbook's own example has a comment in its JSON."""
    assert factory.http.post("/api/v1/judgment/simulate", content=body).status_code == status


def test_a_rule_deployment_is_rolled_back_once(factory):
    """The step of playbook 4.4; without a credential it must not be possible."""
    body = {"deployment_id": "deploy-123"}
    refused = factory.anybody.post("/api/v1/learning/rollback", json=body)

    try:
        done = factory.http.post("/api/v1/learning/rollback", json=body)
        again = factory.http.post("/api/v1/learning/rollback", json=body)
        active = judge(factory)["ruleset_version"]
        occurred = factory.http.get("/api/v1/learning/deployments").json()["deployments"][0]["rollback_occurred"]
    finally:
        factory.sql("UPDATE rulesets SET active = false")
        factory.sql("UPDATE rulesets SET active = true WHERE version = 'v1.4.0'")
        factory.sql("UPDATE rule_deployments SET rollback_occurred = false, status = 'DEPLOYED'")
        factory.sql("DELETE FROM judgment_executions WHERE ruleset_version = 'v1.3.0'")

    assert (refused.status_code, done.status_code, again.status_code) == (401, 200, 404)
    assert (active, occurred) == ("v1.3.0", True)


def test_the_stack_starts_with_what_the_rounds_ask_for(factory):
    """Shares of the last hour and day must be defined, and the next three months must have their partitions."""
    (down, feedback), (judged,), (completed,) = (
        factory.sql(statement)[0]
        for statement in (
            "SELECT count(*) FILTER (WHERE feedback_value = 'thumbs_down'), count(*) FROM feedbacks",
            "SELECT count(*) FROM judgment_executions WHERE executed_at >= now() - interval '1 hour'",
            "SELECT count(*) FROM workflow_instances WHERE status = 'COMPLETED'",
        )
    )
    partitions = factory.sql(
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'core' AND tablename LIKE 'judgment\\_executions\\_y%%'"
    )

    assert 0 < down < feedback / 10
    assert judged >= 100
    assert completed >= 100
    assert partitions == [(5,)]
