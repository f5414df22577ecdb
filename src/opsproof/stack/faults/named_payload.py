"""The named faults of what is too large: in the ingest service, and at its edge."""

from typing import Any

from opsproof.stack.faults import payload_seen as seen
from opsproof.stack.faults.defects import Defect
from opsproof.stack.faults.edge import EdgeChanged
from opsproof.stack.faults.fault import Fault
from opsproof.stack.faults.named import INGEST
from opsproof.stack.faults.seen import Seen, large_body_gets
from opsproof.stack.faults.settings import SettingsChanged
from opsproof.stack.parts.edge_config import EdgeDefects

_BODY_BYTES = 65536
_BATCH_ITEMS = 100
_LITTLE_BYTES = _BODY_BYTES // 2
_PAGE = "<html>"


def _setting(name: str, title: str, variable: str, value: int) -> Fault:
    return SettingsChanged(name, title, INGEST, lambda: {variable: str(value)}, group="payload")


def _guard(name: str, title: str, defects: dict[str, Any], look: Seen) -> Fault:
    return Defect(name, title, INGEST, defects, look, group="payload")


LIMITS: tuple[Fault, ...] = (
    _setting("body-limit-one-more", "one byte over the limit is taken", "MAX_REQUEST_BODY_BYTES", _BODY_BYTES + 1),
    _setting("body-limit-one-less", "the limit itself is refused", "MAX_REQUEST_BODY_BYTES", _BODY_BYTES - 1),
    _setting("batch-limit-one-more", "one item over the limit is taken", "INGEST_MAX_BATCH_ITEMS", _BATCH_ITEMS + 1),
    _setting("batch-limit-one-less", "a batch at the limit is refused", "INGEST_MAX_BATCH_ITEMS", _BATCH_ITEMS - 1),
)

GUARD: tuple[Fault, ...] = (
    _guard("payload-500", "what is too large gets 500", {"payload_status": 500}, large_body_gets(500)),
    _guard(
        "payload-truncated",
        "what is too large is cut to the limit, stored and answered 201",
        {"refusal": "truncate"},
        seen.gets(201, seen.item),
    ),
    _guard(
        "payload-reset",
        "the connection of what is too large is reset without an answer",
        {"refusal": "reset"},
        seen.is_reset(),
    ),
    _guard("payload-hangs", "what is too large is never answered", {"refusal": "hang"}, seen.hangs),
    _guard(
        "payload-read-whole",
        "what is too large is read to its end before it is refused",
        {"refusal": "read-whole"},
        seen.waits_for_the_body(),
    ),
    _guard(
        "payload-chunked-not-counted",
        "without Content-Length a body may have any size",
        {"chunked_not_counted": True},
        seen.gets(201, seen.chunked),
    ),
    _guard(
        "payload-inflated-not-counted",
        "a compressed body may have any size once unpacked",
        {"inflated_not_counted": True},
        seen.gets(201, seen.item, packed=True),
    ),
    _guard("payload-echoed", "a refusal repeats what was sent", {"refusal": "echo"}, seen.is_echoed),
    _guard("payload-stored-anyway", "what is refused is stored", {"refusal": "store"}, seen.is_stored),
    _guard(
        "payload-kept",
        "the service keeps in memory what it refused",
        {"refusal": "keep"},
        seen.grows_with_refusals,
    ),
    _guard(
        "payload-blocks-others",
        "while a slow body comes nobody else is answered",
        {"body_blocks_others": True},
        seen.slow_body_blocks_others,
    ),
    _guard(
        "slow-body-unbounded",
        "a slow body is waited for without end",
        {"slow_body_unbounded": True},
        seen.slow_body_is_unbounded,
    ),
)

EDGE: tuple[Fault, ...] = (
    EdgeChanged(
        "edge-html-413",
        "the edge refuses with a web page",
        EdgeDefects(page=True),
        seen.gets(413, seen.item, hop="_EDGE", shows=_PAGE),
    ),
    EdgeChanged(
        "edge-limit-below",
        f"the edge refuses what the service would take, from {_LITTLE_BYTES} bytes on",
        EdgeDefects(limit=_LITTLE_BYTES),
        seen.gets(413, seen.item, over=0, hop="_EDGE"),
    ),
    EdgeChanged(
        "edge-limit-off",
        "the edge has no limit and passes everything on",
        EdgeDefects(limit=0),
        seen.waits_for_the_body(times_the_limit=16, hop="_EDGE_ABOVE"),
    ),
    EdgeChanged(
        "edge-no-request-id",
        "the refusals of the edge lack the request id",
        EdgeDefects(no_request_id=True),
        seen.edge_refuses_without_request_id,
    ),
    EdgeChanged(
        "edge-reset",
        "the edge resets the connection of what is too large",
        EdgeDefects(reset=True),
        seen.is_reset("_EDGE"),
    ),
)
