"""The lanes in which all selected faults are proven, and the gate against a sound stack."""

import pytest
from lanes import Lanes
from proof_gate import run_gate

from opsproof.stack import Stack
from opsproof.stack.parts import ALL


@pytest.fixture(scope="session")
def lanes(request, tmp_path_factory):
    """Begins to prove the faults of all selected tests at once."""
    proving = [item for item in request.session.items if "lanes" in getattr(item, "fixturenames", ())]
    faults = list(dict.fromkeys(item.callspec.params["fault"] for item in proving))
    running = Lanes(faults, tmp_path_factory.mktemp("proof"))
    yield running
    running.close()


@pytest.fixture(scope="session")
def green(tmp_path_factory):
    """The gate against the sound stack of all systems."""
    stack = Stack.start()
    try:
        return run_gate(stack.name, ALL, tmp_path_factory.mktemp("green"))[0]
    finally:
        stack.stop()
