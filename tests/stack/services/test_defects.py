"""Every defect makes the running service misbehave in its own way, and is gone with the file."""

import json

import httpx
import pytest
from reference_service import eventually


def statuses(service, path, times):
    return [service.http.get(path).status_code for _ in range(times)]


@pytest.mark.parametrize(
    ("share", "expected"),
    [(1.0, [500] * 4), (0.5, [200, 500, 200, 500]), (0.25, [200, 200, 200, 500]), (0.0, [200] * 4)],
    ids=["all", "half", "quarter", "none"],
)
def test_a_share_of_the_answers_is_an_error(ingest, share, expected):
    """Counted and not random, so that a proof never depends on luck."""
    with ingest.defects(status=[{"path": "/api/v1/*", "status": 500, "share": share}], users_stay_away=True):
        found = statuses(ingest, "/api/v1/stats", 4)

    assert found == expected
    assert statuses(ingest, "/api/v1/stats", 2) == [200, 200]


def test_a_path_can_fail_only_while_many_ask(ingest):
    """Well while idle, and not under load: who looks once sees nothing."""
    with ingest.defects(loaded=[{"path": "/api/v1/stats", "above": 3}], users_stay_away=True):
        found = statuses(ingest, "/api/v1/stats", 5)

    assert found == [200, 200, 200, 503, 503]


@pytest.mark.parametrize("no_pre_ping", [False, True], ids=["pre-ping", "no-pre-ping"])
def test_a_connection_that_the_server_ended_is_met_only_without_pre_ping(ingest, no_pre_ping):
    """With pre-ping a restart of the database costs no request; without it each stale connection costs one."""
    mine = "SELECT pid FROM pg_stat_activity WHERE application_name = 'ingest-api'"
    ended = 0
    with ingest.defects(no_pre_ping=no_pre_ping, users_stay_away=True):
        found = set()
        for _ in range(5):
            pids = [pid for (pid,) in eventually(lambda: ingest.sql(mine))]
            ended += sum(ingest.sql(f"SELECT pg_terminate_backend({pid})")[0][0] for pid in pids)
            eventually(
                lambda pids=pids: not {pid for (pid,) in ingest.sql(mine)} & set(pids)
            )  # a signal takes a moment
            found |= set(statuses(ingest, "/api/v1/stats", 3))

    assert ended
    assert (503 in found) is no_pre_ping, found


def test_a_defect_of_one_path_leaves_the_others_alone(service):
    """A fault that turns unrelated checks red would prove nothing."""
    with service.defects(status=[{"path": "/version", "status": 503}]):
        assert service.http.get("/version").json()["error"]["code"] == "SERVICE_UNAVAILABLE"
        assert service.http.get("/health").status_code == 200


def test_a_body_defect_answers_with_its_own_text(service):
    """HTML where JSON was expected is what a wrong proxy rule looks like."""
    with service.defects(body=[{"path": "/version", "status": 200, "content_type": "text/html", "text": "<p>hi</p>"}]):
        answer = service.http.get("/version")

    assert (answer.text, answer.headers["content-type"].split(";")[0]) == ("<p>hi</p>", "text/html")


def test_a_body_defect_of_one_method_leaves_the_others_alone(ingest):
    """What reads is broken, what writes is not."""
    with ingest.defects(body=[{"path": "/version", "method": "GET", "text": "null"}]):
        assert ingest.http.get("/version").text == "null"
        assert ingest.http.post("/version").status_code == 405


def test_an_endless_answer_goes_on_until_the_caller_leaves(service):
    """The probe must be what ends it."""
    with (
        service.defects(endless=[{"path": "/version"}]),
        httpx.stream("GET", f"{service.url}/version", timeout=5) as answer,
    ):
        chunks = [chunk for chunk, _ in zip(answer.iter_raw(), range(5), strict=False)]

    assert answer.status_code == 200
    assert len(chunks) == 5


def test_a_redirect_loop_never_ends(service):
    """The probe must give up by itself."""
    with service.defects(redirect_loop=[{"path": "/version"}]), pytest.raises(httpx.TooManyRedirects):
        httpx.get(f"{service.url}/version", follow_redirects=True)


def test_a_slow_answer_is_late(service):
    """Seen in the service's own account of the request, not by our clock."""
    with service.defects(slow=[{"path": "/version", "seconds": 0.3}]):
        service.http.get("/version", headers={"X-Request-Id": f"slow-{service.system}"})

    (line,) = service.log_lines(request_id=f"slow-{service.system}")
    assert line["duration_ms"] >= 300


def test_log_defects_take_fields_out_of_the_log(service):
    """A log line without its id cannot be traced."""
    with service.defects(drop_log_fields=["error_id"], drop_log_request_id=True):
        service.http.get(f"/gone/{service.system}")

    (line,) = service.log_lines(path=f"/gone/{service.system}")
    assert "error_id" not in line
    assert "request_id" not in line


