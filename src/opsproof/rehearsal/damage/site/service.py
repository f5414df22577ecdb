"""
A small service of a lab, which decides by rules: real connections to PostgreSQL, a real cache.

Its faults are of the kind that leave `/health` at 200; the routes are those of the decision engine's reference service.
"""

from __future__ import annotations

import email.utils
import hashlib
import itertools
import json
import threading
import time
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from opsproof.stack.ports import HOST

if TYPE_CHECKING:
    import psycopg
    from redis import Redis

PREFIX = "site:judgment:"
QUEUE = "site:queue"
VERSION = "1.4.2"
_TOLD = """
    SELECT current_setting('port')::int AS port, (SELECT system_identifier::text FROM pg_control_system()) AS
        system_identifier, pg_is_in_recovery() AS in_recovery, pg_backend_pid() AS pid,
        ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int AS timeline
"""
Answer = tuple[int, Any]


class LabService:
    """
    Serves on a port of 127.0.0.1 from `start` to `stop`. Its attributes are what faults change.

    Args:
        pool: How libpq reaches the database, one for each connection of the pool.
        cache: Address of the cache.
        key: What its clients must send.
    """

    def __init__(self, pool: list[str], cache: str, key: str) -> None:
        self.pool = pool
        self.cache_url = cache
        self.key = key
        self.version = VERSION
        self.replicas = 3
        self.works_off = True
        self.keeps_in_cache = True
        self.looks_in_cache = True
        self.layer: dict[str, Any] | None = None
        self.frozen: dict[str, Answer] = {}
        self.replaced: dict[str, Answer] = {}
        self.shift = 0.0
        self.hits = self.misses = 0
        self._turn = itertools.count()
        self._lock = threading.Lock()
        self._connections: list[psycopg.Connection[Any]] = []
        self._server: ThreadingHTTPServer | None = None
        self._cache: Redis | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1]) if self._server else 0

    def start(self) -> None:
        """Open the pool, and listen."""
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                service.handle(self)

            do_POST = do_DELETE = do_GET  # noqa: N815

            def date_time_string(self, timestamp: float | None = None) -> str:
                return email.utils.formatdate((timestamp or time.time()) + service.shift, usegmt=True)

            def log_message(self, format: str, *args: Any) -> None:
                return

        self.reconnect()
        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Listen no more, and close the pool."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        self._close()

    def reconnect(self) -> None:
        """Open the pool anew, as `pool` and `cache_url` say now."""
        import psycopg
        from psycopg.rows import dict_row
        from redis import Redis

        self._close()
        made = [psycopg.connect(one, autocommit=True, connect_timeout=5) for one in self.pool]
        for one in made:
            one.row_factory = dict_row  # type: ignore[assignment]
        self._connections = made
        self._cache = Redis.from_url(self.cache_url, decode_responses=True)

    def _close(self) -> None:
        for one in self._connections:
            one.close()
        if self._cache is not None:
            self._cache.close()

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        size = int(request.headers.get("Content-Length") or 0)
        body = json.loads(request.rfile.read(size)) if size else {}
        with self._lock:
            status, content = self._answer(request, body)
        sent = content.encode() if isinstance(content, str) else json.dumps(content, default=str).encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(sent)))
        request.end_headers()
        request.wfile.write(sent)

    def _answer(self, request: BaseHTTPRequestHandler, body: Any) -> Answer:
        import psycopg

        path = request.path.partition("?")[0]
        said = f"{request.command} {path}"
        if said in self.replaced:
            return self.replaced[said]
        if path.startswith("/api") and request.headers.get("X-API-Key") != self.key:
            return 401, {"error": "unknown credential"}
        try:
            answer = self._route(request.command, path, body)
        except psycopg.Error as exc:
            answer = 503, {"error": str(exc).splitlines()[0]}
        if said in self.frozen:
            self.frozen[said] = self.frozen[said] if self.frozen[said][0] else answer
            return self.frozen[said]
        return answer

    def _route(self, method: str, path: str, body: Any) -> Answer:
        last = path.rpartition("/")[2]
        routes: dict[tuple[str, str], Callable[[], Answer]] = {
            ("GET", "/health"): lambda: (200, {"status": "healthy", "ok": self._sql("SELECT 1 AS one")}),
            ("GET", "/version"): lambda: (
                200,
                {"version": self.version, "instance": f"site-{next(self._turn) % self.replicas}"},
            ),
            ("GET", "/metrics"): lambda: (
                200,
                f"# TYPE judgment_cache_hits counter\njudgment_cache_hits_total {self.hits}\n"
                f"# TYPE judgment_cache_misses counter\njudgment_cache_misses_total {self.misses}\n",
            ),
            ("GET", "/api/v1/admin/database"): self._told,
            ("POST", "/api/v1/judgment/executions"): lambda: self._judge(body),
            ("POST", "/api/v1/workflows"): lambda: self._work(body),
            ("POST", "/api/v1/chat/messages"): lambda: self._chat(body),
            ("GET", "/api/v1/bi/query"): self._chart,
        }
        if (method, path) in routes:
            return routes[method, path]()
        tables = {
            "/api/v1/judgment/executions": "judgments",
            "/api/v1/workflows": "workflows",
            "/api/v1/chat/messages": "messages",
        }
        table = tables.get(path.rpartition("/")[0])
        if table is None:
            return 404, {"error": "there is no such path"}
        verb = "SELECT *" if method == "GET" else "DELETE"
        more = "" if method == "GET" else " RETURNING id"
        rows = self._sql(f"{verb} FROM {table} WHERE id = %s{more}", last)
        return (200, rows[0]) if rows else (404, {"error": "there is no such thing"})

    def _sql(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        connection = self._connections[next(self._turn) % len(self._connections)]
        cursor = connection.execute(statement, parameters or None)
        return cursor.fetchall() if cursor.description else []

    def _told(self) -> Answer:
        told = [one.execute(_TOLD).fetchone() for one in self._connections]
        return 200, {"connections": told}

    def _judge(self, body: Any) -> Answer:
        passing = not body.pop("use_cache", True)
        text = json.dumps(body, sort_keys=True)
        key = PREFIX + hashlib.sha256(text.encode()).hexdigest()
        if self.layer is not None and text in self.layer:
            return 201, self.layer[text]
        known = None
        if not passing and self._cache is not None:
            known = self._cache.get(key) if self.looks_in_cache else None
            self.misses, self.hits = self.misses + (known is None), self.hits + (known is not None)
        rules = self._sql("SELECT version, stop FROM rules WHERE active")[0]
        result = known or ("STOP" if body["input"]["temperature"] >= rules["stop"] else "NORMAL")
        if known is None and not passing and self.keeps_in_cache and self._cache is not None:
            self._cache.set(key, result, ex=300)
        made = f"jud-{uuid.uuid4()}"
        self._sql("INSERT INTO judgments (id, result, version) VALUES (%s, %s, %s)", made, result, rules["version"])
        answer = {"execution_id": made, "result": result, "version": rules["version"], "method": body.get("method")}
        if self.layer is not None:
            self.layer[text] = answer
        return 201, answer

    def _work(self, body: Any) -> Answer:
        made = f"wf-{uuid.uuid4()}"
        status = "COMPLETED" if self.works_off else "PENDING"
        self._sql("INSERT INTO workflows (id, status) VALUES (%s, %s)", made, status)
        if body.get("workflow_id") == "notification" and self.works_off:
            self._sql("INSERT INTO outbox (id, sent) VALUES (%s, NULL)", made)
        return 202, {"instance_id": made, "status": "PENDING"}

    def _chat(self, body: Any) -> Answer:
        made = f"int-{uuid.uuid4()}"
        self._sql("INSERT INTO messages (id, text) VALUES (%s, %s)", made, body["text"])
        return 201, {"message_id": made, "intent": "machine_status", "reply": "All machines report."}

    def _chart(self) -> Answer:
        rows = self._sql("SELECT result, count(*) AS executions FROM judgments GROUP BY result")
        return 200, {"rows": rows, "chart": {"type": "bar"}}
