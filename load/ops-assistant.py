"""
Who asks the ops assistant, and who looks into Inspector (runbook 000: OPS-097, the hourly checklist's p95 and errors).

People read the data explorer, page by page, the history with its traces, and Regression, RCA and assets. Asking stores
a trace, so it is left out without --allow-writes. Nobody can mark or delete a trace: it says who asked
(`context.current_user`), and the assistant forgets it by itself. `transactions` is not asked: its tool calls an API
that is somebody else's.
"""

import random
from urllib.parse import quote

from locust import FastHttpUser, tag, task

from opsproof.load import attach, body_of, one_of

attach()

ASK, HISTORY, TRACES = "/api/ops/ask", "/api/ops/history", "/api/ops/traces"
DATA, ASSETS = "/api/ops/data", "/api/ops/assets"
REGRESSION, RCA = "/api/ops/regression", "/api/ops/rca"
PAGE = 20
QUERIES = ("total-cost", "service-count", "dependency-count", "open-events")
EXPLORED = ("cost_list", "event_list", "service_list")


class Operator(FastHttpUser):
    """Somebody on duty."""

    default_headers = {"User-Agent": "opsproof-load"}

    @tag("read")
    @task(10)
    def explore_data(self):
        """The first rows of an asset, and the next ones if there are more."""
        asset = random.choice(EXPLORED)
        name = f"{DATA}/[asset]"
        answer = self.client.get(f"{DATA}/{asset}?limit={PAGE}", name=name, catch_response=True)
        page = body_of(answer, _is_page(asset))
        if page:
            one_of(page["rows"], f"{asset} has no rows")
        if page and page["next"]:
            answer = self.client.get(page["next"], name=f"{name} (next)", catch_response=True)
            body_of(answer, _is_page(asset, after=page))

    @tag("read")
    @task(6)
    def look_at_a_trace(self):
        """The history, then one of its traces."""
        answer = self.client.get(f"{HISTORY}?limit={PAGE}", name=HISTORY, catch_response=True)
        page = body_of(answer, _wrong_history)
        if page:
            listed = one_of(page["history"], "the history is empty")
            answer = self.client.get(f"{TRACES}/{listed['id']}", name=f"{TRACES}/[id]", catch_response=True)
            body_of(answer, _is_trace(listed["query"], listed["id"]))

    @tag("read")
    @task(4)
    def look_at_the_newest_trace(self):
        """What a golden query was answered last."""
        query = random.choice(QUERIES)
        path = f"{TRACES}/latest?query={quote(query)}"
        answer = self.client.get(path, name=f"{TRACES}/latest?query=[query]", catch_response=True)
        body_of(answer, _is_trace(query))

    @tag("read")
    @task(2)
    def look_at_regression(self):
        """What Regression says, then what RCA does."""
        body_of(self.client.get(REGRESSION, name=REGRESSION, catch_response=True), _wrong_regression)
        body_of(self.client.get(RCA, name=RCA, catch_response=True), _wrong_rca)

    @tag("read")
    @task(1)
    def look_at_the_assets(self):
        """The query assets."""
        body_of(self.client.get(ASSETS, name=ASSETS, catch_response=True), _wrong_assets)

    @tag("write")
    @task(6)
    def ask(self):
        """A golden query, and its trace as Inspector has it."""
        query = random.choice(QUERIES)
        answer = self.client.post(ASK, json={"query": query}, name=ASK, catch_response=True)
        if asked := body_of(answer, _is_answer(query)):
            answer = self.client.get(f"{TRACES}/{asked['id']}", name=f"{TRACES}/[id]", catch_response=True)
            body_of(answer, lambda kept: "" if kept == asked else "the trace is not the answer that was given")


def _is_page(asset, after=None):
    def wrong(page):
        if page["asset"] != asset:
            return "the page is of another asset"
        if page["row_count"] != len(page["rows"]) or len(page["rows"]) > PAGE:
            return "the page has not as many rows as it says, or more than its limit"
        if page["next"] and not page["next"].startswith(f"{DATA}/"):
            return "the next page is somewhere else"
        if after and page["rows"] and page["rows"] == after["rows"]:
            return "the next page is the same page"
        return ""

    return wrong


def _wrong_history(page):
    if len(page["history"]) > PAGE:
        return "the history has more traces than its limit"
    whole = all(one["id"] and one["query"] and one["status"] for one in page["history"])
    return "" if whole else "a trace lacks a field"


def _is_trace(query, identity=None):
    def wrong(trace):
        if trace["query"] != query or identity not in (None, trace["id"]):
            return "it is another trace"
        return "" if trace["tool_calls"] and trace["answer"]["blocks"] else "the trace has no tool call or no block"

    return wrong


def _is_answer(query):
    def wrong(answer):
        if answer["status"] != "ok" or any(call["error"] for call in answer["tool_calls"]):
            return "a tool call failed"
        return _is_trace(query)(answer) or ("" if answer["answer"]["blocks"][0]["row_count"] else "the answer is empty")

    return wrong


def _wrong_regression(answer):
    verdicts = {result["verdict"] for result in answer["results"]}
    return "" if verdicts and verdicts <= {"PASS", "WARN", "FAIL"} else "there is no verdict, or one that nobody knows"


def _wrong_rca(answer):
    return "" if answer["traces"] > 0 and isinstance(answer["fired"], list) else "no trace was looked at"


def _wrong_assets(answer):
    known = answer["assets"] and all(asset["name"] and asset["status"] for asset in answer["assets"])
    return "" if known else "there are no assets, or one lacks a field"
