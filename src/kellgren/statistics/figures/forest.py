"""Values with their intervals below one another, such as of subgroups or of pairs of readers."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from kellgren.anatomy import Task
from kellgren.statistics.figures.style import MAIN, MUTED, entitle, new_figure, plain, styled

_LINE = 0.075
"""Height of an entry as a share of the width; chosen: 6-point text and a line's space."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A named value and its interval; NaN where there is none."""

    name: str
    value: float
    low: float
    high: float


def forest_figure(
    estimates: Sequence[Estimate], *, task: Task, label: str, reference: float | None = None
) -> Figure:
    """Draw estimates in their order, from above; ``reference`` is a line to compare with."""
    with styled():
        figure = new_figure(height=0.35 + _LINE * len(estimates))
        axes = figure.add_subplot()
        if reference is not None:
            axes.axvline(reference, color=MUTED, linewidth=0.6, linestyle="--")
        for row, one in enumerate(estimates):
            axes.plot([one.low, one.high], [row, row], color=MAIN)
            axes.plot(one.value, row, color=MAIN, marker="s", linestyle="none")
        axes.set_yticks(range(len(estimates)), [plain(one.name) for one in estimates])
        axes.set_ylim(len(estimates) - 0.5, -0.5)
        axes.set_xlabel(label)
        entitle(figure, axes, task)
    return figure
