"""The benchmark's parts are found as `python benchmarks/gate.py` finds them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
