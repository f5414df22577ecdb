"""
Faults: named ways to break the embedded stack for real.

To add one: give an existing mechanism (`processes`, `settings`, `cache`, `database`, `defects`) another entry in
`named` or `named_defects`; for a new mechanism write a module with a class that has the methods of `Fault`.
"""

from opsproof.stack.faults import (
    named,
    named_defects,
    named_evaluation,
    named_factory_ai,
    named_factory_ai_rows,
    named_metrics,
    named_ops_assistant,
    named_ops_assistant_rows,
    named_payload,
    named_storebridge,
    named_storebridge_rows,
    named_traffic,
    named_workers,
)
from opsproof.stack.faults.fault import Fault, heal, inject, injected

_ALL = (
    *named.PROCESSES,
    *named.CACHE,
    *named.DATABASE,
    *named.SETTINGS,
    *named_defects.ANSWERS,
    *named_defects.METRICS,
    *named_defects.TRACES,
    *named_defects.RULES,
    *named_defects.JOBS,
    *named_evaluation.JOBS,
    *named_workers.WORKERS,
    *named_traffic.NUMBERS,
    *named_metrics.PROMETHEUS,
    *named_metrics.ALERTS,
    *named_storebridge.NUMBERS,
    *named_storebridge.RESTARTS,
    *named_storebridge.QUEUES,
    *named_storebridge.QUOTAS,
    *named_storebridge_rows.DATABASE,
    *named_storebridge.LOGS,
    *named_storebridge.ANSWERS,
    *named_ops_assistant.ANSWERS,
    *named_ops_assistant.NUMBERS,
    *named_ops_assistant.EXTERNAL,
    *named_ops_assistant_rows.ROWS,
    *named_factory_ai.NUMBERS,
    *named_factory_ai.ANSWERS,
    *named_factory_ai_rows.ROWS,
    *named_factory_ai_rows.SESSIONS,
    *named_payload.LIMITS,
    *named_payload.GUARD,
    *named_payload.EDGE,
)
FAULTS: dict[str, Fault] = {fault.name: fault for fault in _ALL}
"""Every named fault, in the order in which they are listed."""

__all__ = ["FAULTS", "Fault", "heal", "inject", "injected"]
