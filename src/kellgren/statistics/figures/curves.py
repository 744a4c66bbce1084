"""ROC, precision and recall, and what is left wrong when doubt is left to people."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kellgren.anatomy import Task
from kellgren.statistics.discrimination import Curve
from kellgren.statistics.doubt import RiskCoverage
from kellgren.statistics.figures.style import (
    DASHES,
    MAIN,
    MUTED,
    SERIES,
    entitle,
    new_figure,
    plain,
    styled,
)


def roc_figure(curves: Sequence[tuple[str, Curve]], *, task: Task) -> Figure:
    """Sensitivity against 1 − specificity, a line for each named curve."""
    with styled():
        figure, axes = _square(task)
        axes.plot([0.0, 1.0], [0.0, 1.0], color=MUTED, linewidth=0.6)
        _lines(axes, curves, "AUC")
        axes.set_xlabel("1 − specificity")
        axes.set_ylabel("Sensitivity")
        axes.legend(loc="lower right")
    return figure


def precision_recall_figure(
    curves: Sequence[tuple[str, Curve]], *, task: Task, prevalences: Sequence[float]
) -> Figure:
    """Precision against recall, and thin where chance would lie, which is the prevalence.

    Parameters
    ----------
    prevalences
        Of what each curve finds, in their order.
    """
    with styled():
        figure, axes = _square(task, height=1.3)
        for place, prevalence in enumerate(prevalences):
            colour, dash = SERIES[place % len(SERIES)], DASHES[place % len(DASHES)]
            axes.axhline(prevalence, color=colour, linestyle=dash, linewidth=0.4)
        named = [
            (f"{name} ({prevalence:.1%} of all)", curve)
            for (name, curve), prevalence in zip(curves, prevalences, strict=True)
        ]
        _lines(axes, named, "AP", drawstyle="steps-pre")
        axes.set_xlabel("Recall")
        axes.set_ylabel("Precision")
        # Below the curves: those of rare grades leave no corner free.
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18))
    return figure


def risk_coverage_figure(curve: RiskCoverage, *, task: Task, reader: str) -> Figure:
    """Share of errors among the surest answers, against how many are answered."""
    with styled():
        figure = new_figure(height=0.8)
        axes = figure.add_subplot()
        axes.plot(curve.coverage, curve.risk, color=MAIN, label=plain(reader))
        axes.axhline(curve.risk[-1], color=MUTED, linewidth=0.6, linestyle="--", label="all")
        axes.set_xlim(0.0, 1.0)
        axes.set_ylim(bottom=0.0)
        axes.set_xlabel("Share of knees answered, the surest first")
        axes.set_ylabel("Wrong among them")
        axes.legend(loc="lower right")
        entitle(figure, axes, task)
    return figure


def _square(task: Task, *, height: float = 1.0) -> tuple[Figure, Axes]:
    figure = new_figure(height=height)
    axes = figure.add_subplot()
    axes.set_aspect("equal")
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(0.0, 1.02)
    entitle(figure, axes, task)
    return figure, axes


def _lines(
    axes: Axes, curves: Sequence[tuple[str, Curve]], area: str, *, drawstyle: str = "default"
) -> None:
    for place, (name, curve) in enumerate(curves):
        axes.plot(
            curve.x,
            curve.y,
            color=SERIES[place % len(SERIES)],
            linestyle=DASHES[place % len(DASHES)],
            drawstyle=drawstyle,
            label=f"{plain(name)}, {area} {curve.area:.3f}",
        )
