"""The statistics of one set of knees under many weightings at once.

A bootstrap resample is a weighting: how often each knee was drawn. With weights of one, every
function here equals its namesake among the point estimates. Each returns a `Statistic`, so that a
comparison of two readers is one too: the difference of theirs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kellgren.statistics.agreement import Average, Weights
from kellgren.statistics.calibration import BINS, bin_of

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""From weights (weightings, knees) to values (weightings,); NaN where a value is not defined."""


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """A `Statistic` that sees no knee, only weighted sums over all of them; most do.

    Such sums can be taken patient by patient beforehand, and serve several statistics: all that
    rest on the confusion matrix have its cells in common. See `by_unit`.

    Parameters
    ----------
    columns
        (n, k) what is summed.
    value
        From sums (weightings, k) to values (weightings,).
    """

    columns: NDArray[np.float64]
    value: Callable[[NDArray[np.float64]], NDArray[np.float64]]

    def __call__(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values (weightings,) of weights (weightings, n)."""
        return self.value(weights @ self.columns)


def by_unit(
    statistics: Sequence[Statistic], owner: NDArray[np.int64]
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Weight whole units, such as patients: all knees of one have its weight.

    Parameters
    ----------
    statistics
        Of the same knees.
    owner
        (n,) which unit each knee belongs to; units are numbered from 0, and none is empty.

    Returns
    -------
    Callable
        From weights (weightings, units) to values (weightings, statistics).
    """
    distinct: list[NDArray[np.float64]] = []
    places = [
        _place(distinct, each.columns) if isinstance(each, Sums) else None for each in statistics
    ]
    edges = np.cumsum([0, *(columns.shape[1] for columns in distinct)])
    of_units = _summed(np.concatenate(distinct, axis=1), owner) if distinct else None

    def values(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = None if of_units is None else weights @ of_units
        of_knees = np.take(weights, owner, axis=1) if None in places else None
        found = []
        for statistic, place in zip(statistics, places, strict=True):
            if isinstance(statistic, Sums) and sums is not None and place is not None:
                found.append(statistic.value(sums[:, edges[place] : edges[place + 1]]))
            elif of_knees is not None:
                found.append(statistic(of_knees))
        return np.stack(found, axis=1)

    return values


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
    return Sums(columns, lambda sums: _ratio(sums[:, 0], sums[:, 1]))


def balanced_accuracy(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], *, classes: int
) -> Statistic:
    """Mean recall of the grades that have weight."""

    def value(counts: NDArray[np.float64]) -> NDArray[np.float64]:
        hits, totals = np.diagonal(counts, axis1=1, axis2=2), counts.sum(axis=2)
        present = totals > 0.0
        shares = np.divide(hits, totals, out=np.zeros_like(hits), where=present)
        return _ratio(shares.sum(axis=1), present.sum(axis=1).astype(np.float64))

    return _of_confusion(truth, predicted, classes, value)


def cohen_kappa(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], *, classes: int, weights: Weights
) -> Statistic:
    """Cohen's kappa.

    One minus the ratio of the disagreement observed to the one expected of independent grades with
    the same margins.
    """
    grades = np.arange(classes)
    distance = np.abs(grades[:, None] - grades[None, :]).astype(np.float64)
    costs = {"unweighted": np.sign(distance), "linear": distance, "quadratic": distance**2}[weights]

    def value(counts: NDArray[np.float64]) -> NDArray[np.float64]:
        rows, columns = counts.sum(axis=2), counts.sum(axis=1)
        observed = (counts * costs).sum(axis=(1, 2))
        expected = ((rows @ costs) * columns).sum(axis=1)
        return 1.0 - _ratio(observed * rows.sum(axis=1), expected)

    return _of_confusion(truth, predicted, classes, value)


def quadratic_kappa(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], *, classes: int
) -> Statistic:
    """`cohen_kappa` with quadratic weights."""
    return cohen_kappa(truth, predicted, classes=classes, weights="quadratic")


def precision_recall_f1(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], *, classes: int, average: Average
) -> tuple[Statistic, Statistic, Statistic]:
    """Precision, recall and F1, averaged over the grades that occur in a weighting."""

    def averaged(name: str) -> Statistic:
        def value(counts: NDArray[np.float64]) -> NDArray[np.float64]:
            hits = np.diagonal(counts, axis1=1, axis2=2)
            true, given = counts.sum(axis=2), counts.sum(axis=1)
            below = {"precision": given, "recall": true, "f1": (true + given) / 2.0}[name]
            shares = np.divide(hits, below, out=np.zeros_like(hits), where=below > 0.0)
            members = true if average == "weighted" else (true + given > 0.0).astype(np.float64)
            return _ratio((shares * members).sum(axis=1), members.sum(axis=1))

        return _of_confusion(truth, predicted, classes, value)

    return averaged("precision"), averaged("recall"), averaged("f1")


