"""Agreement of two sets of grades (n,), n at least 1."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

Weights = Literal["unweighted", "linear", "quadratic"]
"""How a disagreement counts: all alike, by its distance in grades, or by the distance squared."""

Average = Literal["macro", "weighted"]
"""Of the grades that the truth or the reader has: all alike, or by how common they truly are."""


def confusion_matrix(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], *, classes: int
) -> NDArray[np.int64]:
    """Counts (classes, classes): rows are the true grades, columns the predicted ones."""
    counts = metrics.confusion_matrix(truth, predicted, labels=np.arange(classes))
    return np.asarray(counts, dtype=np.int64)


def accuracy(truth: NDArray[np.int64], predicted: NDArray[np.int64]) -> float:
    """Share of knees whose grades are the same."""
    return float(metrics.accuracy_score(truth, predicted))


def recall(truth: NDArray[np.int64], predicted: NDArray[np.int64], *, grade: int) -> float:
    """Share of the knees of a true grade that were given it; NaN where there are none."""
    return float(
        metrics.recall_score(
            truth, predicted, labels=[grade], average="macro", zero_division=np.nan
        )
    )


def balanced_accuracy(truth: NDArray[np.int64], predicted: NDArray[np.int64]) -> float:
    """Mean recall of the grades that the truth has."""
    # Not balanced_accuracy_score, which warns of grades that only the prediction has.
    return float(metrics.recall_score(truth, predicted, labels=np.unique(truth), average="macro"))


def cohen_kappa(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], *, classes: int, weights: Weights
) -> float:
    """Cohen's kappa (1960, doi:10.1177/001316446002000104; weighted 1968, doi:10.1037/h0026256).

    Returns NaN where both sets name one and the same grade throughout, for which it is not defined.
    """
    if len(np.union1d(truth, predicted)) < 2:
        return float("nan")
    scheme = None if weights == "unweighted" else weights
    return float(
        metrics.cohen_kappa_score(truth, predicted, labels=np.arange(classes), weights=scheme)
    )


def quadratic_kappa(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], *, classes: int
) -> float:
    """`cohen_kappa` with quadratic weights, the field's headline number."""
    return cohen_kappa(truth, predicted, classes=classes, weights="quadratic")


def precision_recall_f1(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], *, average: Average
) -> tuple[float, float, float]:
    """Precision, recall and F1, averaged over the grades that occur.

    A grade that is given to nobody has the precision 0, as scikit-learn counts it.
    """
    precision, recall_, f1, _ = metrics.precision_recall_fscore_support(
        truth, predicted, average=average, zero_division=0.0
    )
    return float(precision), float(recall_), float(f1)


def matthews_correlation(truth: NDArray[np.int64], predicted: NDArray[np.int64]) -> float:
    """Matthews' correlation of several classes (Gorodkin 2004).

    Returns NaN where either side names one grade throughout, for which it is not defined.
    """
    if len(np.unique(truth)) < 2 or len(np.unique(predicted)) < 2:
        return float("nan")
    return float(metrics.matthews_corrcoef(truth, predicted))


def errors_by_distance(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], *, classes: int
) -> NDArray[np.int64]:
    """How many answers (classes,) lie so many grades from the truth; the first are right."""
    counts: NDArray[np.int64] = np.bincount(np.abs(truth - predicted), minlength=classes)
    return counts


def mean_absolute_error(truth: NDArray[np.int64], predicted: NDArray[np.int64]) -> float:
    """Mean distance of the grades, in grades."""
    return float(metrics.mean_absolute_error(truth, predicted))


def mean_squared_error(truth: NDArray[np.int64], predicted: NDArray[np.int64]) -> float:
    """Mean squared distance of the grades."""
    return float(metrics.mean_squared_error(truth, predicted))
