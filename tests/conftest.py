"""What all tests need."""

import signal

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("opsproof", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("opsproof")  # how long an example takes says nothing on a busy machine


@pytest.fixture(autouse=True, scope="session")
def _programs_can_be_interrupted():
    """A runner that was started in the background ignores SIGINT, and so would every program that a test starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
