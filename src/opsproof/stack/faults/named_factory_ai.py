"""The named faults of factory-ai's answers and numbers: one entry each."""

from opsproof.stack.faults import factory_numbers as numbers
from opsproof.stack.faults import factory_seen, seen
from opsproof.stack.faults.defects import Defect
from opsproof.stack.faults.factory_numbers import EXECUTIONS, SYSTEM, Holds
from opsproof.stack.faults.fault import Fault
from opsproof.stack.faults.metrics_seen import gauge
from opsproof.stack.faults.numbers import NumberDefect, more_users, together

FACTORY_AI = frozenset({SYSTEM})
_USERS = "/api/v1/learning/rulesets"
"""A path that only users ask for, no check; one of eight of their visits goes there."""

_MANY_USERS = 40
_MOST_USERS = 70
"""22 calls of the language model a second: of 220 in a window, 6 % are 13, and one more or less does not matter."""


def _over(limit: float) -> Holds:
    return lambda value: value > limit


def _under(limit: float) -> Holds:
    return lambda value: value < limit


_NO_BREAKER_IS_OPEN = gauge("circuit_breaker_state", _under(1), system=SYSTEM, state="OPEN")
_A_BREAKER_IS_OPEN = gauge("circuit_breaker_state", _over(0), system=SYSTEM, state="OPEN")
_NO_ERRORS = together(numbers.errors(_under(0.01)), numbers.unavailable(_under(1e-9)))
_MODEL_IS_WELL = together(_NO_BREAKER_IS_OPEN, numbers.llm_failures(_under(0.02)), _NO_ERRORS)


def _errors_of_users(percent: int) -> Fault:
    # Eight of the users' visits are one to this path: eight times the share there is the share of all.
    failing = {"path": _USERS, "status": 500, "share": 8 * percent / 100}
    return NumberDefect(
        f"factory-ai-errors-{percent}",
        f"{percent} % of what users ask gets 500",
        FACTORY_AI,
        more_users(SYSTEM, _MANY_USERS, status=[failing]),
        numbers.errors(_over(0.6 * percent / 100)),
        well=_NO_ERRORS,
    )


def _llm_failing(percent: int, limit: float) -> Fault:
    return NumberDefect(
        f"factory-ai-llm-failures-{percent}",
        f"{percent} % of the calls of the language model fail",
        FACTORY_AI,
        more_users(SYSTEM, _MOST_USERS, factory={"llm_failure_share": percent / 100}),
        numbers.llm_failures(_over(limit)),
        well=_MODEL_IS_WELL,
    )


