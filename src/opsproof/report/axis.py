"""Where an axis has its marks."""

import math

_STEPS = (
    *(number * 10.0**power for power in range(-4, 1) for number in (1, 2, 5)),
    *(10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0, 86400.0),
)
"""Seconds between two marks."""
_MOST = 6
_STEPS_OF_TEN = (1, 2, 5)


def time_marks(length: float) -> list[float]:
    """
    Round times for the marks of an axis that begins at 0, at most seven of them.

    Args:
        length: Seconds; more than 0.
    """
    step = next((step for step in _STEPS if length / step <= _MOST), length)
    return [number * step for number in range(int(length / step) + 1)]


def round_marks(bottom: float, top: float) -> list[float]:
    """
    Round numbers for the marks of an axis, 0 among them if it is within.

    Args:
        bottom: Its least number.
        top: Its largest; more than the least.
    """
    span = top - bottom
    power = 10.0 ** math.floor(math.log10(span / _MOST))
    step = next(factor * power for factor in (1, 2, 5, 10, 20) if span / (factor * power) <= _MOST)
    first, last = math.ceil(bottom / step - 1e-9), math.floor(top / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def log_marks(bottom: float, top: float) -> list[float]:
    """
    Round numbers for the marks of a logarithmic axis: 1, 2 and 5 times powers of ten, or these powers alone.

    Args:
        bottom: Its least number; more than 0.
        top: Its largest; more than the least.
    """
    powers = range(math.floor(math.log10(bottom)), math.ceil(math.log10(top)) + 1)
    marks = [step * 10.0**power for power in powers for step in _STEPS_OF_TEN]
    within = [mark for mark in marks if bottom * (1 - 1e-9) <= mark <= top * (1 + 1e-9)]
    return within if len(within) <= 2 * _MOST else [mark for mark in within if f"{mark:e}"[0] == "1"]
