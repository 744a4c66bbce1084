"""One number of a report, and the file that holds them all."""

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from kellgren.files import write_atomically

ALL = "all"
"""The group of every knee compared."""

Status = Literal["ok", "no_knees", "undefined", "no_interval", "interval_partial"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of ``metrics.json``; its fields are the contract's.

    Parameters
    ----------
    task, reader
        What was answered, and by whom.
    metric
        Such as ``quadratic_kappa``.
    cut
        The lowest grade that counts as positive; None where the metric has none.
    group
        Which knees: `ALL`, ``grade=2`` (truth) or ``grade=2,predicted=3``.
    value, low, high
        NaN where there is none.
    method
        How the interval was made; ``count`` or ``given`` for a number that needs none.
    n_patients, n_knees
        What the value rests on: resampled units, and rows (images or examinations where the task
        is theirs).
    status
        ``no_knees``: the group is empty. ``undefined``: the metric has no value for these knees.
        ``no_interval``: fewer than two patients, or no resample with a value. ``interval_partial``:
        some resamples had no value and were left out.
    """

    task: str
    reader: str
    metric: str
    cut: int | None
    group: str
    value: float
    low: float
    high: float
    method: str
    n_patients: int
    n_knees: int
    status: Status = "ok"

    def __post_init__(self) -> None:
        if math.isnan(self.value) != (self.status in {"no_knees", "undefined"}):
            raise ValueError(f"{self.metric} is {self.value} with the status {self.status!r}.")


def write_metrics(metrics: Iterable[Metric], path: Path) -> None:
    """Write ``metrics.json``: one row a line, six decimals, null for NaN."""
    lines = (
        json.dumps(
            {name: _plain(cell) for name, cell in asdict(metric).items()},
            ensure_ascii=False,
            allow_nan=False,
        )
        for metric in metrics
    )
    with write_atomically(path) as stream:
        stream.write("[\n" + ",\n".join(lines) + "\n]\n")


def _plain(cell: object) -> object:
    if not isinstance(cell, float):
        return cell
    return None if math.isnan(cell) else round(cell, 6)
