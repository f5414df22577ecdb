"""A reference service of a running stack, as its callers and its operators see it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg

from opsproof.stack import Stack
from opsproof.stack.credentials import token
from opsproof.stack.names import prefix_of

PATIENCE_SECONDS = 30.0


def eventually(look: Callable[[], Any]) -> Any:
    """The first true answer of `look`, or the last one when patience ends."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()) and time.monotonic() < until:
        time.sleep(0.05)
    return found


class Service:
    """One reference service of the stack, as its callers and its operators see it."""

    def __init__(self, stack: Stack, system: str) -> None:
        self.stack = stack
        self.system = system
        self.prefix = prefix_of(system)
        self.url = self["URL"]
        self.http = httpx.Client(base_url=self.url, headers={"X-API-Key": self["API_KEY"]}, timeout=10)
        self.anybody = httpx.Client(base_url=self.url, timeout=10)

    def __getitem__(self, name: str) -> str:
        return self.stack.variables[f"{self.prefix}_{name}"]

    def bearer(self, role: str, *, seconds: float = 60, secret: str | None = None) -> dict[str, str]:
        known = self.stack.plan.secrets[f"{self.system}.jwt"]
        return {"Authorization": f"Bearer {token(role, secret or known, seconds=seconds)}"}

    def log_lines(self, **fields: Any) -> list[dict[str, Any]]:
        """The log lines with these fields."""
        lines = [json.loads(line) for line in Path(self["LOG_FILE"]).read_text().splitlines()]
        return [line for line in lines if all(line.get(name) == value for name, value in fields.items())]

    def sql(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self["DATABASE_URL"], autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def ready(self) -> bool:
        return self.anybody.get("/health/ready").status_code == 200

    @contextmanager
    def defects(self, **defects: Any) -> Iterator[None]:
        path = self.stack.directory / "defects.json"
        fresh = path.with_suffix(".fresh")
        fresh.write_text(json.dumps(defects))
        os.replace(fresh, path)
        try:
            yield
        finally:
            path.unlink()
