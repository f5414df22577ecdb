"""One pair of sites for the tests that leave it as it was."""

import pytest

from opsproof.stack.clusters import Grounds
from opsproof.stack.site import EmbeddedSite


@pytest.fixture(scope="package")
def site():
    """Both sites; whoever breaks something starts sites of its own."""
    with Grounds() as grounds, EmbeddedSite(grounds) as made:
        yield made
