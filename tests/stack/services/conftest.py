"""One stack for all tests of the reference services."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from reference_service import Service

from opsproof.stack import Stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with Stack.start(["ingest", "evaluation"]) as running:
        yield running


@pytest.fixture(scope="session")
def ingest(stack: Stack) -> Service:
    return Service(stack, "ingest")


@pytest.fixture(scope="session")
def evaluation(stack: Stack) -> Service:
    return Service(stack, "evaluation")


@pytest.fixture(params=["ingest", "evaluation"])
def service(request: pytest.FixtureRequest) -> Service:
    found: Service = request.getfixturevalue(request.param)
    return found
