"""The ops assistant's own settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from starlette.requests import Request

from opsproof.stack.services.common.database import PoolSize
from opsproof.stack.services.common.services import Services, services_of
from opsproof.stack.services.common.settings import Variables


@dataclass(frozen=True)
class OpsAssistantOptions:
    """
    Settings of the process; those of Settings Admin are rows of the database.

    Args:
        pool: Database connections; read at start, so a change needs a restart.
        memory_limit: Bytes that the process may have, as `mem_limit` of a container would say.
        external_url: Where the external API is.
        external_key: Credential for it.
        second: Seconds that one configured second of a tool's time limit lasts, so that a limit of 30 s can be seen
            to work without waiting for 30 s.
    """

    pool: PoolSize
    memory_limit: int
    external_url: str
    external_key: str = field(repr=False)
    second: float

    @classmethod
    def read(cls, variables: Variables) -> OpsAssistantOptions:
        """Read and validate; raises SettingsError."""
        return cls(
            pool=PoolSize(
                variables.integer("DB_CONNECTION_POOL_SIZE", 20, minimum=1),
                variables.integer("DB_CONNECTION_POOL_OVERFLOW", 10, minimum=0),
            ),
            memory_limit=variables.integer("MEMORY_LIMIT_MIB", 1024, minimum=1) * 1024**2,
            external_url=variables.url("EXTERNAL_API_URL", ("http", "https")),
            external_key=variables.text("EXTERNAL_API_KEY", ""),
            second=variables.integer("TOOL_SECOND_MS", 1000, minimum=1) / 1000,
        )


def options_of(services: Services) -> OpsAssistantOptions:
    """The options of a running service."""
    return cast(OpsAssistantOptions, services.options)


def options_for(request: Request) -> OpsAssistantOptions:
    """The options of the service that answers the request."""
    return options_of(services_of(request))
