"""The ops assistant: answers with traces, judged against baselines, over tools with limits."""

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from psycopg.errors import ReadOnlySqlTransaction
from reference_service import Service, eventually

from opsproof.stack import Stack
from opsproof.stack.faults.metrics_seen import numbers, total
from opsproof.stack.services.ops_assistant import assistant as looking_after
from opsproof.stack.services.ops_assistant.assistant import Assistant

QUERIES = ("total-cost", "service-count", "dependency-count", "open-events", "transactions")


@pytest.fixture(scope="module")
def assistant() -> Iterator[Service]:
    with Stack.start(["ops-assistant"]) as running:
        yield Service(running, "ops-assistant")


@pytest.fixture(autouse=True)
def well(assistant):
    """Every test leaves the newest traces as it found them."""
    yield
    for query in QUERIES:
        assert ask(assistant, query)["status"] == "ok"


def ask(assistant, query, status=200):
    answer = assistant.http.post("/api/ops/ask", json={"query": query})
    assert answer.status_code == status, answer.text
    return answer.json()


def result(assistant, query):
    """The verdict on the newest trace of a query."""
    results = assistant.http.get("/api/ops/regression").json()["results"]
    return next(one for one in results if one["query"] == query)


def rules(assistant, query):
    """The rules that fire on the newest trace of a query."""
    return {one["rule"] for one in assistant.http.get("/api/ops/rca").json()["fired"] if one["query"] == query}


@pytest.mark.parametrize(
    ("query", "value", "rows"),
    [
        pytest.param("total-cost", 100_000, 200, id="total-cost"),
        pytest.param("service-count", 50, 50, id="service-count"),
        pytest.param("dependency-count", 10, 10, id="dependency-count"),
        pytest.param("open-events", 40, 40, id="open-events"),
        pytest.param("transactions", 20, 20, id="transactions-from-outside"),
    ],
)
def test_an_answer_agrees_with_the_data_and_passes(assistant, query, value, rows):
    """The base line: these are the numbers of the runbook's examples."""
    trace = ask(assistant, query)

    assert (trace["answer"]["value"], trace["references"][0]["row_count"]) == (value, rows)
    assert [call["error"] for call in trace["tool_calls"]] == [None, None]
    assert (result(assistant, query)["verdict"], rules(assistant, query)) == ("PASS", set())


def test_the_trace_of_an_answer_is_kept_and_found(assistant):
    """Inspector begins at the history and ends in the tool calls."""
    trace = ask(assistant, "total-cost")

    kept = assistant.http.get(f"/api/ops/traces/{trace['id']}").json()
    assert kept == trace
    assert kept["context"]["current_user"]["roles"] == ["operator"]
    assert trace["id"] in [one["id"] for one in assistant.http.get("/api/ops/history?limit=20").json()["history"]]
    assert assistant.http.get("/api/ops/traces/nothing").status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param({"query": "no-such-query"}, 404, id="unknown-query"),
        pytest.param({"query": ""}, 422, id="empty"),
        pytest.param([], 422, id="list"),
    ],
)
def test_what_is_no_question_is_refused(assistant, body, status):
    """A trace of nothing would become somebody's baseline."""
    assert assistant.http.post("/api/ops/ask", json=body).status_code == status


def test_a_wrong_plan_fails_with_the_rules_that_say_so(assistant):
    """Scenario 1: 1000 instead of 100,000, by another plan and tool path."""
    with assistant.defects(assistant={"wrong_answer": True}):
        trace = ask(assistant, "total-cost")
        verdict, fired = result(assistant, "total-cost"), rules(assistant, "total-cost")

    assert trace["answer"]["value"] == 1000
    assert (verdict["verdict"], fired) == ("FAIL", {"Plan Intent Shift", "Tool Path Changes"})
    assert "list_costs" in verdict["verdict_reason"]


@pytest.mark.parametrize(
    ("defect", "kind", "status", "attempts", "answered"),
    [
        pytest.param({"seconds": 3}, "timeout", None, 1, 200, id="slow-is-not-tried-again"),
        pytest.param({"status": 502}, "http_5xx", 502, 3, 200, id="5xx-is-tried-three-times"),
        pytest.param({"status": 403}, "denied", 403, 1, 403, id="denied-is-told-as-403"),
        pytest.param({"remaining": 0}, "other", 429, 1, 200, id="quota"),
    ],
)
def test_a_tool_that_fails_outside_is_told_in_the_trace(assistant, defect, kind, status, attempts, answered):
    """Scenarios 3 to 5 are told apart by the type and status of the tool's error."""
    before = total(numbers(assistant.stack, "ops-assistant"), "ops_tool_errors_total", type=kind)

    with assistant.defects(assistant={"external": defect}):
        call = ask(assistant, "transactions", answered)["tool_calls"][0]
        verdict = result(assistant, "transactions")

    assert (call["error"]["type"], call["error"]["status"], call["attempts"]) == (kind, status, attempts)
    assert verdict["verdict"] == "FAIL"
    assert verdict["error"] == call["error"]["message"]
    assert total(numbers(assistant.stack, "ops-assistant"), "ops_tool_errors_total", type=kind) > before
    assert kind != "timeout" or "timeout" in call["error"]["message"]
    assert "key" not in str(call["error"]["request"] or "").lower()


def test_rows_that_a_failed_tool_did_not_bring_are_no_loss_of_data(assistant):
    """row_count 0 with an error is another scenario than No data."""
    with assistant.defects(assistant={"external": {"status": 500}}):
        ask(assistant, "transactions")
        regression = assistant.http.get("/api/ops/regression").json()

    assert (regression["verdict"], regression["lowest_row_ratio"]) == ("FAIL", 1.0)


