"""Turns opsproof on for this checkout."""

pytest_plugins = ["opsproof.plugin"]
