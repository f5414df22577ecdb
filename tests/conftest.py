"""What all tests need. pytest reads this file before it runs checks, too: nothing that only tests need is imported."""

import signal

import pytest


def pytest_collect_file() -> None:
    """How long an example takes says nothing on a busy machine; set before the first file of tests is read."""
    from hypothesis import HealthCheck, settings

    settings.register_profile("opsproof", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("opsproof")


@pytest.fixture(autouse=True, scope="session")
def _programs_can_be_interrupted():
    """A runner that was started in the background ignores SIGINT, and so would every program that a test starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
