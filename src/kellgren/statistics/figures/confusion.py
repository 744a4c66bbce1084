"""A confusion matrix as a picture."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kellgren.anatomy import Task
from kellgren.statistics.figures.style import SMALL, entitle, new_figure, plain, styled


def confusion_figure(
    confusion: NDArray[np.int64], *, task: Task, reader: str, rows: str = "Truth"
) -> Figure:
    """Counts (classes, classes), shaded by the share of their row; rows are the truth's."""
    totals = confusion.sum(axis=1, keepdims=True)
    shares = np.divide(confusion, totals, out=np.zeros(confusion.shape), where=totals > 0)
    with styled():
        figure = new_figure(height=0.95)
        axes = figure.add_subplot()
        axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
        for row, column in np.ndindex(*confusion.shape):
            share = shares[row, column]
            axes.text(
                column,
                row,
                f"{confusion[row, column]}\n{100 * share:.0f} %",
                ha="center",
                va="center",
                fontsize=SMALL,
                # Chosen: on this blue black reads better up to about here.
                color="white" if share > 0.65 else "black",
            )
        axes.set_xticks(range(len(task.classes)), task.classes)
        axes.set_yticks(range(len(task.classes)), task.classes)
        axes.set_xlabel(f"given by {plain(reader)}")
        axes.set_ylabel(plain(rows))
        entitle(figure, axes, task)
    return figure
