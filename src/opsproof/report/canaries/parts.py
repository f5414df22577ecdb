"""The files that a run with canaries leaves."""

from opsproof.report.canaries.picture import svg
from opsproof.report.canaries.verdict import verdict_of
from opsproof.report.run import Run

VERDICT_FILE = "verdict.json"


def picture_name(number: int) -> str:
    """The file of a canary's picture, by its place in the run, from 0 on."""
    return f"canary-{number + 1}.svg" if number else "canary.svg"


def canary_parts(run: Run) -> dict[str, str]:
    """
    The verdict and the pictures, by the name of their file; none without a canary.

    Args:
        run: The run, redacted.
    """
    if not run.canaries:
        return {}
    pictures = {picture_name(number): svg(fact, run.lang) for number, fact in enumerate(run.canaries)}
    return {VERDICT_FILE: verdict_of(run).model_dump_json(indent=2) + "\n", **pictures}
