"""Whether confidence means what it says, as a picture."""

from matplotlib.figure import Figure

from kellgren.anatomy import Task
from kellgren.statistics.calibration import ReliabilityBin
from kellgren.statistics.figures.style import MAIN, MUTED, entitle, new_figure, plain, styled

_LARGEST = 60.0
"""Area in square points of the fullest bin; chosen: neighbours just do not overlap."""


def reliability_figure(bins: tuple[ReliabilityBin, ...], *, task: Task, reader: str) -> Figure:
    """Accuracy against confidence above, and how many knees each bin holds below.

    The area of a point grows with its knees. It has no interval: one from its knees alone would
    take those of a patient for independent.
    """
    middles = [(b.low + b.high) / 2.0 for b in bins]
    widths = [b.high - b.low for b in bins]
    filled = [b for b in bins if b.n]
    most = max((b.n for b in filled), default=1)
    with styled():
        figure = new_figure(height=1.1)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        upper.plot([0.0, 1.0], [0.0, 1.0], color=MUTED, linestyle="--", label="as sure as right")
        upper.plot(
            [b.confidence for b in filled],
            [b.accuracy for b in filled],
            color=MAIN,
            linewidth=0.6,
        )
        upper.scatter(
            [b.confidence for b in filled],
            [b.accuracy for b in filled],
            s=[_LARGEST * b.n / most for b in filled],
            color=MAIN,
            alpha=0.8,
            linewidths=0.0,
            zorder=3.0,
            label=f"given by {plain(reader)}; area: knees",
        )
        upper.set_ylim(0.0, 1.0)
        upper.set_ylabel("Accuracy")
        upper.legend(loc="upper left")
        lower.bar(middles, [b.n for b in bins], width=widths, color=MAIN, edgecolor="white")
        lower.set_xlim(0.0, 1.0)
        lower.set_xlabel("Confidence: probability of the grade given")
        lower.set_ylabel("Knees" if task.unit == "knee" else f"{task.unit.capitalize()}s")
        entitle(figure, upper, task)
    return figure
