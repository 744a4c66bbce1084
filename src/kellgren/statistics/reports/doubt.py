"""Whether a reader knows when he errs: a section of the report of answers."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kellgren.statistics.document import Section
from kellgren.statistics.doubt import risk_coverage
from kellgren.statistics.figures import reliability_figure, risk_coverage_figure
from kellgren.statistics.metrics import ALL
from kellgren.statistics.reports.measured import Measured
from kellgren.statistics.reports.writing import TITLES, Writer, table_of, with_interval

_GIVEN = (
    "Their q was given by hand. One fitted on these knees would flatter; where it comes from is "
    "not known here."
)


def doubt_section(found: Measured, writer: Writer, probabilities: NDArray[np.float64]) -> Section:
    """Errors among the surest answers, conformal sets, and confidence against accuracy."""
    both = found.both
    curve = risk_coverage(
        both.confidence(probabilities), (both.predicted != both.truth).astype(np.float64)
    )
    half = int(np.abs(curve.coverage - 0.5).argmin())
    said = (
        f"Were the surest {curve.coverage[half]:.0%} of the knees answered and the others left "
        f"to people, {curve.risk[half]:.1%} of the answers would be wrong, against "
        f"{curve.risk[-1]:.1%} of all; these two shares have no interval. The mean over all such "
        f"shares, the area under the curve, is {with_interval(found.summary.metric('aurc'))}."
    )
    words = [said]
    sets = [
        m
        if m.group == ALL
        else replace(m, metric=f"{TITLES[m.metric]}, true {m.group.replace('=', ' ')}")
        for m in found.summary.metrics
        if m.metric in {"set_coverage", "mean_set_size"}
    ]
    if sets and found.coverage is not None:
        words.append(
            f"The sets promise to hold {found.coverage:.0%} of true grades over all knees; of one "
            "grade by itself they promise nothing."
        )
        if found.settings.quantiles_given:
            words.append(_GIVEN)
    pictures = (
        writer.draw(
            reliability_figure(found.summary.bins, task=found.task, reader=both.reader),
            found.figure_name("reliability"),
            "Accuracy against confidence",
        ),
        writer.draw(
            risk_coverage_figure(curve, task=found.task, reader=both.reader),
            found.figure_name("risk-coverage"),
            "Errors left when the least sure answers are left to people",
        ),
    )
    return Section("Doubt", tuple(words), (table_of(sets),) if sets else (), pictures)
