"""Confidence intervals by resampling patients.

The knees and visits of a person are alike, so whole patients are drawn with replacement and bring
all their rows with them; drawing knees would make intervals too narrow.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kellgren.statistics.weighted import Statistic

RESAMPLES = 2000
"""Chosen: the 2.5 and 97.5 % points then rest on 50 resamples each."""

LEVEL = 0.95
"""Of the intervals, as Tiulpin and Saarakkala (2020) and Olsson et al. (2021) report them."""

_CELLS = 2**20
"""Weights held at a time; chosen: 8 MiB, as more gain little speed."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A percentile interval.

    Parameters
    ----------
    low, high
        NaN where no resample had a value.
    undefined
        How many resamples had none, and were left out.
    """

    low: float
    high: float
    undefined: int


def replicates(
    statistics: Sequence[Statistic],
    patients: NDArray[np.str_],
    *,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> NDArray[np.float64]:
    """Values of every statistic in the same resamples.

    Parameters
    ----------
    statistics
        Of the same knees.
    patients
        (n,) whom each knee belongs to; at least one.
    rng
        Where the draws come from: the only source of chance.
    resamples
        How many there are.

    Returns
    -------
    NDArray
        (resamples, statistics).
    """
    parts = [
        np.stack([statistic(weights) for statistic in statistics], axis=1)
        for weights in _weights(patients, rng, resamples)
    ]
    return np.concatenate(parts)


def intervals(values: NDArray[np.float64], *, level: float = LEVEL) -> tuple[Interval, ...]:
    """Percentile interval of every column of `replicates`."""
    return tuple(_interval(column, level) for column in values.T)


def _interval(values: NDArray[np.float64], level: float) -> Interval:
    defined = values[~np.isnan(values)]
    undefined = len(values) - len(defined)
    if len(defined) == 0:
        return Interval(float("nan"), float("nan"), undefined)
    low, high = np.quantile(defined, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return Interval(float(low), float(high), undefined)


def _weights(
    patients: NDArray[np.str_], rng: np.random.Generator, resamples: int
) -> Iterator[NDArray[np.float64]]:
    """How often each knee was drawn (some resamples, n), until all resamples are done."""
    names, owner = np.unique(patients, return_inverse=True)
    at_once = max(1, _CELLS // len(patients))
    for first in range(0, resamples, at_once):
        batch = min(at_once, resamples - first)
        drawn = rng.integers(0, len(names), size=(batch, len(names)))
        # One count over all resamples of the batch: each has its own range of numbers.
        drawn += np.arange(batch)[:, None] * len(names)
        counts = np.bincount(drawn.ravel(), minlength=batch * len(names))
        yield counts.reshape(batch, len(names))[:, owner].astype(np.float64)
