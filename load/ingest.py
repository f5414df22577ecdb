"""
Who sends items to the ingest API, and who reads them (runbook 003: ING-051 to ING-053).

The runbook's benchmark measures queries: pages of items, one item, the items of a tenant, the numbers of all. Sending
is left out without --allow-writes. What a task stores belongs to a tenant of its own, `opsproof-load-...`, which the
task deletes at its end. /api/v1/limits, which counts against the rate limit, is not asked.
"""

import random
import uuid
from urllib.parse import quote

from locust import FastHttpUser, tag, task

from opsproof.load import attach, body_of, one_of

attach()

MARKER = "opsproof-load"
ITEMS = "/api/v1/items"
PAGE = 20
BATCH = 20


class Client(FastHttpUser):
    """A client of the ingest API."""

    default_headers = {"User-Agent": MARKER}

    @tag("read")
    @task(10)
    def look_at_an_item(self):
        """The newest items, then one of them."""
        if item := self._an_item():
            path = f"{ITEMS}/{item['id']}"
            body_of(self.client.get(path, name=f"{ITEMS}/[id]", catch_response=True), _is_item(item))

    @tag("read")
    @task(6)
    def look_at_a_tenant(self):
        """The newest items, then those of one tenant."""
        if item := self._an_item():
            path = f"{ITEMS}?tenant={quote(item['tenant'], safe='')}&limit={PAGE}"
            answer = self.client.get(path, name=f"{ITEMS}?tenant=[tenant]", catch_response=True)
            body_of(answer, _is_page_of(item["tenant"]))

    @tag("read")
    @task(4)
    def look_at_the_numbers(self):
        """How many items and tenants there are."""
        body_of(self.client.get("/api/v1/stats", name="/api/v1/stats", catch_response=True), _wrong_numbers)

    @tag("write")
    @task(6)
    def send_an_item(self):
        """One item; sent again it is the same one."""
        tenant = f"{MARKER}-{uuid.uuid4()}"
        item = {"tenant": tenant, "key": "order-1", "payload": _order()}
        stored = body_of(
            self.client.post(ITEMS, json=item, name=ITEMS, catch_response=True), _is_stored(item), status=201
        )
        if stored:
            answer = self.client.post(ITEMS, json=item, name=f"{ITEMS} (again)", catch_response=True)
            body_of(answer, lambda again: "" if again["id"] == stored["id"] else "the same item has two ids")
        self._delete(tenant, 1 if stored else None)

    @tag("write")
    @task(2)
    def send_a_batch(self):
        """Many items at once, then how they read."""
        tenant = f"{MARKER}-{uuid.uuid4()}"
        items = [{"tenant": tenant, "key": f"order-{number}", "payload": _order()} for number in range(BATCH)]
        answer = self.client.post(f"{ITEMS}/batch", json={"items": items}, name=f"{ITEMS}/batch", catch_response=True)
        stored = body_of(answer, _wrong_batch, status=201)
        if stored:
            path = f"{ITEMS}?tenant={tenant}&limit={BATCH}"
            answer = self.client.get(path, name=f"{ITEMS}?tenant=[tenant]", catch_response=True)
            body_of(answer, _is_page_of(tenant, rows=BATCH))
        self._delete(tenant, BATCH if stored else None)

    def _an_item(self):
        """One of the newest items that no task is about to delete."""
        answer = self.client.get(f"{ITEMS}?limit={PAGE}", name=ITEMS, catch_response=True)
        page = body_of(answer, _is_page_of(None))
        if page is None:
            return None
        return one_of([item for item in page["items"] if not item["tenant"].startswith(MARKER)], "there is no item")

    def _delete(self, tenant, rows):
        """Delete what a task stored; how much that is, is not known after an error."""
        path = f"{ITEMS}?tenant={tenant}"
        answer = self.client.delete(path, name=f"{ITEMS}?tenant=[tenant]", catch_response=True)
        body_of(answer, lambda gone: "" if rows in (None, gone["deleted"]) else "not all items were deleted")


def _order():
    amount = random.randint(1, 500) * 100
    return {"from": MARKER, "amount": amount, "currency": "KRW", "lines": [{"sku": f"SKU-{amount}", "quantity": 1}]}


def _is_page_of(tenant, rows=None):
    def wrong(page):
        items = page["items"]
        if len(items) > PAGE:
            return "the page has more items than its limit"
        if rows not in (None, len(items)):
            return "the page has not all items that were stored"
        if not all(item["id"] and item["tenant"] and item["key"] for item in items):
            return "an item has no id, tenant or key"
        if not all(isinstance(item["payload"], dict) for item in items):
            return "an item has no payload"
        if tenant and {item["tenant"] for item in items} != {tenant}:
            return "the items are not those of the tenant"
        return ""

    return wrong


def _is_item(listed):
    same = ("id", "tenant", "key")
    return lambda item: "" if all(item[key] == listed[key] for key in same) else "the item is not the one of the list"


def _is_stored(sent):
    def wrong(item):
        same = (item["tenant"], item["key"]) == (sent["tenant"], sent["key"])
        return "" if item["id"] and same else "the stored item is not the one that was sent"

    return wrong


def _wrong_batch(answer):
    return "" if answer["accepted"] == answer["stored"] == BATCH else "not all items of the batch were stored"


def _wrong_numbers(numbers):
    return "" if 0 <= numbers["tenants"] <= numbers["items"] else "the numbers cannot be"
