"""Sensitivity and specificity at a threshold, and what else is printed of the same curve."""

from fractions import Fraction

from kellgren.statistics.claims.counts import CountedShare, nearest_pair
from kellgren.statistics.claims.rounding import Interval, Printed
from kellgren.statistics.claims.verdict import Outcome, Row, nearest_of, row


def check_youden(
    sensitivity: Printed,
    specificity: Printed,
    youden: Printed,
    *,
    cases: tuple[int, int] | None = None,
    name: str = "",
) -> Row:
    """Compare Youden's J with sensitivity + specificity - 1.

    Parameters
    ----------
    cases
        How many are positive and how many negative, where that is printed: both shares are then
        whole counts, which leaves less to rounding.
    """
    first, second = sensitivity.as_share(), specificity.as_share()
    face = first.value + second.value - 1
    if cases is None:
        return row(youden, first.interval + second.interval - 1, face=face, name=name)
    positives, negatives = cases
    best = nearest_pair(
        CountedShare(first, positives),
        CountedShare(second, negatives),
        sign=1,
        target=youden.value + 1,
    )
    if best is None:
        reason = f"no whole count of {positives:,} or of {negatives:,} is printed as its share"
        return Row(name, youden.text, "none", Outcome.CONTRADICTS, reason)
    note = f"{best.first:,} of {positives:,} and {best.second:,} of {negatives:,} come nearest"
    return nearest_of(youden, best.value - 1, face=face, name=name, note=note)


def check_roc_point(
    sensitivity: Printed, specificity: Printed, auc: Printed, *, name: str = ""
) -> Row:
    """Compare an AUC with a point of its curve.

    A curve that never falls and passes through the point encloses at least sensitivity ×
    specificity, and leaves out at least (1 - sensitivity)(1 - specificity).
    """
    first, second = sensitivity.as_share().interval, specificity.as_share().interval
    least = first * second
    most = Interval.of(1) - (Interval.of(1) - first) * (Interval.of(1) - second)
    return row(auc, Interval(max(Fraction(0), least.low), min(Fraction(1), most.high)), name=name)
