"""
Who registers products, and who looks how that goes (runbook 004: SB-004 and SB-005, p95 and errors of the API).

The rounds read products, jobs, what waits for a person, and quotas. Validating and registering are POSTs, and left out
without --allow-writes. A product to register is one of DG999000 to DG999998 with the attribute `from: opsproof-load`;
its task deletes job and product at its end.

Naver takes two calls a second and Domeggook 15,000 a day, and each registration is one of both: it is one task of
forty, which stays below two a second up to 80 arrivals a second.
"""

import itertools
import random

from locust import FastHttpUser, tag, task

from opsproof.load import attach, body_of, one_of

attach()

MARKER = "opsproof-load"
PRODUCTS, JOBS, VALIDATION = "/v1/products", "/v1/jobs", "/v1/products/validate"
REVIEW, QUOTAS = "/v1/manual-review", "/v1/quotas"
PAGE = 20
STATUSES = ("PENDING", "RUNNING", "COMPLETED", "FAILED")
BATCH_QUEUE = "celery:batch"
OWN_ITEMS = itertools.cycle([f"DG{999000 + number}" for number in random.sample(range(999), 999)])
"""No two registrations at the same time are of one product."""
REFUSED = {"name": "최저가 컵", "category": "toys"}, "FORBIDDEN_WORD"
TAKEN = {"name": "머그컵", "category": "kitchen"}, None


class Seller(FastHttpUser):
    """Somebody who registers products and looks after them."""

    default_headers = {"User-Agent": MARKER}

    @tag("read")
    @task(12)
    def look_at_a_product(self):
        """The newest products, then how one of them stands."""
        answer = self.client.get(f"{PRODUCTS}?limit={PAGE}", name=PRODUCTS, catch_response=True)
        if page := body_of(answer, _wrong_products):
            kept = [product for product in page["products"] if MARKER not in str(product["attributes"])]
            chosen = one_of(kept, "there is no product")["id"]
            answer = self.client.get(f"{PRODUCTS}/{chosen}", name=f"{PRODUCTS}/[id]", catch_response=True)
            body_of(answer, lambda one: "" if one["id"] == chosen and one["state"] else "it is another product")

    @tag("read")
    @task(10)
    def look_at_a_job(self):
        """The jobs that are through, then one of them: one of a list, as a task may be about to delete the others."""
        path = f"{JOBS}?status=COMPLETED&limit={PAGE}"
        answer = self.client.get(path, name=f"{JOBS}?status=[status]", catch_response=True)
        if page := body_of(answer, _wrong_jobs):
            kept = [job for job in page["jobs"] if job["queue"] == BATCH_QUEUE]
            self._look_at_job(one_of(kept, "no job of a batch is through")["id"])

    @tag("read")
    @task(5)
    def look_at_what_waits_for_a_person(self):
        """The registrations that somebody must review."""
        answer = self.client.get(f"{REVIEW}?page_size={PAGE}", name=REVIEW, catch_response=True)
        body_of(answer, _wrong_review)

    @tag("read")
    @task(5)
    def look_at_the_quotas(self):
        """What the two markets still let us ask."""
        body_of(self.client.get(QUOTAS, name=QUOTAS, catch_response=True), _wrong_quotas)

    @tag("write")
    @task(7)
    def validate_a_product(self):
        """A product, good or bad, before it is registered. It stores nothing, but it is a POST."""
        fields, problem = random.choice((TAKEN, TAKEN, REFUSED))
        answer = self.client.post(VALIDATION, json=_product(fields), name=VALIDATION, catch_response=True)
        body_of(answer, _is_validation(problem))

    @tag("write")
    @task(1)
    def register_a_product(self):
        """A registration, then how it stands."""
        answer = self.client.post(PRODUCTS, json=_product(TAKEN[0]), name=PRODUCTS, catch_response=True)
        if taken := body_of(answer, lambda one: "" if one["job_id"] and one["product_id"] else "no id", status=202):
            self._look_at_job(taken["job_id"])
            gone = self.client.delete(f"{JOBS}/{taken['job_id']}", name=f"{JOBS}/[id]", catch_response=True)
            body_of(gone, status=204)

    def _look_at_job(self, job):
        answer = self.client.get(f"{JOBS}/{job}", name=f"{JOBS}/[id]", catch_response=True)
        body_of(answer, _is_job(job))


def _product(fields):
    return {"domeggook_item_id": next(OWN_ITEMS), "attributes": {"origin": "KR", "from": MARKER}, **fields}


def _wrong_products(page):
    if len(page["products"]) > PAGE:
        return "the page has more products than its limit"
    whole = all(one["id"] and one["state"] and one["attributes"] is not None for one in page["products"])
    return "" if whole else "a product has no id, state or attributes"


def _wrong_jobs(page):
    if page["pagination"]["total"] < len(page["jobs"]):
        return "the page has more jobs than there are"
    if not all(job["id"] and job["queue"] for job in page["jobs"]):
        return "a job has no id or no queue"
    return "" if all(job["status"] == "COMPLETED" for job in page["jobs"]) else "a job is not through"


def _is_job(identity):
    def wrong(job):
        if job["id"] != identity or job["status"] not in STATUSES:
            return "it is another job, or has no status that is known"
        return "" if isinstance(job["items"], list) else "the job has no items"

    return wrong


def _wrong_review(page):
    if page["pagination"]["total"] < len(page["items"]):
        return "the page has more items than there are"
    return "" if all(item["error_code"] for item in page["items"]) else "an item does not say why"


def _wrong_quotas(answer):
    quotas = {quota["api_name"]: quota for quota in answer["quotas"]}
    if {"domeggook", "naver"} - set(quotas):
        return "a quota is missing"
    return "" if all(0 <= one["remaining"] <= one["limit"] for one in quotas.values()) else "a quota cannot be"


def _is_validation(problem):
    def wrong(answer):
        codes = [error["code"] for error in answer["errors"]]
        right = answer["valid"] is (problem is None) and (problem is None or problem in codes)
        return "" if right else "the product is called valid though it is not, or the other way round"

    return wrong