def matthews_correlation(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], *, classes: int
) -> Statistic:
    """Matthews' correlation of several classes."""

    def value(counts: NDArray[np.float64]) -> NDArray[np.float64]:
        hits = np.trace(counts, axis1=1, axis2=2)
        true, given = counts.sum(axis=2), counts.sum(axis=1)
        n = true.sum(axis=1)
        spread = [n**2 - (margin**2).sum(axis=1) for margin in (true, given)]
        shared = hits * n - (true * given).sum(axis=1)
        return _ratio(shared, np.sqrt(np.maximum(spread[0] * spread[1], 0.0)))

    return _of_confusion(truth, predicted, classes, value)


def auc(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> Statistic:
    """Area under the ROC curve: the share of pairs, positive and negative, that scores (n,) order.

    Knees of the same score are half ordered.
    """
    found, others = _ascending(scores, positive), _ascending(scores, ~positive)
    # Of the negatives, how many lie below each positive, and how many do not lie above.
    below = np.searchsorted(scores[others], scores[found], side="left")
    up_to = np.searchsorted(scores[others], scores[found], side="right")

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        drawn = np.take(weights, found, axis=1)
        negatives = _cumulated(np.take(weights, others, axis=1))
        under = (np.take(negatives, below, axis=1) + np.take(negatives, up_to, axis=1)) / 2.0
        return _ratio(_dot(drawn, under), drawn.sum(axis=1) * negatives[:, -1])

    return statistic


def average_precision(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> Statistic:
    """Mean precision over the steps of recall, from the highest score (n,) down."""
    found, others = _ascending(-scores, positive), _ascending(-scores, ~positive)
    # Called positive with each positive knee: all of its score or a higher one.
    hits = np.searchsorted(-scores[found], -scores[found], side="right")
    false = np.searchsorted(-scores[others], -scores[found], side="right")

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        drawn = np.take(weights, found, axis=1)
        positives = _cumulated(drawn)
        negatives = _cumulated(np.take(weights, others, axis=1))
        right = np.take(positives, hits, axis=1)
        called = right + np.take(negatives, false, axis=1)
        precision = np.divide(right, called, out=np.zeros_like(right), where=called > 0.0)
        both = np.where(negatives[:, -1] > 0.0, positives[:, -1], 0.0)
        return _ratio(_dot(drawn, precision), both)

    return statistic


def expected_calibration_error(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_], *, bins: int = BINS
) -> Statistic:
    """Mean gap between accuracy and confidence in the bin of a knee."""
    gaps = _one_hot(bin_of(confidence, bins=bins), bins) * (correct - confidence)[:, None]
    columns = np.concatenate([gaps, np.ones((len(gaps), 1))], axis=1)
    return Sums(columns, lambda sums: _ratio(np.abs(sums[:, :-1]).sum(axis=1), sums[:, -1]))


def area_under_risk_coverage(
    confidence: NDArray[np.float64], loss: NDArray[np.float64]
) -> Statistic:
    """Mean over all shares of the surest knees of the loss (n,) among these, see `doubt`."""
    order = np.argsort(-confidence, kind="stable")
    # Knees of equal confidence are answered together, as in the curve.
    last = np.flatnonzero(np.append(np.diff(confidence[order]) != 0.0, True))

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        drawn = np.take(weights, order, axis=1)
        answered = np.take(drawn.cumsum(axis=1), last, axis=1)
        lost = np.take((drawn * loss[order]).cumsum(axis=1), last, axis=1)
        risk = np.divide(lost, answered, out=np.zeros_like(lost), where=answered > 0.0)
        steps = np.diff(answered, axis=1, prepend=0.0)
        return _ratio(_dot(risk, steps), answered[:, -1])

    return statistic


def _of_confusion(
    truth: NDArray[np.int64],
    predicted: NDArray[np.int64],
    classes: int,
    value: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> Sums:
    """A statistic of weighted confusion matrices (weightings, classes, classes), rows true."""
    cells = _one_hot(truth * classes + predicted, classes**2)
    return Sums(cells, lambda sums: value(sums.reshape(-1, classes, classes)))


def _place(distinct: list[NDArray[np.float64]], columns: NDArray[np.float64]) -> int:
    """Where these columns stand among the distinct ones, at whose end they are put if new."""
    for place, known in enumerate(distinct):
        if np.array_equal(known, columns):
            return place
    distinct.append(columns)
    return len(distinct) - 1


def _summed(columns: NDArray[np.float64], owner: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sums (units, k) of the rows of each unit."""
    order = np.argsort(owner, kind="stable")
    _, starts = np.unique(owner[order], return_index=True)
    return np.asarray(np.add.reduceat(columns[order], starts, axis=0))


def _ascending(scores: NDArray[np.float64], members: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Places (members,) by ascending score."""
    places = np.flatnonzero(members)
    return np.asarray(places[np.argsort(scores[places], kind="stable")])


def _cumulated(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights (weightings, n + 1) of the first 0, 1 and so on to n knees."""
    sums = np.zeros((weights.shape[0], weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    return sums


def _dot(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums (weightings,) of the products of each row."""
    return np.asarray(np.einsum("ij,ij->i", first, second))


def _one_hot(index: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    marks = np.zeros((len(index), n))
    marks[np.arange(len(index)), index] = 1.0
    return marks


def _ratio(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    quotient = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator != 0.0)
    return quotient
