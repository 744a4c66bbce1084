"""Two measurements of the same knees: their difference against their mean."""

from matplotlib.figure import Figure

from kellgren.statistics.bland_altman import BlandAltman
from kellgren.statistics.figures.style import (
    MAIN,
    MUTED,
    SECOND,
    SMALL,
    footer,
    new_figure,
    plain,
    styled,
)


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
        axes.axhline(0.0, color=MUTED, linewidth=0.6, linestyle=":")
        for name, value, interval, dash in (
            ("mean", found.bias, found.bias_interval, "-"),
            ("lower limit", found.lower, found.lower_interval, "--"),
            ("upper limit", found.upper, found.upper_interval, "--"),
        ):
            axes.axhline(value, color=SECOND, linestyle=dash)
            axes.axhspan(interval.low, interval.high, color=MUTED, alpha=0.25, linewidth=0.0)
            axes.annotate(
                f"{name} {value:+.2f}",
                (1.0, value),
                xycoords=axes.get_yaxis_transform(),
                xytext=(-2.0, 1.5),
                textcoords="offset points",
                ha="right",
                va="bottom",
                fontsize=SMALL,
                # Readable over points and lines.
                bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0.0, "pad": 0.6},
            )
        axes.set_xlabel(f"Mean of {plain(first)} and {plain(second)} (mm)")
        axes.set_ylabel(f"{plain(first)} − {plain(second)} (mm)")
        footer(figure)
    return figure
