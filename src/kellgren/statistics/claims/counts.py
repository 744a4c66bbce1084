"""Two shares that are whole counts of cases: which counts bring them nearest to a third number."""

import math
from dataclasses import dataclass
from fractions import Fraction

from kellgren.statistics.claims.rounding import Printed


@dataclass(frozen=True, slots=True)
class CountedShare:
    """A share in [0, 1] that is a whole number of cases.

    Parameters
    ----------
    share
        As printed.
    of
        How many cases there are, at least 1.
    """

    share: Printed
    of: int

    @property
    def counts(self) -> range:
        """Every count that is printed so."""
        found = (self.share.interval * self.of).whole()
        return range(max(found.start, 0), min(found.stop, self.of + 1))


@dataclass(frozen=True, slots=True)
class Pair:
    """Counts of two shares, and what the shares come to together."""

    first: int
    second: int
    value: Fraction


def nearest_pair(
    first: CountedShare, second: CountedShare, *, sign: int, target: Fraction
) -> Pair | None:
    """Find the counts whose shares, ``second + sign * first``, come nearest to ``target``.

    Returns None where no whole count is printed as one of the shares.
    """
    counts = second.counts
    best: Pair | None = None
    for count in first.counts if counts else ():
        wanted = (target - sign * Fraction(count, first.of)) * second.of
        for other in (math.floor(wanted), math.ceil(wanted)):
            possible = min(max(other, counts[0]), counts[-1])
            value = Fraction(possible, second.of) + sign * Fraction(count, first.of)
            if best is None or abs(value - target) < abs(best.value - target):
                best = Pair(count, possible, value)
    return best
