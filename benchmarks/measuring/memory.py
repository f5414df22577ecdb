"""How much memory a worker needs that measures for a long time."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Grown:
    """
    What it needed.

    Attributes:
        samples: Requests that it measured.
        seconds: Of the run that was played.
        bytes: By which the process has grown at its peak, from before the first request on.
    """

    samples: int
    seconds: int
    bytes: int


def measured(samples: int, rate: int) -> Grown:
    """
    Let a meter measure.

    Args:
        samples: Requests.
        rate: A second; what is kept of each second depends on it.
    """
    command = [sys.executable, str(Path(__file__).with_name("long_run.py")), str(samples), str(rate)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Grown(**json.loads(done.stdout))
