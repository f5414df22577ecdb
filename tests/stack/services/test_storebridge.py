"""The storebridge service: registrations that are worked off, within quotas, with what failed waiting for a person."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from redis import Redis
from reference_service import Service, eventually

from opsproof.stack import Stack
from opsproof.stack.faults.metrics_seen import numbers, total


@pytest.fixture(scope="module")
def bridge() -> Iterator[Service]:
    with Stack.start(["storebridge"]) as running:
        yield Service(running, "storebridge")


@pytest.fixture
def cache(bridge) -> Iterator[Redis]:
    with Redis.from_url(bridge["REDIS_URL"], decode_responses=True) as client:
        yield client


def register(bridge, **product):
    sent = bridge.http.post("/v1/products", json={"domeggook_item_id": "DG700001", **product})
    assert sent.status_code == 202, sent.text
    return sent.json()


def ended(bridge, job_id):
    def look():
        found = bridge.http.get(f"/v1/jobs/{job_id}").json()
        return found if found["status"] in ("COMPLETED", "FAILED") else None

    return eventually(look)


def forget(bridge, sent):
    assert bridge.http.delete(f"/v1/jobs/{sent['job_id']}").status_code == 204


def test_a_product_is_registered_by_the_worker_and_leaves_nothing_behind(bridge):
    """The synthetic registration of the gate walks this way."""
    sent = register(bridge)

    job = ended(bridge, sent["job_id"])

    assert job["status"] == "COMPLETED"
    assert [item["state"] for item in job["items"]] == ["REGISTERED"]
    assert bridge.http.get(f"/v1/products/{sent['product_id']}").json()["state"] == "REGISTERED"
    forget(bridge, sent)
    assert bridge.http.get(f"/v1/jobs/{sent['job_id']}").status_code == 404
    assert bridge.http.get(f"/v1/products/{sent['product_id']}").status_code == 404


@pytest.mark.parametrize(
    ("product", "code"),
    [
        pytest.param({"category": "weapons"}, "CATEGORY_MISMATCH", id="category"),
        pytest.param({"name": "최저가 컵"}, "FORBIDDEN_WORD", id="word"),
        pytest.param({"attributes": {"color": "red"}}, "ATTRIBUTE_MISSING", id="attribute"),
    ],
)
def test_what_naver_would_refuse_waits_for_a_person_until_it_is_corrected(bridge, product, code):
    """The runbook's three reasons, and its way out: correct, retry, gone from the queue of reviews."""
    validated = bridge.http.post("/v1/products/validate", json={"domeggook_item_id": "DG700001", **product}).json()
    before = bridge.http.get("/v1/manual-review?page_size=1").json()["pagination"]["total"]
    sent = register(bridge, **product)
    job = ended(bridge, sent["job_id"])

    assert (validated["valid"], [error["code"] for error in validated["errors"]]) == (False, [code])
    assert [(item["state"], item["error_code"]) for item in job["items"]] == [("MANUAL_REVIEW", code)]
    assert bridge.http.get("/v1/manual-review?page_size=1").json()["pagination"]["total"] == before + 1
    correction = {"name": "컵", "category": "kitchen", "attributes": {"origin": "KR"}}
    again = bridge.http.post(f"/v1/products/{sent['product_id']}/retry", json=correction).json()
    assert ended(bridge, again["job_id"])["status"] == "COMPLETED"
    assert bridge.http.get("/v1/manual-review?page_size=1").json()["pagination"]["total"] == before
    forget(bridge, again)
    forget(bridge, sent)


@pytest.mark.parametrize("body", [{}, {"domeggook_item_id": "123"}, {"domeggook_item_id": "DG123456", "x": 1}])
def test_a_payload_of_another_shape_is_refused_and_not_validated(bridge, body):
    """The runbook validates before it registers."""
    assert bridge.http.post("/v1/products/validate", json=body).status_code == 422


def test_a_list_of_products_goes_through_the_batch_queue(bridge):
    """The nightly registration."""
    products = [{"domeggook_item_id": f"DG70000{n}"} for n in (2, 3)]
    sent = bridge.http.post("/v1/jobs", json={"products": products}).json()

    job = ended(bridge, sent["job_id"])

    assert (job["queue"], job["status"], len(job["items"])) == ("celery:batch", "COMPLETED", 2)
    forget(bridge, sent)


