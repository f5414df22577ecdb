"""One canary beside its stable version, for the tests that leave it as it was."""

import pytest

from opsproof.stack.canary import CanarySite
from opsproof.stack.clusters import Grounds


@pytest.fixture(scope="package")
def running():
    """The site; whoever wants it as it is at first asks for `site`."""
    with Grounds() as grounds, CanarySite(grounds) as made:
        yield made


@pytest.fixture
def site(running):
    """The site, which is put back afterwards."""
    yield running
    running.restore()
