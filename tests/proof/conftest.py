"""One stack for all proofs, and the gate against it."""

import pytest
from proof_gate import run_smoke

from opsproof.stack import Stack


@pytest.fixture(scope="session")
def stacks():
    """The stack that all proofs use, one after the other."""
    running = [Stack.start()]
    yield running
    running[0].stop()


@pytest.fixture
def stack(stacks):
    """A sound stack, broken and healed again and again; a new one after a fault that could not be healed."""
    if stacks[0].missing() or stacks[0].state.faults:
        stacks[0].stop()
        stacks[0] = Stack.start()
    return stacks[0]


@pytest.fixture
def run_gate(stack, tmp_path):
    """Run the smoke gate against the stack."""
    return lambda *more: run_smoke(stack.name, tmp_path, *more)[0]


@pytest.fixture(scope="session")
def green(stacks, tmp_path_factory):
    """The gate against the sound stack."""
    return run_smoke(stacks[0].name, tmp_path_factory.mktemp("green"))[0]
