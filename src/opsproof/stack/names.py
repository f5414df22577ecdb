"""Names that the stack and its services must agree on."""

SUPERVISOR = "opsproof-supervisor"
"""
The User-Agent of what only waits for a service to be ready.

Its questions are neither counted nor logged: refusals while the stack is starting would be read as errors of users.
"""


def prefix_of(system: str) -> str:
    """The beginning of a system's variables: `factory-ai` has FACTORY_AI_URL."""
    return package_of(system).upper()


def package_of(system: str) -> str:
    """The Python package of a system's reference service: `factory_ai` for `factory-ai`."""
    return system.replace("-", "_")
