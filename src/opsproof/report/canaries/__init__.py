"""The report of a watched canary: verdict.json, its picture, and its lines in summary.md and on the terminal."""
