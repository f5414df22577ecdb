"""
Who works with the decision engine (runbook 001: FAI-062, the canary's limits as a load gate).

People look at judgments, workflows, rules and charts. Judging, what-if questions, feedback, the chat bot and workflows
are POSTs, and left out without --allow-writes. What a task stores it deletes at its end; it says `opsproof-load`: as a
reading of a judgment that no rule knows, in the input of a workflow, the comment of feedback, the text of a message.

Three judgments of four ask the same again and are found in the cache; the fourth, one task of sixteen, costs a call of
the language model.
"""

import os
import random
import uuid
from urllib.parse import quote

from locust import FastHttpUser, tag, task

from opsproof.load import attach, body_of, one_of

attach()

MARKER = "opsproof-load"
JUDGMENTS, WORKFLOWS = "/api/v1/judgment/executions", "/api/v1/workflows"
CHARTS, MESSAGES, FEEDBACK = "/api/v1/bi/query", "/api/v1/chat/messages", "/api/v1/feedback"
SIMULATION, RULESETS, DEPLOYMENTS = (
    "/api/v1/judgment/simulate",
    "/api/v1/learning/rulesets",
    "/api/v1/learning/deployments",
)
PAGE = 20
RESULTS = ("NORMAL", "WARNING", "STOP")
QUESTIONS = ("오늘 판정 결과", "workflow status of today")
READINGS = ({"temperature": 62.5, "vibration": 2.1}, {"temperature": 71, "vibration": 3.0}, {"temperature": 95})
BY_RULES = os.environ.get("FACTORY_AI_WORKFLOW_RULE", "line-quality")
BY_BOTH = os.environ.get("FACTORY_AI_WORKFLOW_HYBRID", "press-maintenance")
BY_MODEL = os.environ.get("FACTORY_AI_WORKFLOW_LLM", "defect-vision")
NOTIFICATION = os.environ.get("FACTORY_AI_WORKFLOW_NOTIFICATION", "notification")
"""The workflows that the profile names by the same variables."""


