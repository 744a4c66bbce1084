"""What intervals would have been, had knees been independent: a section of the report."""

from collections.abc import Iterator

from kellgren.statistics.document import Section, Table
from kellgren.statistics.reports.measured import Measured
from kellgren.statistics.reports.writing import TITLES, interval, number

_WHY = (
    "Two knees and several visits of a patient are alike. Intervals that take them for "
    "independent are too narrow; beside ours, what they would have been."
)


def resampling_section(found: Measured) -> Section:
    """Intervals by patient beside those by knee."""
    head = ("", "By patient", "By knee", "Times as wide")
    table = Table(head, tuple(_rows(found)))
    return Section("Why patients are resampled", (_WHY,), (table,))


def _rows(found: Measured) -> Iterator[tuple[str, ...]]:
    for naive in found.naive:
        own = found.summary.metric(naive.metric)
        naively = naive.high - naive.low
        ratio = (own.high - own.low) / naively if naively > 0.0 else float("nan")
        yield (
            TITLES[own.metric],
            interval(own.low, own.high),
            interval(naive.low, naive.high),
            number(ratio),
        )
