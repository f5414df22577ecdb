"""One stack for all proofs, and the gate against it."""

import pytest

from opsproof.stack import Stack
from proof_gate import run_smoke


@pytest.fixture(scope="session")
def stack():
    """A stack of our own, broken and healed again and again."""
    with Stack.start() as stack:
        yield stack


@pytest.fixture
def run_gate(stack, tmp_path):
    """Run the smoke gate against the stack."""
    return lambda *more: run_smoke(stack.name, tmp_path, *more)[0]


@pytest.fixture(scope="session")
def green(stack, tmp_path_factory):
    """The gate against the sound stack."""
    return run_smoke(stack.name, tmp_path_factory.mktemp("green"))[0]
