"""Grounds for real clusters."""

import pytest

from opsproof.stack.clusters import Grounds


@pytest.fixture(scope="module")
def grounds():
    """A folder, ports and processes of its own; gone after the module."""
    with Grounds() as made:
        yield made
