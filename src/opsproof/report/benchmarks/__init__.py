"""The report of a benchmark: bench.json, its page with charts, and its lines in summary.md and on the terminal."""
