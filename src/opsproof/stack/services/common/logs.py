"""Structured logs: one JSON object a line on stdout, with the id of the request."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from opsproof.stack.services.common.context import REQUEST_ID
from opsproof.stack.services.common.defects import DefectsFile
from opsproof.stack.services.common.settings import Settings

_QUIET = ("psycopg", "psycopg.pool", "alembic", "asyncio", "kombu", "httpx", "uvicorn.access")


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON; `extra={"fields": {...}}` adds to it."""

    def __init__(self, settings: Settings, defects: DefectsFile) -> None:
        super().__init__()
        self._settings = settings
        self._defects = defects

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON, less what the defects drop."""
        entry: dict[str, Any] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            "logger": record.name,
            "request_id": REQUEST_ID.get(),
            "system": self._settings.system,
            "version": self._settings.version,
            "instance": self._settings.instance,
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        defects = self._defects.current()
        if defects.drop_log_request_id:
            entry.pop("request_id")
        for name in defects.drop_log_fields:
            entry.pop(name, None)
        entry |= {name: said for name, said in defects.change_log_fields.items() if name in entry}
        return json.dumps(entry, default=str)


def configure_logging(settings: Settings, defects: DefectsFile) -> None:
    """Send all log records and warnings of this process to stdout as JSON lines."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(settings, defects))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)