def test_rows_that_are_lost_fail_against_the_baseline(assistant):
    """Scenario 2: 85 % fewer rows are red, however "80% 이하 감소" is read."""
    assistant.sql("CREATE TABLE kept AS SELECT * FROM events")
    assistant.sql("DELETE FROM events WHERE status = 'open' AND id > 6")
    try:
        ask(assistant, "open-events")
        verdict = result(assistant, "open-events")
    finally:
        assistant.sql("INSERT INTO events SELECT * FROM kept ON CONFLICT DO NOTHING")
        assistant.sql("DROP TABLE kept")

    assert (verdict["verdict"], verdict["row_ratio"]) == ("FAIL", 0.15)


def test_a_page_of_data_comes_from_the_cache_the_second_time(assistant):
    """The hit rate is made of this; the key expires as the setting says."""
    path = "/api/ops/data/cost_list?limit=7&offset=3"
    before = numbers(assistant.stack, "ops-assistant")

    first, second = (assistant.http.get(path).json() for _ in range(2))

    after = numbers(assistant.stack, "ops-assistant")
    assert first == second
    assert (first["row_count"], first["next"]) == (7, "/api/ops/data/cost_list?limit=7&offset=10")
    for kind in ("hit", "miss"):
        name, labels = "ops_cache_requests_total", {"result": kind}
        assert total(after, name, **labels) >= total(before, name, **labels) + 1
    assert assistant.http.get("/api/ops/data/no_such_asset").status_code == 404


def test_health_tells_the_pool_and_its_overflow_with_http_200(assistant):
    """The runbook's example: 25 in use, 20 the size; a look at the status code alone would pass."""
    sound = assistant.anybody.get("/health").json()["database"]
    with assistant.defects(hold_overflow=5):
        look = lambda: assistant.anybody.get("/health")  # noqa: E731
        full = eventually(lambda: (a := look()).json()["database"]["active_connections"] >= 25 and a)
        sessions = assistant.sql("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'")

    assert (sound["status"], sound["pool_size"], sound["overflow"]) == ("OK", 20, 0)
    assert full.status_code == 200
    assert full.json()["database"]["status"] == "⚠️ degraded"
    assert full.json()["database"]["overflow"] >= 5
    assert sessions[0][0] >= 25
    assert eventually(lambda: assistant.anybody.get("/health").json()["database"]["status"] == "OK")


def test_memory_is_really_filled_and_given_back(assistant):
    """A share that was only said would prove nothing about what reads it."""

    def share():
        return assistant.http.get("/api/ops/resources").json()["memory_share"]

    before = share()
    with assistant.defects(assistant={"fill_memory_share": 0.93}):
        assert eventually(lambda: share() >= 0.93)
    assert before < 0.6
    assert eventually(lambda: share() < 0.6)


def test_memory_leaks_and_is_given_back(assistant):
    """The slope of 24 hours is read from what the process really has."""

    def used():
        return assistant.http.get("/api/ops/resources").json()["memory_bytes"]

    before = used()
    with assistant.defects(assistant={"leaks_memory": True}):
        assert eventually(lambda: used() > before + 4 * 1024**2)
    assert eventually(lambda: used() < before + 4 * 1024**2)


def test_a_memory_error_is_a_500_and_in_the_log(assistant):
    """Scenario 8 is recognised by the word in the log."""
    with assistant.defects(assistant={"memory_errors": True}):
        answer = assistant.http.get("/api/ops/data/cost_list")

    assert answer.status_code == 500
    assert any("MemoryError" in line.get("traceback", "") for line in assistant.log_lines(level="error"))


@pytest.mark.parametrize("path", ["/admin/observability", "/admin/settings", "/ops"])
def test_a_page_wants_a_login(assistant, path):
    """The pages tell more than outsiders should know."""
    assert assistant.anybody.get(path).status_code == 401
    assert assistant.anybody.get(path, headers=assistant.bearer("admin")).status_code == 200


def test_users_ask_every_golden_query(assistant):
    """Without them there is no newest trace to judge, and no share of errors."""

    def asked():
        lines = assistant.http.get("/api/ops/history?limit=200").json()["history"]
        return {line["query"] for line in lines} >= set(QUERIES) and total(
            numbers(assistant.stack, "ops-assistant"), "http_requests_total", path="/api/ops/data/{asset}"
        )

    assert eventually(asked)


def test_housekeeping_outlives_a_database_that_takes_no_writes(monkeypatch):
    """It ended for good within a minute of read-only, and the service stayed unhealthy when that was long over."""
    monkeypatch.setattr(looking_after, "_ROUNDS_BETWEEN_CLEANINGS", 1)
    monkeypatch.setattr(looking_after, "_PAUSE_SECONDS", 0.0)
    refused = []

    async def query(statement):
        refused.append(statement)
        raise ReadOnlySqlTransaction("cannot execute DELETE in a read-only transaction")

    defects = SimpleNamespace(assistant=SimpleNamespace(fill_memory_share=0, leaks_memory=False))
    services = SimpleNamespace(defects=SimpleNamespace(current=lambda: defects), database=SimpleNamespace(query=query))
    stub = SimpleNamespace(_services=services, _fill=lambda share: None, _leak=lambda leaks: None)

    async def look_after():
        with pytest.raises(TimeoutError):  # it goes on until it is ended
            await asyncio.wait_for(Assistant._look_after(stub), 0.2)

    asyncio.run(look_after())
    assert len(refused) > 1
