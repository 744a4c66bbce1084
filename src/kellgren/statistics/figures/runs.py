"""Every run of every system by one score, with the mean and how far runs lie about it."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kellgren.statistics.figures.style import MAIN, MUTED, SECOND, footer, new_figure, plain, styled

_ROW = 0.11
"""Height of a system as a share of the width; chosen: room for dots beside one another."""

_SPREAD = 0.18
"""How far dots are moved off their row, in rows, so that equal ones do not hide each other."""

_MEAN = 0.34
"""How far above its dots a mean stands, in rows."""


def runs_figure(
    values: Sequence[NDArray[np.float64]], *, systems: Sequence[str], score: str, paired: bool
) -> Figure:
    """Draw a row for each system, from above: a dot a run, mean and standard deviation above.

    Thin lines join runs that belong together, which then stand on one level.
    """
    with styled():
        figure = new_figure(height=0.38 + _ROW * len(systems))
        axes = figure.add_subplot()
        if paired:
            # Each line bends at every row.
            rows = np.arange(len(systems))
            axes.plot(np.stack(values), rows, color=MUTED, linewidth=0.4, alpha=0.7)
        for row, each in enumerate(values):
            lifted = row if paired else row + np.linspace(-_SPREAD, _SPREAD, len(each))
            axes.plot(
                each,
                np.broadcast_to(lifted, each.shape),
                color=MAIN,
                marker="o",
                linestyle="none",
                markersize=2.5,
                alpha=0.6,
                markeredgewidth=0.0,
                label="a run" if row == 0 else None,
            )
            axes.errorbar(
                each.mean(),
                row - _MEAN,
                xerr=each.std(ddof=1),
                color=SECOND,
                marker="D",
                markersize=3.0,
                capsize=2.0,
                label="mean ± SD" if row == 0 else None,
            )
        axes.set_yticks(range(len(systems)), [plain(name) for name in systems])
        axes.set_ylim(len(systems) - 0.5, -0.65)
        axes.set_xlabel(plain(score))
        figure.legend(loc="outside upper center", ncols=2)
        footer(figure)
    return figure
