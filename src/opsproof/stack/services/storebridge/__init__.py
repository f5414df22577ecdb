"""The StoreBridge service of runbook 004: it registers products of one market at another."""
