"""Counts and their percentages, and percentages that no whole count has.

The second is the test of granularity that Brown and Heathers (2017) call GRIM: a share of n, or a
mean of n whole numbers, moves in steps of 1/n.
"""

import math
from fractions import Fraction

from kellgren.statistics.claims.rounding import Interval, Printed
from kellgren.statistics.claims.verdict import CUT, Outcome, Row, row, unknown
from kellgren.statistics.claims.wording import number

_PER_CENT = 100


def check_share(count: int, of: int, percent: Printed, *, name: str = "") -> Row:
    """Compare a percentage with the count behind it; ``of`` is at least 1."""
    share = Fraction(_PER_CENT * count, of)
    note = f"{count:,} of {of:,}"
    return row(percent, Interval.of(share), face=share, name=name, note=note)


def check_whole_count(printed: Printed, of: int, *, percent: bool = True, name: str = "") -> Row:
    """Look for a whole number of ``of`` that gives a percentage, or a total that gives a mean.

    Parameters
    ----------
    printed
        The percentage; with ``percent`` false the mean, or share, of whole numbers.
    of
        How many there are, at least 1. Where they are so many that every printed number belongs to
        a whole one, nothing can be checked.
    """
    scale = _PER_CENT if percent else 1
    totals = printed.interval * Fraction(of, scale)
    if totals.width >= 1:
        reason = f"every number with these digits belongs to some whole count of {of:,}"
        return unknown(reason, name=name, published=printed.text)
    found = totals.whole()
    if percent:
        found = range(max(found.start, 0), min(found.stop, of + 1))
    outcome, note = Outcome.CONSISTENT, ""
    if not found:
        below = math.floor(totals.low)
        found, outcome = range(below, below + 2), Outcome.CONTRADICTS
        cut = any(printed.cut_from(Fraction(scale * count, of)) for count in found)
        note = "; ".join(["these lie on both sides", *([CUT] if cut else [])])
    parts = (
        f"{count:,} of {of:,} ({number(Fraction(scale * count, of), unit=printed.unit)})"
        for count in found
    )
    return Row(name, printed.text, ", ".join(parts), outcome, note)
