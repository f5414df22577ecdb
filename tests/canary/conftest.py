"""
Which faults of a canary a run of the tests watches: each takes up to a minute.

`make test` watches one of each kind of answer and of data, `make faults` all of them (`OPSPROOF_ALL_FAULTS=1` here).
"""

import os

USUAL = {
    "none",
    "errors-3",
    "errors-5-few",
    "slow-10",
    "no-traffic",
    "labels-canary",
    "prometheus-restarted-errors",
    "canary-restarted",
    "baseline-sick",
    "traffic-stops",
}


def pytest_collection_modifyitems(config, items):
    """Leave out the others; one that is named on the command line stays."""
    if os.environ.get("OPSPROOF_ALL_FAULTS") or config.option.keyword or any("::" in arg for arg in config.args):
        return
    left_out = [item for item in items if (fault := fault_of(item)) and fault.name not in USUAL]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def fault_of(item):
    """The fault that a test watches; None for another test."""
    return item.callspec.params.get("fault") if item.path.name == "test_canary_answers.py" else None
