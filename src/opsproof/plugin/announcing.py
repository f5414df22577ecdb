"""What is told before a run begins: how much the payload checks will send."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from opsproof.plugin.check import check_of
from opsproof.plugin.gate import Gate
from opsproof.profile.payload_plan import Part

_MEGABYTE = 1_000_000


def announced(gate: Gate, items: Iterable[pytest.Item]) -> Iterator[str]:
    """
    A line for each profile against which payload checks will send something.

    Args:
        gate: Of the run.
        items: What was selected.
    """
    parts: dict[str, list[Part[Any]]] = {}
    for item in items:
        check = check_of(item)
        if check is None or gate.skip_of(check):
            continue
        found = [value for value in _parameters(item) if isinstance(value, Part)]
        parts.setdefault(check.profile, []).extend(found)
    for name, of_profile in parts.items():
        payload = gate.profiles[name].payload
        if not of_profile or payload is None or gate.replayed:
            continue
        items_too = f" and {payload.max_batch_items} items" if payload.max_batch_items else ""
        left_out = sum(len(part.left_out) for part in of_profile)
        yield (
            f"{name}: payload checks send {sum(part.requests for part in of_profile)} requests with at most "
            f"{sum(part.bytes for part in of_profile) / _MEGABYTE:.1f} MB "
            f"(payload.max_total_bytes: {payload.max_total_bytes / _MEGABYTE:.0f} MB"
            f"{f'; {left_out} cases are left out for it' if left_out else ''}); "
            f"limits: {payload.max_body_bytes} bytes{items_too}"
        )


def _parameters(item: pytest.Item) -> Iterable[object]:
    spec = getattr(item, "callspec", None)
    return spec.params.values() if spec is not None else ()
