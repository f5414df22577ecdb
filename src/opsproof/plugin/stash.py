"""What hangs on pytest's config and items."""

from datetime import datetime

import pytest

from opsproof.plugin.conduct import Conducted
from opsproof.plugin.gate import Gate

GATE = pytest.StashKey[Gate]()
STARTED = pytest.StashKey[datetime]()
CONDUCTED = pytest.StashKey[Conducted]()
