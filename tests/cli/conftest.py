"""Builders of runs, shared with the tests of the report."""

import sys
from pathlib import Path

REPORT = Path(__file__).parents[1] / "report"
sys.path[:0] = [str(REPORT), str(REPORT / "records"), str(REPORT / "canary"), str(REPORT / "benchmarks")]
