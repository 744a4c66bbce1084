"""One number of a report, and the file that holds them all."""

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from kellgren.files import write_atomically
from kellgren.statistics.bootstrap import Interval, Unit
from kellgren.statistics.bootstrap import method as how

ALL = "all"
"""The group of every knee compared."""

P_OF_TEST, P_OF_FAMILY, Q_OF_FAMILY = "_p", "_p_holm", "_q_bh"
"""Ends of the names of two-sided p values: as they are, and adjusted for all tests of a report by
Holm's method and by Benjamini and Hochberg's.
"""

Status = Literal["ok", "no_knees", "undefined", "no_interval", "interval_partial"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of ``metrics.json``; its fields are the contract's.

    Parameters
    ----------
    task, reader
        What was answered, and by whom.
    metric
        Such as ``quadratic_kappa``; its p, where something is tested, is a row of its own, whose
        metric ends with `P_OF_TEST`, or with `P_OF_FAMILY` or `Q_OF_FAMILY` where it is adjusted.
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
        ``no_interval``: too few patients, or no resample with a value. ``interval_partial``:
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

    @classmethod
    def with_interval(
        cls,
        *,
        task: str,
        reader: str,
        metric: str,
        value: float,
        interval: Interval,
        resamples: int,
        n_patients: int,
        n_knees: int,
        cut: int | None = None,
        group: str = ALL,
        unit: Unit = "patient",
        stratified: bool = False,
    ) -> "Metric":
        """A number with its bootstrap interval, and the status that follows from both."""
        return cls(
            task=task,
            reader=reader,
            metric=metric,
            cut=cut,
            group=group,
            value=value,
            low=interval.low,
            high=interval.high,
            method=how(resamples=resamples, unit=unit, stratified=stratified),
            n_patients=n_patients,
            n_knees=n_knees,
            status=_status(value, interval, n_knees),
        )

    @classmethod
    def without_interval(
        cls,
        *,
        task: str,
        reader: str,
        metric: str,
        value: float,
        n_patients: int,
        n_knees: int,
        group: str = ALL,
        method: str = "count",
    ) -> "Metric":
        """A count, or another number that has no interval by its nature."""
        return cls(
            task=task,
            reader=reader,
            metric=metric,
            cut=None,
            group=group,
            value=value,
            low=math.nan,
            high=math.nan,
            method=method,
            n_patients=n_patients,
            n_knees=n_knees,
        )

    @property
    def is_p(self) -> bool:
        """Whether the value is a p, as it is or adjusted."""
        return self.metric.endswith((P_OF_TEST, P_OF_FAMILY, Q_OF_FAMILY))

    def __post_init__(self) -> None:
        if math.isnan(self.value) != (self.status in {"no_knees", "undefined"}):
            raise ValueError(f"{self.metric} is {self.value} with the status {self.status!r}.")


def _status(value: float, interval: Interval, n_knees: int) -> Status:
    if math.isnan(value):
        return "undefined" if n_knees else "no_knees"
    if math.isnan(interval.low):
        return "no_interval"
    return "interval_partial" if interval.undefined else "ok"


def write_metrics(metrics: Iterable[Metric], path: Path) -> None:
    """Write ``metrics.json``: one row a line, null for NaN.

    Numbers have six decimals, p and q six significant digits: a small one never becomes 0.
    """
    lines = (
        json.dumps(
            {name: _plain(cell, p=metric.is_p) for name, cell in asdict(metric).items()},
            ensure_ascii=False,
            allow_nan=False,
        )
        for metric in metrics
    )
    with write_atomically(path) as stream:
        stream.write("[\n" + ",\n".join(lines) + "\n]\n")


def _plain(cell: object, *, p: bool) -> object:
    if not isinstance(cell, float):
        return cell
    if math.isnan(cell):
        return None
    return float(f"{cell:.6g}") if p else round(cell, 6)
