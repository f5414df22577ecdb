"""What the tests ask of the two sites."""

import json
import time
from collections.abc import Callable
from typing import Any

import dns.message
import dns.query
import httpx

from opsproof.stack.clusters import Cluster
from opsproof.stack.site import EmbeddedSite

_PATIENCE_SECONDS = 60.0


def eventually(look: Callable[[], Any]) -> Any:
    """The first true answer of `look`, or the last one when patience ends."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while not (found := look()) and time.monotonic() < until:
        time.sleep(0.05)
    return found


def asked(resolver: str, name: str, kind: str = "SRV", *, tcp: bool = False) -> list[str]:
    """The records that a resolver gives; its code where it gives none."""
    host, _, port = resolver.partition(":")
    ask = dns.query.tcp if tcp else dns.query.udp
    answer = ask(dns.message.make_query(name, kind), host, port=int(port), timeout=20)
    return [str(one) for one in answer.answer[0]] if answer.answer else [dns.rcode.to_text(answer.rcode())]


def call(site: EmbeddedSite, at: str, path: str, body: Any = None, *, token: bool = False) -> httpx.Response:
    """Ask the service of a site, as an operator or with the administrator's token."""
    headers = {"Authorization": f"Bearer {site.admin_token}"} if token else {"X-API-Key": site.api_key}
    url = site.services[at].url + path
    content = None if body is None else json.dumps(body)
    return httpx.request("GET" if body is None else "POST", url, headers=headers, content=content, timeout=20)


def databases_of(site: EmbeddedSite, at: str) -> list[dict[str, Any]]:
    """What the service of a site says of the server behind each of its connections."""
    answer = call(site, at, "/admin/database", token=True)
    return answer.raise_for_status().json()["connections"]


def holds(cluster: Cluster, execution: str) -> bool:
    """Whether a judgment reaches a server, sooner or later."""
    count = "SELECT count(*) FROM core.judgment_executions WHERE id = %s"
    return bool(eventually(lambda: cluster.sql(count, execution, database="factory-ai") == [(1,)]))
