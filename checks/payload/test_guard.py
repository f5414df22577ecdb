"""An oversized request is refused, and what is within the limit is not (runbook 003, oversized payload)."""

import json

import pytest

from opsproof import needs, proven_by, runbook, writes

pytestmark = [pytest.mark.smoke, pytest.mark.payload_guard, pytest.mark.recovery, pytest.mark.release]


@writes("items of a synthetic tenant, deleted again")
@runbook(
    "ING-045",
    severity="SEV-1",
    verifies="answer",
    next_step="Set MAX_REQUEST_BODY_BYTES and roll it out to every instance; until then limit bodies at the edge.",
)
@proven_by("body-limit-off", "payload-wrong-status", "database-read-only")
@proven_by("core-endpoint-500", "html-body", "wrong-body", "slow-answers", "table-locked", "secret-rotated")
@needs("payload")
async def test_a_body_over_the_limit_is_refused(api, database, profile, run_id, clean_up):
    """One byte over the limit gets 413 with its code, also without Content-Length; at the limit it is stored."""
    payload, tenant = profile.payload, f"opsproof-{run_id}-body"
    _cleaned_up(clean_up, api, database, payload, tenant)
    limit = payload.max_body_bytes

    within = await api.post(payload.single, content=_body(payload, tenant, "within", limit), headers=JSON)
    over = await api.post(payload.single, content=_body(payload, tenant, "over", limit + 1), headers=JSON)
    chunked = await api.post(
        payload.single,
        content=_body(payload, tenant, "chunked", limit + 1),
        headers=JSON | {"Transfer-Encoding": "chunked"},
    )

    assert within.ok, f"{limit} bytes, the limit itself, get {within.describe()}"
    for framing, answer in {"with Content-Length": over, "chunked": chunked}.items():
        assert answer.status == 413, f"{limit + 1} bytes {framing} get {answer.describe()}, not 413"
        code = answer.field(payload.error_field)
        assert code == payload.error_code, f"{limit + 1} bytes {framing} get 413 {code}, not {payload.error_code}"
    stored = await database.value(payload.stored, tenant=tenant)
    assert stored == 1, f"{stored} items are stored, 1 was within the limit"


@writes("items of a synthetic tenant, deleted again")
@runbook(
    "ING-046",
    severity="SEV-1",
    verifies="answer",
    next_step="Set INGEST_MAX_BATCH_ITEMS and roll it out to every instance.",
)
@proven_by("batch-limit-off", "database-read-only")
@proven_by("core-endpoint-500", "html-body", "wrong-body", "slow-answers", "table-locked", "secret-rotated")
@needs("payload")
async def test_a_batch_over_the_limit_is_refused(api, database, profile, run_id, clean_up):
    """One item over the limit is refused with 4xx and nothing of it is stored; the limit itself is stored whole."""
    # The runbook gives no status for a batch: any 4xx refuses it.
    payload, tenant = profile.payload, f"opsproof-{run_id}-batch"
    _cleaned_up(clean_up, api, database, payload, tenant)
    limit = payload.max_batch_items

    over = await api.post(payload.batch, json=_batch(payload, tenant, "over", limit + 1))
    stored = await database.value(payload.stored, tenant=tenant)
    within = await api.post(payload.batch, json=_batch(payload, tenant, "within", limit))
    stored_within = await database.value(payload.stored, tenant=tenant)

    assert 400 <= over.status < 500, f"{limit + 1} items get {over.describe()}, not 4xx"
    assert stored == 0, f"{stored} items of the refused batch are stored"
    assert within.ok, f"{limit} items, the limit itself, get {within.describe()}"
    assert stored_within == limit, f"{stored_within} of {limit} items are stored"


JSON = {"Content-Type": "application/json"}


def _item(payload, tenant, key, filler):
    return _filled(payload.item, {"{tenant}": tenant, "{key}": key, "{filler}": filler})


def _filled(value, blanks):
    if isinstance(value, dict):
        return {name: _filled(part, blanks) for name, part in value.items()}
    if isinstance(value, str):
        for blank, text in blanks.items():
            value = value.replace(blank, text)
    return value


def _body(payload, tenant, key, size):
    """One item as JSON of exactly this many bytes."""
    empty = len(json.dumps(_item(payload, tenant, key, "")).encode())
    return json.dumps(_item(payload, tenant, key, "x" * (size - empty))).encode()


def _batch(payload, tenant, key, count):
    return {payload.batch_field: [_item(payload, tenant, f"{key}-{number}", "x") for number in range(count)]}


def _cleaned_up(clean_up, api, database, payload, tenant):
    async def gone():
        return await database.value(payload.stored, tenant=tenant) == 0

    clean_up.add(f"items of tenant {tenant}", lambda: api.delete(payload.clean_up.format(tenant=tenant)), gone)