class Operator(FastHttpUser):
    """Somebody at a line, with the machines that ask for judgments."""

    default_headers = {"User-Agent": MARKER}

    @tag("read")
    @task(6)
    def look_at_a_judgment(self):
        """The newest judgments, then one of them."""
        if judgment := self._a_judgment():
            answer = self.client.get(f"{JUDGMENTS}/{judgment['id']}", name=f"{JUDGMENTS}/[id]", catch_response=True)
            body_of(answer, _is_judgment(judgment["id"]))

    @tag("read")
    @task(4)
    def look_at_a_workflow(self):
        """The newest instances of workflows, then one of them."""
        answer = self.client.get(f"{WORKFLOWS}?limit={PAGE}", name=WORKFLOWS, catch_response=True)
        if page := body_of(answer, _wrong_instances):
            kept = [instance for instance in page["instances"] if MARKER not in str(instance["input"])]
            self._look_at_instance(one_of(kept, "there is no instance of a workflow")["id"])

    @tag("read")
    @task(4)
    def ask_for_a_chart(self):
        """A question in natural language."""
        path = f"{CHARTS}?question={quote(random.choice(QUESTIONS))}"
        body_of(self.client.get(path, name=f"{CHARTS}?question=[question]", catch_response=True), _wrong_chart)

    @tag("read")
    @task(2)
    def look_at_the_rules(self):
        """The versions of the rules, then which were deployed."""
        body_of(self.client.get(RULESETS, name=RULESETS, catch_response=True), _wrong_rulesets)
        body_of(self.client.get(DEPLOYMENTS, name=DEPLOYMENTS, catch_response=True), _wrong_deployments)

    @tag("write")
    @task(6)
    def judge_again(self):
        """Readings that were judged before."""
        self._judge(random.choice((BY_RULES, BY_BOTH)), random.choice(READINGS))

    @tag("write")
    @task(2)
    def judge_by_the_model(self):
        """Readings that nobody has had: the language model is asked."""
        self._judge(BY_MODEL, {"temperature": round(random.uniform(20, 100), 6)})

    @tag("write")
    @task(2)
    def ask_what_if(self):
        """A judgment once more, by other rules. It stores nothing, but it is a POST."""
        if judgment := self._a_judgment():
            version = judgment["ruleset_version"]
            body = {"execution_id": judgment["id"], "override_versions": {"ruleset": version}}
            answer = self.client.post(SIMULATION, json=body, name=SIMULATION, catch_response=True)
            body_of(answer, _is_simulation(judgment["id"], version))

    @tag("write")
    @task(2)
    def give_feedback(self):
        """Thumbs up for a judgment."""
        if judgment := self._a_judgment():
            body = {"execution_id": judgment["id"], "value": "thumbs_up", "comment": MARKER}
            self._stored(FEEDBACK, body, "feedback_id")

    @tag("write")
    @task(2)
    def talk_to_the_bot(self):
        """A message that the bot understands."""
        body = {"text": f"3번 라인 상태 알려줘 ({MARKER})"}
        self._stored(MESSAGES, body, "message_id", lambda it: "" if it["reply"] else "the bot replies nothing")

    @tag("write")
    @task(2)
    def run_a_workflow(self):
        """A workflow, then how it stands."""
        body = {"workflow_id": NOTIFICATION, "input": {"from": f"{MARKER}-{uuid.uuid4()}"}}
        self._stored(WORKFLOWS, body, "instance_id", status=202, look=self._look_at_instance)

    def _a_judgment(self):
        """One of the newest judgments that no task is about to delete."""
        answer = self.client.get(f"{JUDGMENTS}?limit={PAGE}", name=JUDGMENTS, catch_response=True)
        page = body_of(answer, _wrong_judgments)
        if page is None:
            return None
        return one_of([one for one in page["executions"] if MARKER not in one["input"]], "there is no judgment")

    def _look_at_instance(self, instance):
        answer = self.client.get(f"{WORKFLOWS}/{instance}", name=f"{WORKFLOWS}/[id]", catch_response=True)
        body_of(answer, lambda one: "" if one["id"] == instance and one["status"] else "it is another one")

    def _judge(self, workflow, readings):
        body = {"workflow_id": workflow, "input": {**readings, MARKER: 1}}
        self._stored(JUDGMENTS, body, "execution_id", _wrong_result)

    def _stored(self, path, body, key, wrong=lambda _: "", status=201, look=None):
        """Send what is stored, look at it, and delete it."""
        answer = self.client.post(path, json=body, name=path, catch_response=True)
        if stored := body_of(answer, lambda one: wrong(one) if one[key] else "it has no id", status=status):
            if look:
                look(stored[key])
            gone = self.client.delete(f"{path}/{stored[key]}", name=f"{path}/[id]", catch_response=True)
            body_of(gone, status=204)


def _wrong_result(judgment):
    if judgment["result"] not in RESULTS:
        return "the result is none that is known"
    return "" if 0 <= judgment["confidence"] <= 1 else "the confidence is not from 0 to 1"


def _wrong_judgments(page):
    if len(page["executions"]) > PAGE:
        return "the page has more judgments than its limit"
    if not all(one["id"] and one["ruleset_version"] and isinstance(one["input"], dict) for one in page["executions"]):
        return "a judgment has no id, input or version of the rules"
    return next((said for one in page["executions"] if (said := _wrong_result(one))), "")


def _is_judgment(identity):
    return lambda one: _wrong_result(one) if one["id"] == identity else "it is another judgment"


def _wrong_instances(page):
    if len(page["instances"]) > PAGE:
        return "the page has more instances than its limit"
    whole = all(one["id"] and one["status"] and one["input"] is not None for one in page["instances"])
    return "" if whole else "an instance has no id, status or input"


def _wrong_chart(answer):
    axes = {answer["chart"]["x"], answer["chart"]["y"]}
    return "" if answer["rows"] and axes <= set(answer["rows"][0]) else "the chart has no data"


def _wrong_rulesets(answer):
    active = [one for one in answer["rulesets"] if one["active"]]
    return "" if len(active) == 1 else "not one version of the rules is active"


def _wrong_deployments(answer):
    return "" if all(one["deployment_id"] for one in answer["deployments"]) else "a deployment has no id"


def _is_simulation(identity, version):
    def wrong(answer):
        if answer["execution_id"] != identity or answer["simulated"]["ruleset_version"] != version:
            return "another judgment or other rules were simulated"
        return "" if answer["simulated"]["result"] in RESULTS else "the result is none that is known"

    return wrong
