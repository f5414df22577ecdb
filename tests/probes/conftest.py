"""Real servers that probes are asked against."""

from collections.abc import Iterator

import pytest

from opsproof.stack import Stack
from opsproof.stack.parts.postgres import superuser_url


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """PostgreSQL and Valkey, and the reference service of `ingest` over them."""
    with Stack.start(["ingest"]) as stack:
        yield stack


@pytest.fixture(scope="session")
def dsn(stack: Stack) -> str:
    """A database as its superuser, who may do everything: what is refused here is refused by opsproof."""
    return superuser_url(stack.plan)


@pytest.fixture(scope="session")
def cache_url(stack: Stack) -> str:
    """A database number of Valkey that nothing else uses."""
    return f"redis://{stack.plan.address('valkey')}/9"
