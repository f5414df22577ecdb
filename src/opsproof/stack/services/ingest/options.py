"""The ingest service's own settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from starlette.requests import Request

from opsproof.stack.services.common.services import services_of
from opsproof.stack.services.common.settings import Variables


@dataclass(frozen=True)
class IngestOptions:
    """`max_batch_items`: how many items a batch may have; 0 turns the guard off."""

    max_batch_items: int

    @classmethod
    def read(cls, variables: Variables) -> IngestOptions:
        """Read and validate; raises SettingsError."""
        return cls(max_batch_items=variables.integer("INGEST_MAX_BATCH_ITEMS", 100, minimum=0))


def options_of(request: Request) -> IngestOptions:
    """The options of the service that answers the request."""
    return cast(IngestOptions, services_of(request).options)
