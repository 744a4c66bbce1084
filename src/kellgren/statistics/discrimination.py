"""How well probabilities tell the grades on two sides of a cut apart."""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score


def probability_of_cut(probabilities: NDArray[np.float64], cut: int) -> NDArray[np.float64]:
    """Probability (n,) of a grade of at least ``cut``, from those of the classes (n, classes)."""
    if not 0 < cut < probabilities.shape[1]:
        raise ValueError(
            f"A cut through {probabilities.shape[1]} classes lies at 1 to "
            f"{probabilities.shape[1] - 1}, not at {cut}."
        )
    return np.asarray(probabilities[:, cut:].sum(axis=1))


def auc(truth: NDArray[np.int64], probabilities: NDArray[np.float64], *, cut: int) -> float:
    """Area under the ROC curve of "the grade is at least ``cut``".

    Returns NaN where all knees lie on one side, for which it is not defined.
    """
    scores = probability_of_cut(probabilities, cut)
    positive = truth >= cut
    if positive.all() or not positive.any():
        return float("nan")
    return float(roc_auc_score(positive, scores))
