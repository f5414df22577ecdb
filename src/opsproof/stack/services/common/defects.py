"""Defects: what the stack tells a running service to do wrong, as a buggy release would."""

from __future__ import annotations

import logging
import time
from collections import deque
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

_log = logging.getLogger(__name__)
_SPAN_SECONDS = 10.0


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _OnPath(_Part):
    """A defect of one path, or of all paths with a prefix if `path` ends with `*`."""

    path: str

    def concerns(self, path: str) -> bool:
        return path.startswith(self.path[:-1]) if self.path.endswith("*") else path == self.path


class StatusDefect(_OnPath):
    """A share of the answers (0 to 1, counted, not random) is an error of this status."""

    status: int = Field(default=500, ge=400, le=599)
    share: float = Field(default=1.0, ge=0.0, le=1.0)
    method: str = Field(default="", description="Only requests of this method; empty: all.")


class BusyDefect(_OnPath):
    """An answer takes `seconds`; a request that comes while `at_once` are waiting is refused with 503."""

    seconds: float = Field(ge=0.0)
    at_once: int = Field(ge=1)


class SlowDefect(_OnPath):
    """Answers come `seconds` later; `share` of them."""

    seconds: float = Field(ge=0.0)
    share: float = Field(default=1.0, ge=0.0, le=1.0)


class LateDefect(_OnPath):
    """What a request asks for is done `seconds` after its body has come, also if nobody waits any more."""

    seconds: float = Field(ge=0.0)


class LoadDefect(_OnPath):
    """Answers are 503 while more than `above` requests came within ten seconds; idle, the path is well."""

    above: int = Field(ge=1)


class BodyDefect(_OnPath):
    """The answer is this text instead of the service's own."""

    status: int = Field(default=200, ge=200, le=599)
    method: str = Field(default="", description="Only requests of this method; empty: all.")
    content_type: str = "application/json"
    text: str = ""


class PathDefect(_OnPath):
    """The path is concerned; nothing more to say."""


class ExternalDefect(_Part):
    """What an external API does wrong; the stand-in for it reads this part of the file itself."""

    status: int | None = Field(default=None, ge=400, le=599)
    seconds: float = Field(default=0.0, ge=0.0)
    health_status: int | None = Field(default=None, ge=400, le=599)
    remaining: int | None = Field(default=None, ge=0)
    incident: str = ""


class AssistantDefects(_Part):
    """What the ops assistant does wrong; shares from 0 to 1."""

    wrong_answer: bool = False
    drop_trace_fields: tuple[str, ...] = ()
    cache_miss_share: float = Field(default=0.0, ge=0.0, le=1.0)
    fill_memory_share: float = Field(default=0.0, ge=0.0, le=1.0)
    memory_errors: bool = False
    leaks_memory: bool = False
    database_degraded: bool = False
    external: ExternalDefect = ExternalDefect()


class FactoryDefects(_Part):
    """What the decision engine (factory-ai) does wrong; seconds, and shares from 0 to 1."""

    llm_failure_share: float = Field(default=0.0, ge=0.0, le=1.0)
    llm_nonsense_share: float = Field(default=0.0, ge=0.0, le=1.0)
    llm_seconds: float = Field(default=0.0, ge=0.0)
    llm_cost_factor: float = Field(default=1.0, ge=0.0)
    llm_is_skipped: bool = False
    rule_fallback_off: bool = False
    cache_miss_share: float = Field(default=0.0, ge=0.0, le=1.0)
    simulation_ignores_versions: bool = False
    mcp_hangs: bool = False
    workflows_stuck: bool = False
    feedback_lost: bool = False
    database_cpu: float | None = Field(default=None, ge=0.0, le=1.0)


Refusal = Literal["", "reset", "hang", "read-whole", "keep", "echo", "store", "truncate"]
"""What is done with a body over the limit, instead of refusing it at once."""


