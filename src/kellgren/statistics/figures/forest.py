"""Values with their intervals below one another, such as of subgroups or of pairs of readers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from kellgren.anatomy import Task
from kellgren.statistics.figures.style import (
    MAIN,
    MUTED,
    broken,
    entitle,
    new_figure,
    styled,
)

_LINE = 0.075
"""Height of an entry as a share of the width; chosen: 6-point text and a line's space."""

_TEXT = 0.04
"""Height of a line of text below the axes, likewise; chosen: 7 points and their space."""

_WORDS = 32
"""Letters on such a line; chosen: what the axes are wide beside long names."""

_LETTERS = 26
"""Of an entry's name on one line; chosen: more than half of the width is then left to values."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A named value and its interval; NaN where there is none.

    Parameters
    ----------
    lower_is_better
        Of an error, for instance; then the figure says so.
    """

    name: str
    value: float
    low: float
    high: float
    lower_is_better: bool = False

    @property
    def label(self) -> str:
        """The name, with what must be known to read the value."""
        notes = ["lower is better"] if self.lower_is_better else []
        if math.isnan(self.value):
            notes.append("not estimable")
        elif math.isnan(self.low):
            notes.append("no interval")
        return f"{self.name} ({', '.join(notes)})" if notes else self.name


def forest_figure(
    estimates: Sequence[Estimate],
    *,
    task: Task,
    label: str,
    reference: float | None = None,
    ends: tuple[str, str] | None = None,
) -> Figure:
    """Draw estimates in their order, from above; hollow what has no interval.

    Parameters
    ----------
    reference
        A line to compare with.
    ends
        What lies towards the left and towards the right, such as which reader is higher.
    """
    below = label
    if ends is not None:
        # Below one another: names are long and the axes narrow.
        left, right = broken(f"← {ends[0]}", _WORDS), broken(f"{ends[1]} →", _WORDS)
        below = "\n".join((label, left, right))
    with styled():
        figure = new_figure(height=0.35 + _LINE * len(estimates) + _TEXT * below.count("\n"))
        axes = figure.add_subplot()
        if reference is not None:
            axes.axvline(reference, color=MUTED, linewidth=0.6, linestyle="--")
        for row, one in enumerate(estimates):
            axes.plot([one.low, one.high], [row, row], color=MAIN)
            # Without an interval a full square would look like a perfectly precise value.
            inside = "white" if math.isnan(one.low) else MAIN
            axes.plot(
                one.value, row, color=MAIN, marker="s", linestyle="none", markerfacecolor=inside
            )
        axes.set_yticks(range(len(estimates)), [broken(one.label, _LETTERS) for one in estimates])
        axes.set_ylim(len(estimates) - 0.5, -0.5)
        axes.set_xlabel(below)
        entitle(figure, axes, task)
    return figure
