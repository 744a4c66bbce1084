"""What every report does the same way: numbers as words, and its folder."""

import hashlib
import math
import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from kellgren.anatomy import KL, Task
from kellgren.files import refuse_foreign
from kellgren.records import RESEARCH_USE
from kellgren.statistics.document import Document, Picture, Table
from kellgren.statistics.figures import write_figure
from kellgren.statistics.metrics import Metric, write_metrics

PAGE = "report.html"
METRICS = "metrics.json"
FIGURES = "figures"
CARD = "model_card.md"

CARD_MARK = f"{RESEARCH_USE} SHA-256 "
"""How the third line of a model card begins; by it a report knows one from a person's notes."""

NOT_ESTIMABLE = "not estimable"

TITLES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "quadratic_kappa": "Kappa, quadratic weights",
    "linear_kappa": "Kappa, linear weights",
    "unweighted_kappa": "Kappa, unweighted",
    "mean_quadratic_kappa": "Mean quadratic kappa of pairs",
    "mean_quadratic_kappa_above_theirs": "… above that of people with each other",
    "icc_2_1": "ICC(2,1), absolute agreement",
    "icc_3_1": "ICC(3,1), consistency",
    "adjacent": "Off by one grade",
    "extreme": "Off by two grades or more",
    "adjacent_or_same": "Within one grade",
    "mean_absolute_error": "Mean absolute error (grades)",
    "mean_squared_error": "Mean squared error",
    "macro_precision": "Precision, macro",
    "macro_recall": "Recall, macro",
    "macro_f1": "F1, macro",
    "weighted_precision": "Precision, weighted",
    "weighted_recall": "Recall, weighted",
    "weighted_f1": "F1, weighted",
    "matthews_correlation": "Matthews correlation",
    "auc": "AUC",
    "average_precision": "Average precision",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "youden": "Youden's J",
    "expected_calibration_error": "Expected calibration error",
    "negative_log_likelihood": "Negative log-likelihood (nats)",
    "brier_score": "Brier score, over all grades (0 to 2)",
    "ranked_probability_score": "Ranked probability score, per cut (0 to 1)",
    "aurc": "Area under risk and coverage (AURC)",
    "set_coverage": "Coverage of the sets",
    "mean_set_size": "Mean size of a set (grades)",
    "recall": "Recall",
}
"""Metric → its name for a reader."""


def number(value: float, *, decimals: int = 3) -> str:
    """So many decimals, or that there is no number."""
    return NOT_ESTIMABLE if math.isnan(value) else f"{value:.{decimals}f}"


def interval(low: float, high: float, *, decimals: int = 3) -> str:
    """Both ends, or that there is none."""
    if math.isnan(low):
        return NOT_ESTIMABLE
    return f"{low:.{decimals}f} to {high:.{decimals}f}"


def with_interval(metric: Metric) -> str:
    """A value, and both ends in brackets where it has an interval."""
    if math.isnan(metric.low):
        return number(metric.value)
    return f"{number(metric.value)} ({interval(metric.low, metric.high)})"


def p_value(value: float) -> str:
    """Four decimals, an upper bound of what is smaller, or that there is none."""
    if math.isnan(value):
        return NOT_ESTIMABLE
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"


def from_cut(task: Task, cut: int) -> str:
    """Which knees count as positive, such as "KL ≥ 2" or "Joint-space narrowing, medial ≥ 1"."""
    if not task.ordinal:
        return f"{task.title}: {task.classes[cut]}"
    return f"{'KL' if task.name == KL.name else task.title} ≥ {task.classes[cut]}"


def basis(metric: Metric) -> str:
    """What a number rests on, and what is wrong with it if something is."""
    said = {
        "ok": "",
        "no_knees": "; no such knee",
        "undefined": "; not defined for these grades",
        "no_interval": "; too few patients for an interval",
        "interval_partial": "; not defined in some resamples, which are left out",
    }[metric.status]
    if metric.low == metric.high:
        said += "; the same in all resamples, which is no certainty"
    return f"{metric.n_knees} of {metric.n_patients} patients{said}"


def table_of(metrics: Iterable[Metric], *, caption: str = "") -> Table:
    """One row for each metric, by its name."""
    return Table(
        ("", "Value", "95 % interval", "Knees"),
        tuple(
            (
                TITLES.get(one.metric, one.metric),
                number(one.value),
                interval(one.low, one.high),
                basis(one),
            )
            for one in metrics
        ),
        caption,
    )


def is_card(path: Path) -> bool:
    """Whether there is a model card that a report wrote, and no file of that name by a person."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return False
    return len(lines) > 2 and lines[2].startswith(CARD_MARK)


class Writer:
    """A report's folder, which holds the last report whole until `finish` has the next one.

    Parameters
    ----------
    ours
        Whether the folder may be written to; None: if it is empty or holds an earlier report.

    Raises
    ------
    OutputError
        The folder holds something that no report wrote.
    """

    def __init__(self, folder: Path, *, ours: bool | None = None) -> None:
        if ours is None:
            ours = all((folder / name).is_file() for name in (PAGE, METRICS))
        refuse_foreign(folder, ours=ours, what="report")
        self._folder = folder
        self._drawn: dict[str, bytes] = {}

    def draw(self, figure: Figure, name: str, words: str) -> Picture:
        """Keep a figure as PNG and SVG; what a reader calls himself never becomes a path."""
        safe = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()
        # Names that differ in letters of other scripts only.
        if f"{safe}.svg" in self._drawn or not safe:
            safe += f"-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
        with tempfile.TemporaryDirectory() as place:
            for path in write_figure(figure, Path(place) / safe):
                self._drawn[path.name] = path.read_bytes()
        return Picture(f"{FIGURES}/{safe}.svg", words)

    def finish(self, document: Document, metrics: Sequence[Metric]) -> None:
        """Write figures, numbers and then the page that shows them; clear what belonged to others.

        That is what was drawn before, and a model card: whose bundle answered brings its own.
        """
        folder = self._folder / FIGURES
        folder.mkdir(parents=True, exist_ok=True)
        # Beside their places first: what has no room there replaces nothing.
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=f".{FIGURES}.") as place:
            for name, content in self._drawn.items():
                (Path(place) / name).write_bytes(content)
            for name in self._drawn:
                (Path(place) / name).replace(folder / name)
        write_metrics(metrics, self._folder / METRICS)
        document.write(self._folder / PAGE)
        for old in sorted(folder.iterdir()):
            if old.suffix in {".png", ".svg"} and old.name not in self._drawn:
                old.unlink()
        card = self._folder / CARD
        if is_card(card):
            card.unlink()
