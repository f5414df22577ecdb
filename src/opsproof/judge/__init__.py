"""Judging: outcomes, waivers, root causes, verdict. Knows no target and no client library."""
