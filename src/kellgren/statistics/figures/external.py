"""What a reader is worth at home and elsewhere, and what is lost between, with intervals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from kellgren.anatomy import Task
from kellgren.statistics.bootstrap import Interval
from kellgren.statistics.external import Drop
from kellgren.statistics.figures.style import (
    MARKERS,
    MUTED,
    SERIES,
    broken,
    footer,
    new_figure,
    styled,
)

_ROW = 0.115
"""Height of a measure as a share of the width; chosen: three marks and a line's space."""

_APART = 0.24
"""Between the marks of a measure, in rows; chosen: intervals do not touch."""

_LETTERS = 17
"""Letters of a measure's name on one line; chosen: names then leave two thirds to the values."""

_SIZE = 2.5
"""Of a mark in points; chosen: smaller than an interval of 0.02 on the left."""

_NAMES = ("internal", "external", "external, internal mix of grades")


@dataclass(frozen=True, slots=True)
class Shift:
    """One measure on both cohorts.

    Parameters
    ----------
    drop
        As it is.
    alike
        With external knees of the internal mix of grades; None where that says nothing.
    lower_is_better
        Of an error; then the figure says so.
    """

    name: str
    drop: Drop
    alike: Drop | None = None
    lower_is_better: bool = False


def external_figure(shifts: Sequence[Shift], *, task: Task) -> Figure:
    """Draw each measure inside and outside on the left, and what is lost on the right.

    Hollow is what has no interval, and absent what is not estimable.
    """
    with styled():
        figure = new_figure(height=0.5 + _ROW * len(shifts))
        values, lost = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
        lost.axvline(0.0, color=MUTED, linewidth=0.6, linestyle="--")
        for row, shift in enumerate(shifts):
            inside = shift.drop
            _mark(values, inside.internal, inside.internal_interval, row=row, place=0)
            for place, drop in ((1, shift.drop), (2, shift.alike)):
                if drop is not None:
                    _mark(values, drop.external, drop.external_interval, row=row, place=place)
                    _mark(lost, drop.points, drop.points_interval, row=row, place=place)
        for axes in (values, lost):
            # Bands tell rows apart where three marks stand in each.
            for row in range(0, len(shifts), 2):
                axes.axhspan(row - 0.5, row + 0.5, color=MUTED, alpha=0.1, linewidth=0.0)
            axes.tick_params(axis="y", length=0.0)
            axes.xaxis.set_major_locator(MaxNLocator(nbins=3))
            axes.xaxis.set_major_formatter("{x:g}")
        values.set_yticks(range(len(shifts)), [_label(shift) for shift in shifts])
        values.set_ylim(len(shifts) - 0.5, -0.5)
        values.set_xlabel("Value")
        lost.set_xlabel("Internal minus\nexternal, points")
        shown = 3 if any(shift.alike is not None for shift in shifts) else 2
        handles = [
            Line2D([], [], color=SERIES[place], marker=MARKERS[place], label=_NAMES[place])
            for place in range(shown)
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=2, title=task.title)
        footer(figure)
    return figure


def _label(shift: Shift) -> str:
    name = f"{shift.name}; lower is better" if shift.lower_is_better else shift.name
    return broken(name, _LETTERS)


def _mark(axes: Axes, value: float, interval: Interval, *, row: int, place: int) -> None:
    level = row + (place - 1) * _APART
    axes.plot([interval.low, interval.high], [level, level], color=SERIES[place])
    axes.plot(
        value,
        level,
        color=SERIES[place],
        marker=MARKERS[place],
        markersize=_SIZE,
        linestyle="none",
        markerfacecolor="white" if math.isnan(interval.low) else SERIES[place],
    )
