"""Exact numbers as text, with the digits that a comparison with the printed one needs."""

import math
from fractions import Fraction

from kellgren.statistics.claims.rounding import Interval

_MORE = 1
"""Decimals beyond the printed ones; chosen: enough to see on which side of a rounding it lies."""

_PLAIN = 4
"""Digits of what is no whole number where an exact one is printed; chosen: as in 47.67."""

_SMALL = Fraction(1, 1000)
"""Below it a number is written by its leading digits; chosen: as papers write p values."""


def number(value: Fraction, *, unit: Fraction) -> str:
    """Text of a value beside a printed one whose last digit is worth ``unit``."""
    if value.denominator == 1 and unit in {0, 1}:
        return f"{value.numerator:,}"
    if 0 < abs(value) < _SMALL:
        return f"{float(value):.2e}"
    if unit == 0:
        return f"{float(value):,.{_PLAIN}g}"
    decimals = max(0, -round(math.log10(unit))) + _MORE
    return f"{float(round(value, decimals)):,.{decimals}f}"


def span(interval: Interval, *, face: Fraction | None, unit: Fraction) -> str:
    """Text of what was recomputed: the face value, and from where to where rounding takes it."""
    low, high = (number(end, unit=unit) for end in interval.ends)
    if face is None:
        return low if low == high else f"{low} to {high}"
    shown = number(face, unit=unit)
    return shown if low == high else f"{shown} [{low}, {high}]"
