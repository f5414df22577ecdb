"""A real environment's profile, whose servers nobody has; nothing of it is contacted."""

from pathlib import Path

import pytest
from planning import SECRET

from opsproof.profile import load_profile

PROFILES = Path(__file__).parents[3] / "profiles"


@pytest.fixture(scope="session")
def described():
    """factory-ai's own scenarios, with two sites that have addresses."""
    variables = {
        "SITE_HOME_DATABASE_URL": f"postgresql://admin:{SECRET}@home.example:5432/factory-ai?sslmode=require",
        "SITE_DR_DATABASE_URL": f"postgresql://admin:{SECRET}@dr.example:5432/factory-ai",
        "SITE_SYSTEM_IDENTIFIER": "7440000000000000001",
    }
    return load_profile("factory-ai/embedded", root=PROFILES, variables=variables, missing="keep")
