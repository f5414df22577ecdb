"""
Who submits jobs and evaluations, and who looks how they stand (runbook 002: EVAL-013, its core endpoints).

Submitting is left out without --allow-writes. What a task submits says `opsproof-load-...` (`from` of a job's payload,
`label` of an evaluation), and the task deletes it at its end. Those who look choose nothing that could be deleted so:
no such job, and no evaluation of the dataset that is submitted here.
"""

import random
import uuid

from locust import FastHttpUser, tag, task

from opsproof.load import attach, body_of, one_of

attach()

MARKER = "opsproof-load"
JOBS, EVALUATIONS = "/api/v1/jobs", "/api/v1/evaluations"
STATUSES = ("queued", "running", "succeeded", "failed", "cancelled")
PAGE = 20
DATASET = "golden-v2"


class Engineer(FastHttpUser):
    """Somebody who evaluates a model."""

    default_headers = {"User-Agent": MARKER}

    @tag("read")
    @task(8)
    def look_at_a_job(self):
        """The newest jobs, then one of them."""
        answer = self.client.get(f"{JOBS}?limit={PAGE}", name=JOBS, catch_response=True)
        if page := body_of(answer, _wrong_jobs):
            kept = [job for job in page["jobs"] if MARKER not in str(job["payload"])]
            self._look(JOBS, "job_id", one_of(kept, "there is no job")["job_id"])

    @tag("read")
    @task(6)
    def look_at_an_evaluation(self):
        """The newest evaluations, then one of them, with its score and what it was made from."""
        answer = self.client.get(f"{EVALUATIONS}?limit={PAGE}", name=EVALUATIONS, catch_response=True)
        if page := body_of(answer, _wrong_evaluations):
            kept = [run for run in page["evaluations"] if run["dataset"] != DATASET]
            self._look(EVALUATIONS, "run_id", one_of(kept, "there is no evaluation")["run_id"])

    @tag("write")
    @task(3)
    def submit_a_job(self):
        """A job, then how it stands."""
        body = {"type": "echo", "payload": {"from": f"{MARKER}-{uuid.uuid4()}"}}
        self._submit(JOBS, body, "job_id")

    @tag("write")
    @task(2)
    def submit_an_evaluation(self):
        """An evaluation, then how it stands."""
        label = f"{MARKER}-{uuid.uuid4()}"
        body = {"dataset": DATASET, "seed": random.randint(1, 1000), "mode": "offline", "label": label}
        self._submit(EVALUATIONS, body, "run_id")

    def _submit(self, path, body, key):
        answer = self.client.post(path, json=body, name=path, catch_response=True)
        if taken := body_of(answer, lambda one: "" if one[key] else "it has no id", status=202):
            self._look(path, key, taken[key])
            gone = self.client.delete(f"{path}/{taken[key]}", name=f"{path}/[id]", catch_response=True)
            body_of(gone, status=204)

    def _look(self, path, key, identity):
        answer = self.client.get(f"{path}/{identity}", name=f"{path}/[id]", catch_response=True)
        body_of(answer, lambda one: _wrong_state(one) if one[key] == identity else "it is another one")


def _wrong_jobs(page):
    return _wrong_rows(page["jobs"], "job_id", "payload")


def _wrong_evaluations(page):
    return _wrong_rows(page["evaluations"], "run_id", "dataset")


def _wrong_rows(rows, key, made_from):
    if len(rows) > PAGE:
        return "the page has more rows than its limit"
    if not all(row[key] and row[made_from] is not None for row in rows):
        return f"a row has no id or no {made_from}"
    return "" if all(row["status"] in STATUSES for row in rows) else "a row has no status that is known"


def _wrong_state(one):
    if one["status"] not in STATUSES:
        return "it has no status that is known"
    if one["status"] == "succeeded" and "score" in one and not 0 <= one["score"] <= 1:
        return "the score of an evaluation that succeeded is not from 0 to 1"
    return ""
