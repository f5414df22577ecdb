"""The ingest service of runbook 003."""
