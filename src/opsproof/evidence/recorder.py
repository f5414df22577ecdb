"""The recorder of the check that is running: what it saw, and what it may do."""

import io
from contextvars import ContextVar
from dataclasses import dataclass, field

from opsproof.evidence.observation import Observation


@dataclass
class Recorder:
    """
    Collects what one check does.

    Attributes:
        check: Id of the check with its profile and parameters; unique in the run.
        may_write: True for a check that is declared to write, where profile and operator allow it.
        observations: What the check asked, in order.
        telling: The observation that shows what is wrong, if one does.
        output: What the check printed.
    """

    check: str
    may_write: bool = False
    observations: list[Observation] = field(default_factory=list)
    telling: Observation | None = None
    output: io.StringIO = field(default_factory=io.StringIO)


recording: ContextVar[Recorder | None] = ContextVar("opsproof_recording", default=None)
"""The recorder of the check whose code is running, if any."""
