"""Where a time axis has its marks."""

_STEPS = (
    *(number * 10.0**power for power in range(-4, 1) for number in (1, 2, 5)),
    *(10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0, 86400.0),
)
"""Seconds between two marks."""
_MOST = 6


def time_marks(length: float) -> list[float]:
    """
    Round times for the marks of an axis that begins at 0, at most seven of them.

    Args:
        length: Seconds; more than 0.
    """
    step = next((step for step in _STEPS if length / step <= _MOST), length)
    return [number * step for number in range(int(length / step) + 1)]
