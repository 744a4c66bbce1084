"""How every figure looks: one column of a journal wide, legible in grey, the same bytes again."""

import textwrap
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kellgren.anatomy import Task
from kellgren.files import write_atomically
from kellgren.records import RESEARCH_USE

WIDTH: Final = 85.0 / 25.4
"""Inches. Chosen: 85 mm, one column of most journals' two."""

SMALL: Final = 6.0
"""Points; chosen: what most journals allow at least."""

MAIN: Final = "#0072B2"
SECOND: Final = "#D55E00"
MUTED: Final = "#6b6b6b"
SERIES: Final = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#000000")
"""Okabe and Ito's colours, which people with any colour vision tell apart; with `DASHES` and
`MARKERS` in the same order, as two of them are equally dark in grey."""
DASHES: Final = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")

_DPI = 300
_STYLE: Any = {  # matplotlib's own type names every setting there is
    "font.size": 7.0,
    "axes.titlesize": 8.0,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.0,
    "lines.markersize": 3.5,
    "legend.frameon": False,
    "svg.hashsalt": "kellgren",
    "svg.fonttype": "none",
}
# What matplotlib would otherwise stamp into a file.
_STAMPS: dict[Literal["png", "svg"], dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
}


def styled() -> AbstractContextManager[None]:
    """The context in which a figure is drawn and written."""
    return mpl.rc_context(_STYLE)


def new_figure(*, height: float = 1.0) -> Figure:
    """An empty figure, one column wide and ``height`` times as high."""
    return Figure(figsize=(WIDTH, WIDTH * height), layout="constrained")


def entitle(figure: Figure, axes: Axes, task: Task) -> None:
    """The task above and what the figure may be used for below."""
    axes.set_title(task.title)
    footer(figure)


def footer(figure: Figure) -> None:
    """What the figure may be used for, below it."""
    figure.supxlabel(RESEARCH_USE, fontsize=SMALL, color=MUTED)


def plain(text: str) -> str:
    """A stranger's text as text: between two dollars it would be read as a formula."""
    return text.replace("$", r"\$")


def broken(text: str, letters: int) -> str:
    """A stranger's text as text, on lines of so many letters where it has spaces to break at."""
    lines = textwrap.wrap(text, letters, break_long_words=False, break_on_hyphens=False)
    return plain("\n".join(lines))


def write_figure(figure: Figure, stem: Path) -> tuple[Path, Path]:
    """Write ``stem.png`` and ``stem.svg``, without time, version or random identifier.

    Returns
    -------
    tuple of Path
        The PNG's and the SVG's.
    """
    return _write(figure, stem, "png"), _write(figure, stem, "svg")


def _write(figure: Figure, stem: Path, kind: Literal["png", "svg"]) -> Path:
    path = stem.with_name(f"{stem.name}.{kind}")
    with styled(), write_atomically(path, binary=True) as stream:
        figure.savefig(stream, format=kind, dpi=_DPI, metadata=_STAMPS[kind])
    return path
