"""The named faults of live Celery workers."""

from opsproof.stack.faults.fault import Fault
from opsproof.stack.faults.named import WORKED
from opsproof.stack.faults.workers import FallsBehind, Flood, FrozenAtWork, NotConsuming
from opsproof.stack.services.evaluation.queue_names import NAMES as EVALUATION_NAMES
from opsproof.stack.services.storebridge.queue_names import NAMES as STOREBRIDGE_NAMES

_NAMES = {names.system: names for names in (EVALUATION_NAMES, STOREBRIDGE_NAMES)}

WORKERS: tuple[Fault, ...] = (
    NotConsuming("worker-not-consuming", "the workers live, answer, and take from no queue", WORKED, _NAMES),
    FrozenAtWork("worker-frozen-busy", "the workers stand still in the middle of a task", WORKED, _NAMES),
    FallsBehind(
        "backlog-growing",
        "the broker was restarted; the workers are back, and more comes than they do",
        WORKED,
        _NAMES,
        floods={"evaluation": Flood(12, 0.3, 110), "storebridge": Flood(9, 1.0, 80)},
    ),
)
