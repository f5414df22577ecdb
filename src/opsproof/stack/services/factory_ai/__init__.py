"""
The decision engine of runbook 001: judgment, workflows, BI queries, chat bot, feedback, learning.

The language model, the MCP hub and the exporter of the database's CPU are deterministic stand-ins inside the service.
"""
