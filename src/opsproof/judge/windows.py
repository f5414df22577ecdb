"""Windows: checks are sampled again and again, and what counts is a stretch of time unbroken (design, section 1)."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from opsproof.judge.outcome import Fact


class State(StrEnum):
    """How a check stood during a part of a window."""

    HEALTHY = "healthy"
    FAILED = "failed"
    UNKNOWN = "unknown"
    GAP = "gap"


class Ending(StrEnum):
    """Why a window ended."""

    STABLE = "stable"
    DEADLINE = "deadline"
    TERMINAL = "terminal"
    INTERRUPTED = "interrupted"


class Span(Fact):
    """A part of a check's timeline in one state. Times are seconds from the window's begin."""

    state: State
    start: float = Field(description="When its first sample was asked for, or when the gap began.")
    end: float = Field(description="When its last sample had its answer, or when the gap ended.")
    samples: int = Field(description="How many samples it holds; none in a gap.")
    message: str = Field("", description="What its first sample that was not healthy said.")


class Timeline(Fact):
    """All that was seen of one check in a window."""

    check: str
    spans: tuple[Span, ...]
    flaps: int = Field(description="How often it was healthy and then failed.")


class WindowFact(Fact):
    """
    A window and what came of it. Durations are seconds; times are seconds from its begin.

    `first_healthy` is when all checks were healthy at once for the first time; `stable_since` is when the unbroken
    stretch began that the window ended with.
    """

    started: datetime
    ended: datetime
    stable_for: float = Field(description="How long all checks must be healthy, unbroken; 0: once is enough.")
    interval: float = Field(description="From one sample of a check to the next.")
    deadline: float
    ending: Ending
    why: str = Field("", description="What kept the window from becoming stable, or ended it.")
    unsteady: int = Field(0, description="How many checks were not healthy for the whole stretch at the deadline.")
    first_healthy: float | None = None
    stable_since: float | None = Field(None, description="None unless the window became stable.")
    longest: float = Field(0.0, description="The longest stretch in which all checks were healthy.")
    attempts: int = Field(description="Rounds of samples.")
    samples: int
    flaps: int = Field(description="How often all checks were healthy and then one of them failed.")
    gaps: int = Field(description="How often a sample was missed.")
    timelines: tuple[Timeline, ...]
