"""The Inspector-based ops assistant of runbook 000."""
