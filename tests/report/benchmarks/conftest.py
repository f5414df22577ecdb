"""Builders that these tests share with those of the report."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
