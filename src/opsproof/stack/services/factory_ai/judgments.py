"""Judging: by rules, by the language model, or by both; remembered in the cache, recorded in the database."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from psycopg.types.json import Jsonb
from pydantic import BaseModel, Field

from opsproof.stack.services.common.cache import cache_errors
from opsproof.stack.services.common.failures import ApiError, Unavailable
from opsproof.stack.services.common.services import Services
from opsproof.stack.services.factory_ai.model import Llm
from opsproof.stack.services.factory_ai.names import CACHE_HITS, CACHE_MISSES, CACHE_PREFIX
from opsproof.stack.services.factory_ai.rules import OUTCOMES, Opinion, Ruleset, judge_by_rules, ruleset

Method = Literal["RULE_ONLY", "LLM_ONLY", "HYBRID"]

CACHE_SECONDS = 300
_METHOD_OF_POLICY: dict[str, Method] = {"RULE_FALLBACK": "LLM_ONLY"}


class JudgmentRequest(BaseModel):
    """Readings to be judged for a workflow; without `method` the workflow's policy decides."""

    workflow_id: str
    method: Method | None = None
    input: dict[str, float] = Field(default_factory=dict)
    use_cache: bool = True


@dataclass(frozen=True)
class Judgment:
    """
    What was judged.

    Attributes:
        decided_by: RULE, LLM or HYBRID.
        fallback: Whether rules stood in for a model that gave no answer.
    """

    result: str
    confidence: float
    decided_by: str
    fallback: bool


class Judge:
    """
    Judges for one service.

    Args:
        services: The service that it belongs to.
        llm: The language model.
    """

    def __init__(self, services: Services, llm: Llm) -> None:
        self._services = services
        self._llm = llm

    async def execute(self, asked: JudgmentRequest) -> dict[str, Any]:
        """
        Judge, and record the execution.

        Raises:
            ApiError: 422, there is no such workflow.
            Unavailable: The database, or the model where only it may decide.
        """
        policy = await self._policy(asked.workflow_id)
        method = asked.method or _METHOD_OF_POLICY.get(policy) or policy
        rules = await ruleset(self._services)
        key = _key(asked, method, rules.version)
        judged = await self._remembered(key) if asked.use_cache else None
        cached = judged is not None
        if judged is None:
            judged = await self._decide(method, policy, rules, asked.input)
            if asked.use_cache:
                await self._remember(key, judged)
        rows = await self._services.database.query(
            "INSERT INTO core.judgment_executions"
            " (workflow_id, method, decided_by, result, confidence, ruleset_version, cached, input)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
            (
                asked.workflow_id,
                method,
                judged.decided_by,
                judged.result,
                judged.confidence,
                rules.version,
                cached,
                Jsonb(asked.input),
            ),
        )
        return {
            "execution_id": rows[0]["id"],
            "workflow_id": asked.workflow_id,
            "method": method,
            **asdict(judged),
            "ruleset_version": rules.version,
            "cached": cached,
        }

    async def _policy(self, workflow_id: str) -> str:
        rows = await self._services.database.query("SELECT policy FROM workflows WHERE id = %s", (workflow_id,))
        if not rows:
            raise ApiError(422, "workflow_id: there is no such workflow")
        return str(rows[0]["policy"])

    async def _decide(self, method: str, policy: str, rules: Ruleset, readings: dict[str, float]) -> Judgment:
        broken = self._services.defects.current().factory
        by_rules = judge_by_rules(rules.rules, readings)
        if method == "RULE_ONLY" or (method == "LLM_ONLY" and broken.llm_is_skipped):
            return Judgment(by_rules.result, by_rules.confidence, "RULE", fallback=False)
        may_fall_back = (method == "HYBRID" or policy == "RULE_FALLBACK") and not broken.rule_fallback_off
        try:
            by_model = await self._llm.judge(readings)
        except Unavailable:
            if not may_fall_back:
                raise
            return Judgment(by_rules.result, by_rules.confidence, "RULE", fallback=True)
        if method == "LLM_ONLY":
            return Judgment(by_model.result, by_model.confidence, "LLM", fallback=False)
        both = _combined(by_rules, by_model)
        return Judgment(both.result, both.confidence, "HYBRID", fallback=False)

    async def _remembered(self, key: str) -> Judgment | None:
        """What the cache knows; a cache that gives no answer is a miss, and no reason not to judge."""
        found = None
        defects = self._services.defects
        if not defects.falls_on("cache miss", defects.current().factory.cache_miss_share):
            try:
                with cache_errors():
                    found = await self._services.cache.get(key)
            except Unavailable:
                found = None
        self._services.metrics.count(CACHE_MISSES if found is None else CACHE_HITS)
        return None if found is None else Judgment(**json.loads(found))

    async def _remember(self, key: str, judged: Judgment) -> None:
        if judged.fallback:
            return
        try:
            with cache_errors():
                await self._services.cache.set(key, json.dumps(asdict(judged)), ex=CACHE_SECONDS)
        except Unavailable:
            return


def _key(asked: JudgmentRequest, method: str, version: str) -> str:
    told = json.dumps([asked.workflow_id, method, version, asked.input], sort_keys=True)
    return CACHE_PREFIX + hashlib.sha256(told.encode()).hexdigest()


def _combined(by_rules: Opinion, by_model: Opinion) -> Opinion:
    """The worse of the two; surer where they agree."""
    if by_rules.result == by_model.result:
        return Opinion(by_rules.result, round((by_rules.confidence + by_model.confidence) / 2, 3))
    worse = max(by_rules, by_model, key=lambda one: OUTCOMES.index(one.result))
    return Opinion(worse.result, round(worse.confidence / 2, 3))
