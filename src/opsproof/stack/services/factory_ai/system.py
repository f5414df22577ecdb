"""The decision engine as a reference service."""

from __future__ import annotations

from opsproof.stack.services.common.metrics import CounterSpec, HistogramSpec
from opsproof.stack.services.common.services import System
from opsproof.stack.services.common.users import Visit
from opsproof.stack.services.factory_ai import (
    dialogue_routes,
    judgment_routes,
    learning_routes,
    names,
    workflow_routes,
)
from opsproof.stack.services.factory_ai.collected import collected
from opsproof.stack.services.factory_ai.engine import Engine
from opsproof.stack.services.factory_ai.options import FactoryOptions

_EXECUTIONS = "/api/v1/judgment/executions"
_READINGS = {"temperature": 62.5, "vibration": 2.1}


def _judged(workflow_id: str, *, use_cache: bool = True, weight: int) -> Visit:
    body = {"workflow_id": workflow_id, "input": _READINGS, "use_cache": use_cache}
    return Visit(_EXECUTIONS, "POST", body, weight=weight)


USERS = (
    _judged("press-maintenance", weight=4),
    _judged("line-quality", weight=1),
    _judged("defect-vision", use_cache=False, weight=5),
    Visit("/api/v1/bi/query?question=results%20of%20today"),
    Visit("/api/v1/chat/messages", "POST", {"text": "what is the status of line 3?"}),
    Visit("/api/v1/feedback", "POST", {"execution_id": "jud-456", "value": "thumbs_up"}),
    Visit("/api/v1/workflows", "POST", {"workflow_id": "notification"}),
    Visit("/api/v1/learning/rulesets", weight=2),
)
"""Five of sixteen visits ask the language model; most judgments are found in the cache."""

SYSTEM = System(
    name="factory-ai",
    health_query="SELECT 1 FROM workflow_instances LIMIT 1",
    routes=(*judgment_routes.ROUTES, *workflow_routes.ROUTES, *dialogue_routes.ROUTES, *learning_routes.ROUTES),
    configure=FactoryOptions.read,
    counters={
        names.LLM_CALLS: CounterSpec("Calls of the language model."),
        names.LLM_FAILURES: CounterSpec("Calls of the language model that failed or timed out."),
        names.LLM_PARSING_FAILURES: CounterSpec("Answers of the language model that could not be parsed."),
        names.LLM_COST: CounterSpec("What the language model cost, in US dollars.", ("model",)),
        names.MCP_CALLS: CounterSpec("Calls of tools of the MCP hub.", ("tool",)),
        names.MCP_TIMEOUTS: CounterSpec("Calls of tools that timed out."),
        names.CACHE_HITS: CounterSpec("Judgments found in the cache."),
        names.CACHE_MISSES: CounterSpec("Judgments not found in the cache."),
    },
    histograms={names.LLM_SECONDS: HistogramSpec("Time of a call of the language model.")},
    background=Engine,
    collect=collected,
    users=USERS,
)
