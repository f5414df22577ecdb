"""Names that the stack and its services must agree on."""

SUPERVISOR = "opsproof-supervisor"
"""
The User-Agent of what only waits for a service to be ready.

Its questions are neither counted nor logged: refusals while the stack is starting would be read as errors of users.
"""

GATE = "opsproof"
"""The product in the User-Agent of what the gate asks: `opsproof`, with or without a version."""

_JOBS = {"storebridge-api": "storebridge-web"}
"""Where a runbook gives the process another name than the stack does (004: storebridge-web)."""


def job_of(process: str) -> str:
    """What Prometheus and Loki call a process of the stack: its `job`."""
    return _JOBS.get(process, process)


def prefix_of(system: str) -> str:
    """The beginning of a system's variables: `factory-ai` has FACTORY_AI_URL."""
    return package_of(system).upper()


def package_of(system: str) -> str:
    """The Python package of a system's reference service: `factory_ai` for `factory-ai`."""
    return system.replace("-", "_")
