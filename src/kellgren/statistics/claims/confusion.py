"""A printed confusion matrix, and the measures that are printed beside it."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from kellgren.statistics import agreement
from kellgren.statistics.claims.rounding import Interval, Printed
from kellgren.statistics.claims.verdict import Row, row, unknown

Figure = Literal[
    "accuracy",
    "balanced_accuracy",
    "mean_absolute_error",
    "mean_squared_error",
    "kappa",
    "linear_kappa",
    "quadratic_kappa",
    "macro_precision",
    "macro_recall",
    "macro_f1",
    "weighted_precision",
    "weighted_f1",
    "mcc",
]
FIGURES: tuple[Figure, ...] = get_args(Figure)

_Measure = Callable[[NDArray[np.int64], NDArray[np.int64], int], float]

_BINARY = Interval(Fraction(-1, 10**12), Fraction(1, 10**12))
"""How far a binary fraction may be from what it stands for; chosen: generous, and invisible."""

_ERRORS = frozenset({"mean_absolute_error", "mean_squared_error"})
_MAY_BE_NEGATIVE = frozenset({"kappa", "linear_kappa", "quadratic_kappa", "mcc"})


def check_confusion(
    matrix: Sequence[Sequence[int]], printed: Mapping[Figure, Printed]
) -> tuple[Row, ...]:
    """Compare measures with those of the matrix, one row each.

    Parameters
    ----------
    matrix
        Counts, as many rows as columns, at least two; rows are the true grades. It holds a knee.
    printed
        What is neither an error nor may be negative may be a percentage.
    """
    counts = np.asarray(matrix, dtype=np.int64)
    true, given = (axis.ravel().repeat(counts.ravel()) for axis in np.indices(counts.shape))
    rows = []
    for figure, number in printed.items():
        plain = number if figure in _ERRORS | _MAY_BE_NEGATIVE else number.as_share()
        value = measure(figure, true, given, classes=len(counts))
        if np.isnan(value):
            reason = "not defined where one grade is all there is"
            rows.append(unknown(reason, name=figure, published=number.text))
            continue
        near = Interval.of(Fraction(value)) + _BINARY
        rows.append(row(plain, near, face=Fraction(value), name=figure))
    return tuple(rows)


def measure(
    figure: Figure, true: NDArray[np.int64], given: NDArray[np.int64], *, classes: int
) -> float:
    """Return a measure of two sets of grades (n,); NaN where it is not defined."""
    return _MEASURES[figure](true, given, classes)


def _kappa(weights: agreement.Weights) -> _Measure:
    return lambda true, given, n: agreement.cohen_kappa(true, given, classes=n, weights=weights)


def _averaged(which: int, average: agreement.Average) -> _Measure:
    """Precision, recall or F1, in this order."""
    return lambda true, given, _: agreement.precision_recall_f1(true, given, average=average)[which]


_MEASURES: dict[Figure, _Measure] = {
    "accuracy": lambda true, given, _: agreement.accuracy(true, given),
    "balanced_accuracy": lambda true, given, _: agreement.balanced_accuracy(true, given),
    "mean_absolute_error": lambda true, given, _: agreement.mean_absolute_error(true, given),
    "mean_squared_error": lambda true, given, _: agreement.mean_squared_error(true, given),
    "kappa": _kappa("unweighted"),
    "linear_kappa": _kappa("linear"),
    "quadratic_kappa": _kappa("quadratic"),
    "macro_precision": _averaged(0, "macro"),
    "macro_recall": _averaged(1, "macro"),
    "macro_f1": _averaged(2, "macro"),
    "weighted_precision": _averaged(0, "weighted"),
    "weighted_f1": _averaged(2, "weighted"),
    "mcc": lambda true, given, _: agreement.matthews_correlation(true, given),
}
