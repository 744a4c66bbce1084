"""How every report gives the p of a test: as it is, and adjusted for all that the report asks."""

from collections.abc import Iterator

from kellgren.statistics.metrics import P_OF_FAMILY, P_OF_TEST, Q_OF_FAMILY
from kellgren.statistics.multiplicity import AdjustedP
from kellgren.statistics.reports.writing import p_value

P_HEAD = ("p", "p, Holm", "q, BH")
"""Above `p_cells`."""

BOTH_WAYS = (
    "Holm's p bounds the chance of even one false finding; Benjamini and Hochberg's q only the "
    "share of false ones among those found, for tests that are independent or positively "
    "dependent. Claim by Holm's p; q is for choosing what is worth asking again."
)
"""What a page says of the two."""


def p_cells(p: float, adjusted: AdjustedP) -> tuple[str, str, str]:
    """For a table."""
    return p_value(p), p_value(adjusted.holm), p_value(adjusted.q)


def p_rows(p: float, adjusted: AdjustedP, *, family: str = "") -> Iterator[tuple[str, float, str]]:
    """For ``metrics.json``: end of the metric's name, value, and what to add to the test's method.

    Parameters
    ----------
    family
        What it was adjusted for, such as " over 7 tests".
    """
    yield P_OF_TEST, p, ""
    yield P_OF_FAMILY, adjusted.holm, f"; Holm{family}"
    yield Q_OF_FAMILY, adjusted.q, f"; Benjamini-Hochberg{family}"
