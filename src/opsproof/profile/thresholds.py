"""Limits of a number as people write them: `< 1000`, `> 5 %`, `<= 2.5 s`, `10 .. 20`."""

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
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
_FACTORS = {
    "": 1.0,
    "%": 0.01,
    "ms": 0.001,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "KB": 1e3,
    "MB": 1e6,
    "GB": 1e9,
    "KiB": 1024.0,
    "MiB": 1024.0**2,
    "GiB": 1024.0**3,
}
_NUMBER = r"(-?\d[\d_,]*(?:\.\d+)?)\s*(" + "|".join(filter(None, _FACTORS)) + ")?"
_ONE_SIDED = re.compile(rf"(<=|>=|==|!=|<|>)\s*{_NUMBER}")
_BAND = re.compile(rf"{_NUMBER}\s*\.\.\s*{_NUMBER}")
_FORMS = "expected a limit such as `< 1000`, `>= 5 %`, `< 2.5 s` or a band `10 .. 20`"


@dataclass(frozen=True, slots=True)
class Threshold:
    """
    One limit. Percent are kept as a share (`5 %` is 0.05), times in seconds, sizes in bytes.

    Attributes:
        text: As the profile writes it.
        operator: `<`, `<=`, `>`, `>=`, `==`, `!=`, or `..` for a band, whose ends belong to it.
        bounds: The number after the operator; lower and upper end of a band.
    """

    text: str
    operator: str
    bounds: tuple[float, ...]

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

    def holds_from(self, value: float) -> bool:
        """Whether it holds for a number and for all greater ones."""
        return self.holds(value) and any(low <= value and high == math.inf for low, high, *_ in self.intervals())

    def overlaps(self, other: "Threshold") -> bool:
        """Whether there is a number for which both hold."""
        return any(_meet(mine, its) for mine in self.intervals() for its in other.intervals())


def _meet(one: tuple[float, float, bool, bool], other: tuple[float, float, bool, bool]) -> bool:
    low, high = max(one[0], other[0]), min(one[1], other[1])
    if low != high:
        return low < high
    at_low = all(closed for end, _, closed, _ in (one, other) if end == low)
    at_high = all(closed for _, end, _, closed in (one, other) if end == high)
    return at_low and at_high


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
        return Threshold(text, match[1], (_number(match[2], match[3]),))
    if match := _BAND.fullmatch(text):
        low, high = _number(match[1], match[2] or match[4]), _number(match[3], match[4])
        if low > high:
            raise ValueError("expected a band from the lower to the upper end")
        return Threshold(text, "..", (low, high))
    raise ValueError(_FORMS)


def _number(digits: str, unit: str | None) -> float:
    return float(digits.replace(",", "").replace("_", "")) * _FACTORS[unit or ""]


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
