"""What every reference service promises: versions, ids, errors, credentials, metrics."""

import json

import pytest
from prometheus_client.parser import text_string_to_metric_families
from reference_service import Service


def total(service: Service, **labels: str) -> float:
    families = text_string_to_metric_families(service.anybody.get("/metrics").text)
    samples = [sample for family in families for sample in family.samples if sample.name == "http_requests_total"]
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


def test_all_health_endpoints_say_that_a_fresh_stack_is_well(service):
    """The base line: what a red check shows must come from a fault."""
    assert service.anybody.get("/health").json() == {"status": "healthy", "version": "1.0.0"}
    assert service.anybody.get("/health/live").json() == {"status": "alive"}
    ready = service.anybody.get("/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    detailed = service.anybody.get("/health/detailed")
    components = detailed.json()["components"]
    assert detailed.status_code == 200
    assert {component["status"] for component in components.values()} == {"healthy"}
    expected = {"database", "redis"} | ({"background_tasks"} if service.system == "evaluation" else set())
    assert set(components) == expected


def test_every_answer_names_the_version_and_the_request(service):
    """Release identity and tracing hang on these two headers."""
    answer = service.anybody.get("/version", headers={"X-Request-Id": "trace-me-1"})

    assert answer.json().keys() == {"version", "commit", "instance"}
    assert answer.headers["x-app-version"] == answer.json()["version"]
    assert answer.headers["x-request-id"] == "trace-me-1"


def test_a_request_can_be_found_in_the_log_by_its_id(service):
    """Without this the runbook's tracing by X-Request-Id is a wish."""
    service.anybody.get("/version", headers={"X-Request-Id": f"found-{service.system}"})

    (line,) = service.log_lines(request_id=f"found-{service.system}")
    assert (line["method"], line["path"], line["status"]) == ("GET", "/version", 200)


@pytest.mark.parametrize("offered", ["", "x" * 200, 'a"b', "a b"], ids=["empty", "long", "quote", "space"])
def test_a_request_id_that_is_not_sane_is_replaced(service, offered):
    """A caller's text must not become a line of our log as it is."""
    answer = service.anybody.get("/version", headers={"X-Request-Id": offered})

    assert len(answer.headers["x-request-id"]) == 32


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        pytest.param("GET", "/no/such/path", 404, "NOT_FOUND", id="unknown-path"),
        pytest.param("PATCH", "/health", 405, "METHOD_NOT_ALLOWED", id="wrong-method"),
        pytest.param("GET", "/api/v1/admin/summary", 401, "UNAUTHORIZED", id="no-credential"),
    ],
)
def test_every_error_has_the_same_body_and_its_log_line(service, method, path, status, code):
    """The runbook reads error_id, path and method from the log; the caller must be able to quote them."""
    answer = service.anybody.request(method, path)

    error = answer.json()["error"]
    assert answer.status_code == status
    assert (error["code"], error["path"], error["method"]) == (code, path, method)
    assert error["request_id"] == answer.headers["x-request-id"]
    (line,) = service.log_lines(error_id=error["error_id"])
    assert (line["code"], line["path"], line["method"], line["status"]) == (code, path, method, status)


@pytest.mark.parametrize(
    ("credential", "status"),
    [
        pytest.param(lambda s: {}, 401, id="none"),
        pytest.param(lambda s: {"X-API-Key": "wrong"}, 401, id="wrong-key"),
        pytest.param(lambda s: {"Authorization": "Bearer rubbish"}, 401, id="rubbish"),
        pytest.param(lambda s: {"Authorization": "Basic eDp5"}, 401, id="basic"),
        pytest.param(lambda s: s.bearer("admin", seconds=-5), 401, id="expired"),
        pytest.param(lambda s: s.bearer("admin", secret="x" * 40), 401, id="other-secret"),
        pytest.param(lambda s: s.bearer("owner"), 401, id="unknown-role"),
        pytest.param(lambda s: s.bearer("reader"), 403, id="reader"),
        pytest.param(lambda s: s.bearer("operator"), 403, id="operator"),
        pytest.param(lambda s: {"X-API-Key": s["API_KEY"]}, 403, id="api-key-is-operator"),
        pytest.param(lambda s: s.bearer("admin"), 200, id="admin"),
    ],
)
def test_only_an_admin_reads_the_admin_summary(service, credential, status):
    """401 and 403 must be told apart: an unknown caller and one who may not."""
    assert service.anybody.get("/api/v1/admin/summary", headers=credential(service)).status_code == status


def test_requests_are_counted_under_their_template(service):
    """A metric by raw path would grow without end; one that does not move is no metric."""
    path = "/api/v1/jobs/{job_id}" if service.system == "evaluation" else "/api/v1/items/{item_id}"
    before = total(service, path=path, status="404")

    service.http.get(path.replace("{job_id}", "nobody").replace("{item_id}", "nobody"))

    assert total(service, path=path, status="404") == before + 1


def test_no_secret_is_in_the_log(service):
    """Logs are copied into tickets."""
    service.http.get("/api/v1/admin/summary")
    text = json.dumps(service.log_lines())

    assert [name for name, value in service.stack.plan.secrets.items() if value in text] == []
