"""
The language model, as a deterministic stand-in: no model runs here.

It answers as a model of 2025 does, with JSON in a text, from the question alone; it fails, is slow and answers nonsense
where the defects say so. What is around it is real: retries, time-out, circuit breaker, cost and the metrics of each.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping

from opsproof.stack.services.common.failures import Unavailable
from opsproof.stack.services.common.services import Services
from opsproof.stack.services.factory_ai.breaker import Breaker
from opsproof.stack.services.factory_ai.names import (
    LLM_CALLS,
    LLM_COST,
    LLM_FAILURES,
    LLM_PARSING_FAILURES,
    LLM_SECONDS,
)
from opsproof.stack.services.factory_ai.options import MODELS, options_of
from opsproof.stack.services.factory_ai.rules import OUTCOMES, RULESETS, Opinion, judge_by_rules

_SECONDS = 0.005
_NONSENSE = "I am sorry, as a language model I {"


class _NoAnswer(Exception):
    """The provider refused the call."""


class Llm:
    """
    Asks the model.

    Args:
        services: The service that it belongs to.
        breaker: Ends calls while the model does not answer.
    """

    def __init__(self, services: Services, breaker: Breaker) -> None:
        self._services = services
        self._breaker = breaker

    async def judge(self, readings: Mapping[str, float]) -> Opinion:
        """
        What the model thinks of a machine's readings.

        Raises:
            Unavailable: No usable answer after all retries, or the circuit breaker is open.
        """
        reason = ""
        for _ in range(options_of(self._services).retries + 1):
            if self._breaker.refuses():
                raise Unavailable("llm", "the circuit breaker is open")
            try:
                return _parsed(await self._call(readings))
            except ValueError:
                self._services.metrics.count(LLM_PARSING_FAILURES)
                reason = "its answer could not be parsed"
            except TimeoutError:
                reason = "it timed out"
            except _NoAnswer:
                reason = "the call failed"
        raise Unavailable("llm", reason)

    async def _call(self, readings: Mapping[str, float]) -> str:
        options, metrics = options_of(self._services), self._services.metrics
        started = time.perf_counter()
        failed = True
        metrics.count(LLM_CALLS)
        try:
            text = await asyncio.wait_for(self._answer(readings), options.timeout_seconds)
            failed = False
        finally:
            metrics.observe_value(LLM_SECONDS, time.perf_counter() - started)
            self._breaker.record(failed=failed)
            if failed:
                metrics.count(LLM_FAILURES)
        cost = MODELS[options.model] * self._services.defects.current().factory.llm_cost_factor
        metrics.count(LLM_COST, cost, model=options.model)
        return text

    async def _answer(self, readings: Mapping[str, float]) -> str:
        defects, broken = self._services.defects, self._services.defects.current().factory
        await asyncio.sleep(broken.llm_seconds or _SECONDS)
        if defects.falls_on("llm failure", broken.llm_failure_share):
            raise _NoAnswer
        if defects.falls_on("llm nonsense", broken.llm_nonsense_share):
            return _NONSENSE
        known = judge_by_rules(RULESETS["v1.4.0"], readings)
        return json.dumps({"result": known.result, "confidence": 0.85, "explanation": "as the readings suggest"})


def _parsed(text: str) -> Opinion:
    """The opinion in a model's answer; raises ValueError if there is none."""
    found = json.loads(text)
    if not isinstance(found, dict) or found.get("result") not in OUTCOMES:
        raise ValueError("no outcome")
    return Opinion(found["result"], float(found["confidence"]))
