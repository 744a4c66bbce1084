"""Differences of two shares: percentage points, and per cent of the former."""

from fractions import Fraction
from typing import Literal

from kellgren.statistics.claims.counts import CountedShare, nearest_pair
from kellgren.statistics.claims.rounding import Printed
from kellgren.statistics.claims.verdict import Outcome, Reading, Row, nearest_of, row

Unit = Literal["per cent", "points"]

_PER_CENT = 100


def check_change(
    before: Printed,
    after: Printed,
    change: Printed,
    *,
    unit: Unit,
    counts: tuple[int, int] | None = None,
) -> tuple[Reading, ...]:
    """Compare a change with the two shares it lies between, in both units; signs are ignored.

    Parameters
    ----------
    before, after
        Shares or percentages. ``before`` is above nought even before rounding.
    change
        In per cent or points.
    unit
        What the paper calls it: that reading stands first.
    counts
        Of how many cases each share is, where it may be a whole count of them: a further reading
        in points.
    """
    first, second = before.as_share(), after.as_share()
    points = (second.interval - first.interval).size() * _PER_CENT
    face = abs(second.value - first.value) * _PER_CENT
    # As a quotient less one, in which each share stands once: no wider than it must be.
    relative = ((second.interval / first.interval) - 1).size() * _PER_CENT
    relative_face = abs(second.value / first.value - 1) * _PER_CENT
    readings = {
        "points": Reading("percentage points", (row(change, points, face=face),)),
        "per cent": Reading("per cent of the former", (row(change, relative, face=relative_face),)),
    }
    ordered = [readings.pop(unit), *readings.values()]
    if counts is not None:
        name = f"points between whole counts of {counts[0]:,} and {counts[1]:,}"
        pair = CountedShare(first, counts[0]), CountedShare(second, counts[1])
        ordered.append(Reading(name, (_between_counts(*pair, change, face=face),)))
    return tuple(ordered)


def _between_counts(
    first: CountedShare, second: CountedShare, change: Printed, *, face: Fraction
) -> Row:
    size = abs(change.value) / _PER_CENT
    either_way = (nearest_pair(first, second, sign=-1, target=t) for t in (size, -size))
    pairs = [pair for pair in either_way if pair is not None]
    if not pairs:
        reason = "no whole count is printed as one of the two"
        return Row("", change.text, "none", Outcome.CONTRADICTS, reason)
    best = min(pairs, key=lambda pair: abs(abs(pair.value) - size))
    note = f"{best.first:,} of {first.of:,} and {best.second:,} of {second.of:,} come nearest"
    return nearest_of(change, abs(best.value) * _PER_CENT, face=face, note=note)
