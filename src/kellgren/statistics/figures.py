"""Figures of a report, as PNG and SVG that hold no time, no version and no random identifier."""

from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kellgren.anatomy import Task
from kellgren.files import write_atomically
from kellgren.records import RESEARCH_USE
from kellgren.statistics.calibration import ReliabilityBin

_DPI = 150
_BLUE = "#2b5c8a"
_GREY = "#6b6b6b"

# What matplotlib would otherwise stamp into a file.
_STAMPS: dict[Literal["png", "svg"], dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
}
_SALT = "kellgren"


def confusion_figure(confusion: NDArray[np.int64], *, task: Task, reader: str) -> Figure:
    """Counts (classes, classes), rows true, shaded by the share of their row."""
    totals = confusion.sum(axis=1, keepdims=True)
    shares = np.divide(confusion, totals, out=np.zeros(confusion.shape), where=totals > 0)
    figure = Figure(figsize=(5.0, 4.6), layout="constrained")
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
            fontsize=8,
            # Half-way the background is as far from white as from black.
            color="white" if share > 0.5 else "black",
        )
    axes.set_xticks(range(len(task.classes)), task.classes)
    axes.set_yticks(range(len(task.classes)), task.classes)
    axes.set_xlabel(_given_by(reader))
    axes.set_ylabel("Truth")
    _entitle(figure, axes, task)
    return figure


def reliability_figure(bins: tuple[ReliabilityBin, ...], *, task: Task, reader: str) -> Figure:
    """Accuracy against confidence above, and how many knees each bin holds below."""
    figure = Figure(figsize=(5.0, 5.4), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    middles = [(b.low + b.high) / 2.0 for b in bins]
    widths = [b.high - b.low for b in bins]
    filled = [b for b in bins if b.n]
    upper.plot([0.0, 1.0], [0.0, 1.0], color=_GREY, linestyle="--", label="as sure as right")
    upper.plot(
        [b.confidence for b in filled],
        [b.accuracy for b in filled],
        color=_BLUE,
        marker="o",
        label=_given_by(reader),
    )
    upper.set_ylim(0.0, 1.0)
    upper.set_ylabel("Accuracy")
    upper.legend(frameon=False, loc="upper left")
    lower.bar(middles, [b.n for b in bins], width=widths, color=_BLUE, edgecolor="white")
    lower.set_xlim(0.0, 1.0)
    lower.set_xlabel("Confidence: probability of the grade given")
    lower.set_ylabel("Knees" if task.unit == "knee" else f"{task.unit.capitalize()}s")
    _entitle(figure, upper, task)
    return figure


def write_figure(figure: Figure, stem: Path) -> tuple[Path, Path]:
    """Write ``stem.png`` and ``stem.svg`` and return their paths."""
    return _write(figure, stem, "png"), _write(figure, stem, "svg")


def _write(figure: Figure, stem: Path, kind: Literal["png", "svg"]) -> Path:
    path = stem.with_name(f"{stem.name}.{kind}")
    with mpl.rc_context({"svg.hashsalt": _SALT}), write_atomically(path, binary=True) as stream:
        figure.savefig(stream, format=kind, dpi=_DPI, metadata=_STAMPS[kind])
    return path


def _given_by(reader: str) -> str:
    # A reader's name is text of strangers; between two dollars it would be read as a formula.
    return "given by " + reader.replace("$", r"\$")


def _entitle(figure: Figure, axes: Axes, task: Task) -> None:
    axes.set_title(task.title)
    figure.supxlabel(RESEARCH_USE, fontsize=7, color=_GREY)
