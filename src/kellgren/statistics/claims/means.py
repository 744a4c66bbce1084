"""Means of printed numbers, and standard deviations that a scale allows."""

import math
from collections.abc import Sequence
from fractions import Fraction

from kellgren.statistics.claims.rounding import Interval, Printed
from kellgren.statistics.claims.verdict import Row, row


def check_mean(
    values: Sequence[Printed],
    mean: Printed,
    *,
    weights: Sequence[int] | None = None,
    name: str = "",
) -> Row:
    """Compare the mean of values with the mean that is printed.

    Parameters
    ----------
    values
        At least one, each rounded by itself.
    weights
        Such as the cases behind each, not all nought; equal, where nobody says otherwise.
    """
    each = [1] * len(values) if weights is None else weights
    total, face = Interval.of(0), Fraction(0)
    for value, weight in zip(values, each, strict=True):
        total += value.interval * weight
        face += value.value * weight
    return row(mean, total / sum(each), face=face / sum(each), name=name)


def check_spread(
    mean: Printed, sd: Printed, n: int, *, lowest: Fraction, highest: Fraction, name: str = ""
) -> Row:
    """Compare a standard deviation with the largest that values between two bounds can have.

    With mean m it is √((m - lowest)(highest - m) n / (n - 1)): all values lie at the bounds
    (Bhatia and Davis 2000, doi:10.1080/00029890.2000.12005203).

    Parameters
    ----------
    n
        How many values, at least 2.
    """
    allowed = mean.interval
    # The product is largest where the mean is in the middle of the scale, and falls to both sides.
    middle = (lowest + highest) / 2
    nearest = min(max(allowed.low, middle), allowed.high)
    reached = [
        Fraction(math.sqrt(max(Fraction(0), (m - lowest) * (highest - m)) * n / (n - 1)))
        for m in (mean.value, nearest, *allowed.ends)
    ]
    note = f"the largest of {n:,} values from {float(lowest):g} to {float(highest):g}"
    return row(
        sd,
        Interval.around(*reached),
        face=reached[0],
        name=name,
        relation="at_least",
        is_limit=True,
        note=note,
    )
