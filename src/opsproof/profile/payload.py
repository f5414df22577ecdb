"""What a profile says about its payload guard (runbook 003): who takes bodies, through which hops, up to which size."""

import json
import string
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from opsproof.profile.payload_plan import Plan, plan_of
from opsproof.profile.scalars import Duration
from opsproof.profile.targets import Section

Form = Literal["json", "ndjson", "form", "multipart", "octets"]
Coding = Literal["gzip", "deflate"]
Path = Annotated[str, Field(pattern=r"^/")]

_EARLY_BYTES = 65536


class Taker(Section):
    """A path that takes a body by POST."""

    name: str = Field(pattern=r"^[a-z0-9_]+$", description="Short name; part of the check's id.")
    path: Path
    batch_field: str = Field("", description="Key of the list, if it takes a list of items; left out, it takes one.")
    takes: tuple[Form, ...] = Field(("json",), min_length=1, description="Forms of a body that it takes.")
    encodings: tuple[Coding, ...] = Field((), description="Content-Encodings that it unpacks.")


class Hop(Section):
    """A way to the service: directly, or by a proxy that has a limit of its own."""

    target: str = Field(description="Name of the http target that is asked.")
    max_body_bytes: int | None = Field(None, ge=1, description="Its own limit in bytes, where that is the lower one.")
    plain: bool = Field(False, description="True: a 413 without the system's error body is right here (a proxy's own).")
    http2: bool = Field(False, description="True: it speaks HTTP/2, by prior knowledge or ALPN.")
    early_bytes: int | None = Field(None, ge=0, description="In place of payload.early_bytes.")
    reads_whole: int = Field(
        0, ge=0, description="Bodies up to so many bytes are read whole before anybody judges them (a buffering proxy)."
    )
    continues: bool = Field(False, description="True: it answers 100 Continue before anybody judges the length.")
    slow_within: Duration | None = Field(None, description="Time after which a slow body must be ended.")


class Memory(Section):
    """The resident memory of the service, as its own metrics tell it."""

    path: Path = "/metrics"
    metric: str = "process_resident_memory_bytes"


class Payload(Section):
    """The payload guard (runbook 003, oversized payload)."""

    max_body_bytes: int = Field(ge=1, description="MAX_REQUEST_BODY_BYTES of the release.")
    max_batch_items: int | None = Field(None, ge=1, description="INGEST_MAX_BATCH_ITEMS of the release.")
    endpoints: tuple[Taker, ...] = Field(
        min_length=1, description="Paths that take a body; the first is the usual one."
    )
    hops: dict[str, Hop] = Field(
        {"app": Hop(target="api")},
        min_length=1,
        description="Ways to the service, by name; the first is the usual one.",
    )
    error_code: str | None = Field("PAYLOAD_TOO_LARGE", description="Code of the refusal; null, none is judged.")
    error_field: str = Field("error.code", description="Dotted name of the code in the refusal's body.")
    request_id_header: str | None = Field(None, description="Header whose value must come back with a refusal.")
    request_id_field: str | None = Field(None, description="Dotted name of the same in the refusal's body.")
    early_bytes: int | None = Field(
        None,
        ge=0,
        description="Bytes of a body that may be accepted after its size can be known to be too large; left out, a "
        "quarter of the limit, 65536 at most.",
    )
    answer_within: Duration = Field(3.0, description="Time within which whatever was sent must be answered.")
    max_total_bytes: int = Field(
        256_000_000,
        ge=1,
        description="Bytes that all payload checks together may send, or have unpacked; what is over is left out.",
    )
    connections: int = Field(10, ge=1, le=100, description="Fresh connections, so that every replica is asked.")
    normal: Path | None = Field(None, description="Path whose GET must be served during and after a refusal.")
    memory: Memory | None = Field(None, description="Where resident memory is told; left out, it is not judged.")
    item: dict[str, Any] = Field(
        {"tenant": "{tenant}", "key": "{key}", "filler": "{filler}"},
        description="One item; the text {tenant} and {key} is filled in, {filler} grows to the size that is sent.",
    )
    stored: str | None = Field(
        None,
        description="SQL that counts the rows of a tenant; parameter %(tenant)s. Left out, storing is not verified.",
    )
    clean_up: Path | None = Field(None, description="Path that deletes a tenant's items; {tenant} is filled in.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if any(endpoint.batch_field for endpoint in self.endpoints) and self.max_batch_items is None:
            raise ValueError("expected `max_batch_items`, since an endpoint has a `batch_field`")
        if (self.stored is None) is not (self.clean_up is None):
            raise ValueError("expected `stored` and `clean_up` together: what is removed is counted")
        if self.stored is not None and not all(blank in json.dumps(self.item) for blank in ("{tenant}", "{key}")):
            raise ValueError("expected {tenant} and {key} in `item`: they tell what a run stored from all else")
        names = [endpoint.name for endpoint in self.endpoints]
        if len(set(names)) < len(names):
            raise ValueError("expected `endpoints` with different names")
        return self

    @field_validator("stored")
    @classmethod
    def _counts_one_tenant(cls, sql: str | None) -> str | None:
        if sql is not None and "%(tenant)s" not in sql:
            raise ValueError("expected SQL with %(tenant)s: without it everybody's rows are counted")
        return sql

    @field_validator("clean_up")
    @classmethod
    def _deletes_one_tenant(cls, path: str | None) -> str | None:
        if path is not None and [name for _, name, _, _ in string.Formatter().parse(path) if name] != ["tenant"]:
            raise ValueError("expected a path with {tenant} once: without it everybody's items are deleted")
        return path

    @cached_property
    def plan(self) -> Plan:
        """All that the payload checks send."""
        return plan_of(self)

    def limit_at(self, hop: str) -> int:
        """The limit in bytes that is in force at a hop."""
        return min(self.max_body_bytes, self.hops[hop].max_body_bytes or self.max_body_bytes)

    def early_at(self, hop: str) -> int:
        """Bytes that may be accepted at a hop after the size can be known."""
        own = self.hops[hop].early_bytes
        said = self.early_bytes if own is None else own
        limit = self.limit_at(hop)
        return min(_EARLY_BYTES, limit // 4) if said is None else min(said, limit - 1)
