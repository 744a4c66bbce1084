"""Agreement of two sets of grades (n,), n at least 1."""

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics


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


def quadratic_kappa(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], *, classes: int
) -> float:
    """Cohen's kappa with quadratic weights (Cohen 1968, doi:10.1037/h0026256).

    Returns NaN where both sets name one and the same grade throughout, for which it is not defined.
    """
    if len(np.union1d(truth, predicted)) < 2:
        return float("nan")
    return float(
        metrics.cohen_kappa_score(truth, predicted, labels=np.arange(classes), weights="quadratic")
    )


def mean_absolute_error(truth: NDArray[np.int64], predicted: NDArray[np.int64]) -> float:
    """Mean distance of the grades, in grades."""
    return float(metrics.mean_absolute_error(truth, predicted))


def mean_squared_error(truth: NDArray[np.int64], predicted: NDArray[np.int64]) -> float:
    """Mean squared distance of the grades."""
    return float(metrics.mean_squared_error(truth, predicted))
