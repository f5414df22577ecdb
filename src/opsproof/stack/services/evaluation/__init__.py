"""The evaluation service of runbook 002."""