NUMBERS: tuple[Fault, ...] = (
    _errors_of_users(4),
    _errors_of_users(6),
    NumberDefect(
        "factory-ai-judgment-503",
        "the judgment service is down: its routes answer 503",
        FACTORY_AI,
        {"status": [{"path": "/api/v1/judgment/*", "status": 503}]},
        numbers.unavailable(_over(0.2)),
        well=_NO_ERRORS,
    ),
    NumberDefect(
        "factory-ai-judgment-slow-3500ms",
        "judgments take 3.5 s",
        FACTORY_AI,
        {"slow": [{"path": EXECUTIONS, "seconds": 3.5}]},
        numbers.p95("http_request_duration_seconds", _over(2.5), path=EXECUTIONS),
        well=numbers.p95("http_request_duration_seconds", _under(2.5), path=EXECUTIONS),
    ),
    _llm_failing(3, 0.022),
    _llm_failing(6, 0.053),
    NumberDefect(
        "factory-ai-llm-nonsense",
        "5 % of the answers of the language model cannot be parsed",
        FACTORY_AI,
        more_users(SYSTEM, _MANY_USERS, factory={"llm_nonsense_share": 0.05}),
        numbers.nonsense(_over(0.02)),
        well=numbers.nonsense(_under(0.005)),
    ),
    NumberDefect(
        "factory-ai-llm-slow-2200ms",
        "the language model answers after 2.2 s",
        FACTORY_AI,
        {"factory": {"llm_seconds": 2.2}},
        numbers.p95("llm_response_seconds", _over(2)),
        well=numbers.p95("llm_response_seconds", _under(2)),
    ),
    NumberDefect(
        "factory-ai-llm-down",
        "every call of the language model fails; rules stand in where they may",
        FACTORY_AI,
        {"factory": {"llm_failure_share": 1}},
        together(
            _A_BREAKER_IS_OPEN,
            numbers.llm_failures(_over(0.05)),
            numbers.unavailable(_over(0)),
            numbers.errors(_over(0.01)),
        ),
        well=_MODEL_IS_WELL,
    ),
    NumberDefect(
        "factory-ai-no-fallback",
        "every call of the language model fails, and rules may not stand in",
        FACTORY_AI,
        {"factory": {"llm_failure_share": 1, "rule_fallback_off": True}},
        together(
            _A_BREAKER_IS_OPEN,
            numbers.llm_failures(_over(0.05)),
            numbers.unavailable(_over(0)),
            numbers.errors(_over(0.01)),
        ),
        well=_MODEL_IS_WELL,
    ),
    NumberDefect(
        "factory-ai-llm-cost",
        "the language model costs a thousand times as much",
        FACTORY_AI,
        {"factory": {"llm_cost_factor": 1000}},
        numbers.cost(_over(8)),
        well=numbers.cost(_under(8)),
    ),
    NumberDefect(
        "factory-ai-mcp-hangs",
        "the MCP hub answers no call, and its circuit breaker is open",
        FACTORY_AI,
        more_users(SYSTEM, _MANY_USERS, factory={"mcp_hangs": True}),
        together(_A_BREAKER_IS_OPEN, numbers.mcp_timeouts(_over(0.05)), numbers.errors(_over(0.01))),
        well=together(_NO_BREAKER_IS_OPEN, numbers.mcp_timeouts(_under(0.01)), _NO_ERRORS),
    ),
    NumberDefect(
        "factory-ai-cache-misses",
        "seven of ten judgments are not found in the cache",
        FACTORY_AI,
        more_users(SYSTEM, _MANY_USERS, factory={"cache_miss_share": 0.7}),
        numbers.misses(_over(2)),
        well=numbers.misses(_under(1.2)),
    ),
    NumberDefect(
        "factory-ai-database-cpu",
        "the database server uses 95 % of its CPU",
        FACTORY_AI,
        {"factory": {"database_cpu": 0.95}},
        gauge("database_cpu_usage_ratio", _over(0.9), system=SYSTEM),
        well=gauge("database_cpu_usage_ratio", _under(0.9), system=SYSTEM),
    ),
)

_NO_CHART = '{"question": "", "rows": [], "chart": {}}'
_NO_REPLY = '{"message_id": "int-none", "intent": "unknown", "confidence": 0, "reply": ""}'

ANSWERS: tuple[Fault, ...] = (
    Defect(
        "factory-ai-llm-skipped",
        "what only the language model may judge is judged by rules",
        FACTORY_AI,
        {"factory": {"llm_is_skipped": True}},
        factory_seen.model_is_skipped,
    ),
    Defect(
        "factory-ai-simulation-ignored",
        "what-if questions are answered with the rules in use",
        FACTORY_AI,
        {"factory": {"simulation_ignores_versions": True}},
        factory_seen.simulation_ignores_versions,
    ),
    Defect(
        "factory-ai-feedback-lost",
        "feedback is taken and not stored",
        FACTORY_AI,
        {"factory": {"feedback_lost": True}},
        factory_seen.feedback_is_lost,
    ),
    Defect(
        "factory-ai-workflow-stuck",
        "workflows are begun and never end",
        FACTORY_AI,
        {"factory": {"workflows_stuck": True}},
        factory_seen.workflow_is_stuck,
    ),
    Defect(
        "factory-ai-chat-silent",
        "the chat bot replies nothing",
        FACTORY_AI,
        {"body": [{"path": "/api/v1/chat/messages", "status": 201, "text": _NO_REPLY}]},
        seen.body({SYSTEM: "/api/v1/chat/messages"}, _NO_REPLY),
    ),
    Defect(
        "factory-ai-empty-chart",
        "questions are answered with a chart without data",
        FACTORY_AI,
        {"body": [{"path": "/api/v1/bi/query", "text": _NO_CHART}]},
        seen.body({SYSTEM: "/api/v1/bi/query"}, _NO_CHART),
    ),
)
