"""Limits of a number as people write them: `< 1000`, `> 5 %`, `<= 2.5 s`, `10 .. 20`."""

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_UNITS = {
    "%": ("%", "0.01"),
    "ms": ("s", "0.001"),
    "s": ("s", "1"),
    "m": ("s", "60"),
    "h": ("s", "3600"),
    "d": ("s", "86400"),
    "KB": ("bytes", "1e3"),
    "MB": ("bytes", "1e6"),
    "GB": ("bytes", "1e9"),
    "KiB": ("bytes", "1024"),
    "MiB": ("bytes", "1048576"),
    "GiB": ("bytes", "1073741824"),
}
"""What a limit's number may have behind it: the unit that its indicator must have then, and the factor to it."""

_GIVEN = {"%": "a share from 0 to 1", "s": "seconds", "bytes": "bytes"}
_NUMBER = r"(-?(?:\d{1,3}(?:[_,]\d{3})+|\d+)(?:\.\d+)?)\s*(" + "|".join(_UNITS) + ")?"
_ONE_SIDED = re.compile(rf"(<=|>=|==|!=|<|>)\s*{_NUMBER}")
_BAND = re.compile(rf"{_NUMBER}\s*\.\.\s*{_NUMBER}")
_FORMS = (
    "expected a limit such as `< 1000`, `>= 5 %`, `< 2.5 s` or a band `10 .. 20`"
    " (a comma or `_` only between thousands: 1,000; decimals behind a point: 1.5)"
)


@dataclass(frozen=True, slots=True)
class Threshold:
    """
    One limit. Percent are kept as a share (`5 %` is 0.05), times in seconds, sizes in bytes.

    Attributes:
        text: As the profile writes it.
        operator: `<`, `<=`, `>`, `>=`, `==`, `!=`, or `..` for a band, whose ends belong to it.
        bounds: The number after the operator; lower and upper end of a band.
        unit: What the bounds are in: `%` (a share), `s`, `bytes`; "" if they are plain numbers.
    """

    text: str
    operator: str
    bounds: tuple[float, ...]
    unit: str

    def holds(self, value: float) -> bool:
        """Whether a finite number is on the side that the limit names."""
        if self.operator == "..":
            low, high = self.bounds
            return low <= value <= high
        return _OPERATORS[self.operator](value, self.bounds[0])

    def intervals(self) -> tuple[tuple[float, float, bool, bool], ...]:
        """The numbers for which it holds: lower end, upper end, and whether each end belongs to them."""
        first = self.bounds[0]
        return {
            "<": ((-math.inf, first, False, False),),
            "<=": ((-math.inf, first, False, True),),
            ">": ((first, math.inf, False, False),),
            ">=": ((first, math.inf, True, False),),
            "==": ((first, first, True, True),),
            "!=": ((-math.inf, first, False, False), (first, math.inf, False, False)),
            "..": ((first, self.bounds[-1], True, True),),
        }[self.operator]

    def misfit(self, unit: str) -> str:
        """
        Why it cannot judge numbers of a unit, with what to write instead; "" if it can.

        Args:
            unit: The indicator's unit. A share (`%`) is from 0 to 1, so its limits need their `%`; only 0 is 0 anyhow.
        """
        if self.unit:
            if self.unit == unit:
                return ""
            shown = f"`unit: {unit}`" if unit else "an indicator without a unit"
            kind = {"%": "a share", "s": "a time", "bytes": "a size"}[self.unit]
            fix = '"%"' if self.unit == "%" else self.unit
            return (
                f"({self.text}) is {kind}, which does not fit {shown}; write `unit: {fix}` and let the source give "
                f"{_GIVEN[self.unit]}, or a limit without a unit"
            )
        if unit == "%" and any(self.bounds):
            return f"({self.text}) has no %, while the number is a share from 0 to 1; write `{self.text} %`"
        return ""

    def overlaps(self, other: "Threshold") -> bool:
        """Whether there is a number for which both hold."""
        return any(_meet(mine, its) for mine in self.intervals() for its in other.intervals())

    def lies_in(self, other: "Threshold") -> bool:
        """Whether the other one holds wherever it holds."""
        return all(any(_covers(its, mine) for its in other.intervals()) for mine in self.intervals())


def _meet(one: tuple[float, float, bool, bool], other: tuple[float, float, bool, bool]) -> bool:
    low, high = max(one[0], other[0]), min(one[1], other[1])
    if low != high:
        return low < high
    at_low = all(closed for end, _, closed, _ in (one, other) if end == low)
    at_high = all(closed for _, end, _, closed in (one, other) if end == high)
    return at_low and at_high


def _covers(outer: tuple[float, float, bool, bool], inner: tuple[float, float, bool, bool]) -> bool:
    low = outer[0] < inner[0] or (outer[0] == inner[0] and (outer[2] or not inner[2]))
    high = outer[1] > inner[1] or (outer[1] == inner[1] and (outer[3] or not inner[3]))
    return low and high


def threshold(value: object) -> Threshold:
    """
    Read a limit.

    Args:
        value: `< 1000`, `> 5 %`, `<= 2.5 s`, `10 .. 20`; a thousands separator may be `_` or `,`.

    Raises:
        ValueError: The text is no limit.
    """
    if isinstance(value, Threshold):
        return value
    text = str(value).strip()
    if match := _ONE_SIDED.fullmatch(text):
        bound, unit = _number(match[2], match[3])
        return Threshold(text, match[1], (bound,), unit)
    if match := _BAND.fullmatch(text):
        (low, lower), (high, unit) = _number(match[1], match[2] or match[4]), _number(match[3], match[4])
        if lower != unit:
            raise ValueError("expected a band whose ends have the same unit: 10 .. 20 s")
        if low > high:
            raise ValueError("expected a band from the lower to the upper end")
        return Threshold(text, "..", (low, high), unit)
    raise ValueError(_FORMS)


def _number(digits: str, suffix: str | None) -> tuple[float, str]:
    """A number in the unit that belongs to its suffix; computed in decimals, so that `7 %` is 0.07."""
    unit, factor = _UNITS[suffix] if suffix else ("", "1")
    return float(Decimal(digits.replace(",", "").replace("_", "")) * Decimal(factor)), unit


def number_text(value: float, unit: str) -> str:
    """
    Write a number as people read it: `6.1 %`, `2.53 s`, `5,001 jobs`.

    Args:
        value: A share for the unit `%`, seconds for `s`, bytes for `bytes`; anything else as it is.
        unit: The indicator's unit, or "".
    """
    shown = value * 100 if unit == "%" else value
    if shown != 0 and abs(shown) < 0.01:
        digits = f"{shown:.3g}"
    elif float(shown).is_integer():
        digits = f"{shown:,.0f}"
    else:
        digits = f"{shown:,.2f}".rstrip("0").rstrip(".") if abs(shown) < 1000 else f"{shown:,.1f}"
    return f"{digits} {unit}".strip()


def _written(value: Any) -> str:
    return value.text if isinstance(value, Threshold) else str(value)


Limit = Annotated[
    Threshold,
    BeforeValidator(threshold, json_schema_input_type=Annotated[str, Field(description=_FORMS.capitalize())]),
    PlainSerializer(_written, return_type=str),
]
