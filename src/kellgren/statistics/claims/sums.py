"""Parts and their total: splits, grades of a cohort, layers of a network."""

from collections.abc import Sequence
from fractions import Fraction

from kellgren.statistics.claims.rounding import Interval, Printed
from kellgren.statistics.claims.verdict import Relation, Row, row


def check_sum(
    parts: Sequence[Printed],
    total: Printed,
    *,
    times: Sequence[int] | None = None,
    relation: Relation = "equals",
    name: str = "",
) -> Row:
    """Compare the sum of parts with a total.

    Parameters
    ----------
    parts
        At least one.
    times
        How often each part counts; once, where nobody says otherwise.
    relation
        ``at_least`` where parts may overlap, ``at_most`` where some may be missing.
    """
    each = [1] * len(parts) if times is None else times
    summed, face = Interval.of(0), Fraction(0)
    for part, often in zip(parts, each, strict=True):
        summed += part.interval * often
        face += part.value * often
    return row(total, summed, face=face, name=name, relation=relation, is_limit=True)
