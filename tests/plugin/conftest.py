from collections.abc import Iterator
from pathlib import Path

import pytest
from answering import AnsweringServer
from checkout import Checkout


@pytest.fixture(scope="session")
def _listening() -> Iterator[AnsweringServer]:
    server = AnsweringServer()
    yield server
    server.close()


@pytest.fixture
def server(_listening: AnsweringServer) -> AnsweringServer:
    """A real HTTP server that answers everything with HEALTHY, until told otherwise."""
    _listening.reset()
    return _listening


@pytest.fixture
def checkout(tmp_path: Path, server: AnsweringServer) -> Checkout:
    """A checkout whose profile demo/local has that server as its target `api`."""
    return Checkout(tmp_path, server.url)