def test_log_lines_can_tell_something_else(service):
    """A line under the right id that tells of another path leads the search astray."""
    with service.defects(change_log_fields={"path": "/somewhere/else", "nothing": "x"}):
        service.http.get("/version", headers={"X-Request-Id": f"changed-{service.system}"})

    (line,) = service.log_lines(request_id=f"changed-{service.system}")
    assert (line["path"], line["method"], "nothing" in line) == ("/somewhere/else", "GET", False)


def test_a_request_that_brings_no_id_may_get_none(service):
    """An id that is sent still comes back, so only a request without one finds it."""
    with service.defects(no_own_request_id=True):
        given = service.http.get("/version").headers["x-request-id"]
        echoed = service.http.get("/version", headers={"X-Request-Id": "mine"}).headers["x-request-id"]

    assert (given, echoed) == ("", "mine")


def test_the_request_id_is_not_echoed(service):
    """Half of tracing is the echo."""
    with service.defects(no_request_id_echo=True):
        assert "x-request-id" not in service.http.get("/version").headers


def test_frozen_metrics_do_not_move(service):
    """A metrics page that is there and stands still is a trap."""
    with service.defects(freeze_metrics=True):
        first = service.http.get("/metrics").text
        service.http.get("/version")
        second = service.http.get("/metrics").text

    assert first == second
    assert service.http.get("/metrics").text != first


def test_a_metric_can_have_another_name(service):
    """A release that renames a metric takes it from every query."""
    with service.defects(rename_metrics={"http_requests_total": "http_request_total"}):
        renamed = service.http.get("/metrics").text

    assert "http_requests_total" not in renamed
    assert "\nhttp_request_total{" in renamed
    assert "\nhttp_requests_total{" in service.http.get("/metrics").text


def test_authentication_that_is_off_lets_everybody_in(service):
    """The defect that a check of the right key alone never finds."""
    with service.defects(auth_off=True):
        assert service.anybody.get("/api/v1/admin/summary").status_code == 200


def test_role_checks_that_are_off_let_a_reader_do_everything(service):
    """401 still works, so only a check of the wrong role finds it."""
    with service.defects(role_check_off=True):
        assert service.anybody.get("/api/v1/admin/summary").status_code == 401
        assert service.anybody.get("/api/v1/admin/summary", headers=service.bearer("reader")).status_code == 200


def test_signatures_that_are_not_verified_let_every_token_in(service):
    """No credential, garbage and the wrong role are still refused, so only a forged token finds it."""
    token = service.bearer("admin")["Authorization"]
    forged = {"Authorization": f"{token.rpartition('.')[0]}.{'A' * 43}"}
    path = "/api/v1/admin/summary"
    with service.defects(signature_unverified=True):
        found = [
            service.anybody.get(path, headers=headers).status_code
            for headers in ({}, {"Authorization": "Bearer garbage"}, service.bearer("reader"), forged)
        ]

    assert found == [401, 401, 403, 200]
    assert service.anybody.get(path, headers=forged).status_code == 401


def test_a_component_can_be_missing(evaluation):
    """Every component that is listed is healthy; the one that matters is not listed."""
    with evaluation.defects(drop_components=["background_tasks"]):
        detailed = evaluation.http.get("/health/detailed")

    assert detailed.status_code == 200
    assert set(detailed.json()["components"]) == {"database", "redis"}


def test_a_share_of_the_answers_has_another_version(service):
    """One replica that still runs the old release."""
    with service.defects(version="0.0.0-wrong", version_share=0.5, users_stay_away=True):
        answers = [service.http.get("/version") for _ in range(4)]

    assert [answer.json()["version"] for answer in answers] == ["1.0.0", "0.0.0-wrong"] * 2
    assert [answer.headers["x-app-version"] for answer in answers] == ["1.0.0", "0.0.0-wrong"] * 2


def test_the_rate_limit_can_be_off(ingest):
    """Requests over the limit are answered 200."""
    with ingest.defects(rate_limit_off=True):
        found = [
            ingest.anybody.get("/api/v1/limits", headers={"X-API-Key": ingest["PROBE_API_KEY"]}).status_code
            for _ in range(12)
        ]

    assert set(found) == {200}


def test_a_too_large_body_can_get_the_wrong_status(ingest):
    """Refused, but not as documented."""
    with ingest.defects(payload_status=400):
        body = ingest.http.post("/api/v1/items", content=b"x" * 65537)
        items = [{"tenant": "t", "key": str(number), "payload": {}} for number in range(101)]
        batch = ingest.http.post("/api/v1/items/batch", json={"items": items})

    assert (body.status_code, batch.status_code) == (400, 400)


def test_a_defects_file_that_is_not_understood_changes_nothing_and_is_reported(service):
    """A misspelt defect must not pass for a fault in force."""
    with service.defects(slwo=[]):
        assert service.http.get("/version").status_code == 200

    assert [line for line in service.log_lines(level="error") if "slwo" in json.dumps(line)]
