"""Measured numbers that travel in a bundle's record."""

import json
from pathlib import Path

from kellgren import errors
from kellgren.anatomy import TASKS
from kellgren.bundles.record import Result
from kellgren.statistics.metrics import ALL
from kellgren.statistics.questions import cut_of

METRICS = (
    "quadratic_kappa",
    "accuracy",
    "balanced_accuracy",
    "mean_absolute_error",
    "mean_squared_error",
    "auc",
    "expected_calibration_error",
    "set_coverage",
    "mean_set_size",
)
"""Of all that an evaluation finds, what a record repeats."""


def read_results(what: str, metrics: str) -> list[Result]:
    """Read the whole-cohort rows of an evaluation's ``metrics.json``.

    Parameters
    ----------
    what
        What was measured on, such as ``kneeKL299/val``.
    metrics
        Path of the file.
    """
    path = Path(metrics)
    if not path.is_file():
        raise errors.TableError(f"{metrics!r}: no such file. Give 'WHAT=metrics.json'.")
    return [
        Result(
            on=what,
            task=row["task"],
            metric=row["metric"],
            value=row["value"],
            low=row["low"],
            high=row["high"],
            n_patients=row["n_patients"],
            n_knees=row["n_knees"],
        )
        for row in json.loads(path.read_text("utf-8"))
        if row["metric"] in METRICS and row["group"] == ALL and row["value"] is not None
        if row["cut"] is None or row["cut"] == cut_of(TASKS[row["task"]])
    ]
