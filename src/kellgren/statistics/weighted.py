"""The statistics of one set of knees under many weightings at once.

A bootstrap resample is a weighting: how often each knee was drawn. With weights of one, every
function here equals its namesake among the point estimates. Each returns a `Statistic`, so that a
comparison of two readers is one too: the difference of theirs.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from kellgren.statistics.calibration import BINS, bin_of

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""From weights (weightings, knees) to values (weightings,); NaN where a value is not defined."""


def mean(
    values: NDArray[np.float64] | NDArray[np.int64] | NDArray[np.bool_],
    *,
    among: NDArray[np.bool_] | None = None,
) -> Statistic:
    """Mean of a quantity (n,) over all knees, or over those that ``among`` (n,) marks.

    Accuracy, recall, absolute and squared error, likelihood, coverage and set size are such means.
    """
    members = np.ones(len(values)) if among is None else among.astype(np.float64)
    columns = np.stack([values.astype(np.float64) * members, members], axis=1)

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = weights @ columns
        return _ratio(sums[:, 0], sums[:, 1])

    return statistic


def balanced_accuracy(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], *, classes: int
) -> Statistic:
    """Mean recall of the grades that have weight."""
    columns = np.concatenate(
        [_one_hot(truth, classes), _one_hot(truth, classes) * (truth == predicted)[:, None]], axis=1
    )

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = weights @ columns
        totals, hits = sums[:, :classes], sums[:, classes:]
        present = totals > 0.0
        shares = np.divide(hits, totals, out=np.zeros_like(hits), where=present)
        return _ratio(shares.sum(axis=1), present.sum(axis=1).astype(np.float64))

    return statistic


def quadratic_kappa(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], *, classes: int
) -> Statistic:
    """Cohen's kappa with quadratic weights.

    One minus the ratio of the squared distance observed to the one expected of independent grades
    with the same margins.
    """
    columns = np.concatenate(
        [
            _one_hot(truth, classes),
            _one_hot(predicted, classes),
            ((truth - predicted) ** 2).astype(np.float64)[:, None],
        ],
        axis=1,
    )
    grades = np.arange(classes)
    distances = ((grades[:, None] - grades[None, :]) ** 2).astype(np.float64)

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = weights @ columns
        rows, margins, observed = sums[:, :classes], sums[:, classes:-1], sums[:, -1]
        expected = ((rows @ distances) * margins).sum(axis=1)
        return 1.0 - _ratio(observed * weights.sum(axis=1), expected)

    return statistic


def auc(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> Statistic:
    """Area under the ROC curve: the share of pairs, positive and negative, that scores (n,) order.

    Knees of the same score are half ordered.
    """
    order = np.argsort(scores, kind="stable")
    _, starts = np.unique(scores[order], return_index=True)
    sign = positive[order].astype(np.float64)

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        drawn = weights[:, order]
        # Knees of equal score are one step of the curve.
        everyone = np.add.reduceat(drawn, starts, axis=1)
        positives = np.add.reduceat(drawn * sign, starts, axis=1)
        negatives = everyone - positives
        below = np.cumsum(negatives, axis=1) - negatives / 2.0
        pairs = positives.sum(axis=1) * negatives.sum(axis=1)
        return _ratio((positives * below).sum(axis=1), pairs)

    return statistic


def expected_calibration_error(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_], *, bins: int = BINS
) -> Statistic:
    """Mean gap between accuracy and confidence in the bin of a knee."""
    gaps = _one_hot(bin_of(confidence, bins=bins), bins) * (correct - confidence)[:, None]

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return _ratio(np.abs(weights @ gaps).sum(axis=1), weights.sum(axis=1))

    return statistic


def _one_hot(index: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    return np.asarray(index[:, None] == np.arange(n), dtype=np.float64)


def _ratio(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    quotient = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator != 0.0)
    return quotient