def test_the_jobs_of_a_time_and_state_are_counted(bridge):
    """The runbook reads .pagination.total; a day without jobs is 0, not an error."""
    every = bridge.http.get("/v1/jobs?limit=1").json()
    finished = bridge.http.get("/v1/jobs?created_after=2020-01-01&status=COMPLETED&limit=1").json()
    none = bridge.http.get("/v1/jobs?created_after=2999-01-01").json()

    assert len(every["jobs"]) == 1
    assert finished["pagination"]["total"] == every["pagination"]["total"] >= 10
    assert (none["jobs"], none["pagination"]["total"]) == ([], 0)
    assert bridge.http.get("/v1/jobs?created_after=yesterday").status_code == 422
    assert bridge.http.get("/v1/jobs?status=DONE").status_code == 422


def test_each_registration_takes_from_both_quotas(bridge, cache):
    """What the 17:00 round reads must be what was really called."""
    day = f"domeggook:daily_calls:{datetime.now(ZoneInfo('Asia/Seoul')):%Y-%m-%d}"
    before = int(cache.get(day) or 0)
    sent = register(bridge)
    ended(bridge, sent["job_id"])

    assert int(cache.get(day)) == before + 1
    assert {cache.get(key) for key in cache.scan_iter("naver:ratelimit:*")} <= {"1", "2"}
    quotas = {quota["api_name"]: quota for quota in bridge.http.get("/v1/quotas").json()["quotas"]}
    assert quotas["domeggook"]["remaining"] == 15_000 - before - 1
    assert quotas["naver"]["used"] >= 1
    forget(bridge, sent)


def test_naver_is_never_asked_more_than_twice_a_second(bridge, cache):
    """Four tasks at a time want more than that."""
    products = [{"domeggook_item_id": f"DG7001{n:02}"} for n in range(8)]
    jobs = [bridge.http.post("/v1/jobs", json={"products": [product]}).json() for product in products]
    for job in jobs:
        assert ended(bridge, job["job_id"])["status"] == "COMPLETED"

    assert max(int(cache.get(key) or 0) for key in cache.scan_iter("naver:ratelimit:*")) == 2
    for job in jobs:
        forget(bridge, job)


def test_a_failed_registration_is_logged_in_the_runbooks_words_and_can_be_retried(bridge):
    """`Naver API 5xx` is what the daily round looks for."""
    with bridge.defects(naver_status=503):
        sent = register(bridge)
        job = ended(bridge, sent["job_id"])

    assert (job["status"], job["items"][0]["error_code"]) == ("FAILED", "NAVER_503")
    assert "Naver API 503" in Path(bridge["WORKER_LOG_FILE"]).read_text()
    assert bridge.http.post(f"/v1/jobs/{sent['job_id']}/retry").status_code == 202
    assert eventually(lambda: bridge.http.get(f"/v1/jobs/{sent['job_id']}").json()["status"] == "COMPLETED")
    forget(bridge, sent)


def test_the_dashboards_metrics_are_exported(bridge):
    """Five panels of the runbook stand on them."""
    found = numbers(bridge.stack, "storebridge")

    assert total(found, "storebridge_registration_success_rate") == pytest.approx(0.95, abs=0.02)
    assert {dict(labels)["queue"] for name, labels in found if name == "storebridge_queue_depth"} == {
        "celery:normal",
        "celery:batch",
    }
    assert total(found, "storebridge_rate_limit", api_name="naver") == 120
    assert total(found, "storebridge_rate_limit_remaining", api_name="domeggook") > 14_000
    assert total(found, "http_requests_total") > 0
    assert total(found, "http_request_duration_seconds_count") > 0


def test_who_did_what_is_in_the_audit_log_and_only_an_admin_reads_it(bridge):
    """An operator's retry must not be anonymous."""
    forget(bridge, register(bridge))

    newest = bridge.anybody.get("/v1/audit-logs?limit=1", headers=bridge.bearer("admin")).json()["audit_logs"]

    assert newest[0]["action"] == "delete"
    assert newest[0]["actor"].startswith("key-")
    assert bridge.anybody.get("/v1/audit-logs", headers=bridge.bearer("reader")).status_code == 403
    assert bridge.anybody.get("/v1/audit-logs").status_code == 401


def test_a_fresh_stack_has_registrations_of_yesterday_and_today(bridge):
    """Rates over nothing would be unknown."""
    rows = bridge.sql(
        "SELECT (created_at AT TIME ZONE 'Asia/Seoul')::date = (now() AT TIME ZONE 'Asia/Seoul')::date, count(*),"
        " avg((state = 'COMPLETED')::int)::float FROM product_registrations WHERE error_message IS DISTINCT FROM 'x'"
        " GROUP BY 1 ORDER BY 1"
    )

    assert [(today, count >= 100, rate > 0.9) for today, count, rate in rows] == [
        (False, True, True),
        (True, True, True),
    ]