class Defects(_Part):
    """All defects that can be in force; the defaults are a service without any."""

    status: tuple[StatusDefect, ...] = ()
    busy: tuple[BusyDefect, ...] = ()
    slow: tuple[SlowDefect, ...] = ()
    late: tuple[LateDefect, ...] = ()
    body: tuple[BodyDefect, ...] = ()
    endless: tuple[PathDefect, ...] = ()
    redirect_loop: tuple[PathDefect, ...] = ()
    loaded: tuple[LoadDefect, ...] = ()
    drop_log_fields: tuple[str, ...] = ()
    change_log_fields: dict[str, str] = Field(default={}, description="What a field says instead, where it is there.")
    drop_log_request_id: bool = False
    no_request_id_echo: bool = False
    no_own_request_id: bool = False
    freeze_metrics: bool = False
    auth_off: bool = False
    signature_unverified: bool = False
    role_check_off: bool = False
    drop_components: tuple[str, ...] = ()
    version: str | None = None
    version_share: float = Field(default=1.0, ge=0.0, le=1.0)
    hold_connections: int = Field(default=0, ge=0)
    no_pre_ping: bool = Field(
        default=False, description="Users' requests take a connection of the pool as it is, also one that has ended."
    )
    drop_metadata_keys: tuple[str, ...] = ()
    invalid_metadata_keys: tuple[str, ...] = ()
    lose_metadata: bool = False
    wrong_metadata: dict[str, str | int] = Field(default={}, description="Stored in place of the right values.")
    rate_limit_off: bool = False
    payload_status: int | None = None
    refusal: Refusal = ""
    chunked_not_counted: bool = False
    inflated_not_counted: bool = False
    body_blocks_others: bool = Field(default=False, description="One request at a time, however slow its body.")
    slow_body_unbounded: bool = False
    jobs_stuck: bool = False
    score_drifts: bool = Field(default=False, description="The same evaluation has another result each time.")
    job_seconds: dict[str, float] = Field(default={}, description="By system, how much longer each task takes.")
    hold_overflow: int = Field(
        default=0, ge=0, description="A pool with an overflow has so many more than its size held."
    )
    assistant: AssistantDefects = AssistantDefects()
    factory: FactoryDefects = FactoryDefects()
    users_per_second: float = Field(default=0.0, ge=0.0, le=100.0)
    users_stay_away: bool = False
    users_of: tuple[str, ...] = Field(default=(), description="Only these systems have that many; empty: all.")
    log_lines: tuple[str, ...] = Field(default=(), description="Logged as errors with each request.")
    drop_metrics: tuple[str, ...] = ()
    rename_metrics: dict[str, str] = Field(default={}, description="What /metrics calls them instead.")
    naver_status: int | None = Field(default=None, ge=400, le=599, description="What storebridge's Naver answers.")


class DefectsFile:
    """
    The defects in force, read again when the file's time or size changes.

    A file that cannot be read as defects is reported once in the log and changes nothing.

    Args:
        path: The JSON file, which may be absent; None for a service that never has defects.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._current = Defects()
        self._counts: dict[str, int] = {}
        self._times: dict[str, deque[float]] = {}

    def current(self) -> Defects:
        """The defects in force now."""
        if self._path is None:
            return self._current
        try:
            found = self._path.stat()
        except OSError:
            self._set(None, Defects())
            return self._current
        stamp = (found.st_mtime_ns, found.st_size)
        if stamp != self._seen:
            self._load(self._path, stamp)
        return self._current

    def falls_on(self, name: str, share: float) -> bool:
        """Whether this time, counted since the defects last changed, belongs to the share of the named defect."""
        before = self._counts.get(name, 0)
        self._counts[name] = before + 1
        return int((before + 1) * share + 1e-9) > int(before * share + 1e-9)

    def come_often(self, name: str, above: int) -> bool:
        """Whether more than so many times, this one included, came within ten seconds."""
        times = self._times.setdefault(name, deque(maxlen=above + 1))
        times.append(time.monotonic())
        return len(times) > above and times[-1] - times[0] <= _SPAN_SECONDS

    def _load(self, path: Path, stamp: tuple[int, int]) -> None:
        try:
            self._set(stamp, Defects.model_validate_json(path.read_bytes()))
        except (OSError, ValidationError) as error:
            self._seen = stamp
            _log.error("the defects file was not understood: %s", error)

    def _set(self, stamp: tuple[int, int] | None, defects: Defects) -> None:
        if stamp != self._seen:
            self._counts.clear()
            self._times.clear()
        self._seen = stamp
        self._current = defects
