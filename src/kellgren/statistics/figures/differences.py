"""Two measurements of the same knees: their difference against their mean."""

from matplotlib.figure import Figure

from kellgren.records import RESEARCH_USE
from kellgren.statistics.bland_altman import BlandAltman
from kellgren.statistics.figures.style import MAIN, MUTED, SECOND, SMALL, new_figure, plain, styled


def bland_altman_figure(found: BlandAltman, *, first: str, second: str) -> Figure:
    """A point for each knee, the mean difference, and the limits of agreement with intervals."""
    with styled():
        figure = new_figure(height=0.85)
        axes = figure.add_subplot()
        axes.plot(
            found.means,
            found.differences,
            linestyle="none",
            marker="o",
            color=MAIN,
            markersize=2.0,
            alpha=0.5,
        )
        for value, interval, dash in (
            (found.bias, found.bias_interval, "-"),
            (found.lower, found.lower_interval, "--"),
            (found.upper, found.upper_interval, "--"),
        ):
            axes.axhline(value, color=SECOND, linestyle=dash)
            axes.axhspan(interval.low, interval.high, color=MUTED, alpha=0.25, linewidth=0.0)
        axes.set_xlabel(f"Mean of {plain(first)} and {plain(second)} (mm)")
        axes.set_ylabel(f"{plain(first)} − {plain(second)} (mm)")
        figure.supxlabel(RESEARCH_USE, fontsize=SMALL - 1.0, color=MUTED)
    return figure
