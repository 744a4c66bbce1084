"""How well probabilities tell grades apart: those above a cut from those below, or a group."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A curve and the area under it.

    ROC: ``x`` is 1 − specificity, ``y`` sensitivity. Precision and recall: ``x`` is recall, ``y``
    precision, and the area is the average precision.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    area: float


@dataclass(frozen=True, slots=True)
class Operating:
    """What one threshold does: shares of the positive called so, and of the negative called so.

    NaN where there are none.
    """

    sensitivity: float
    specificity: float

    @property
    def youden(self) -> float:
        """Youden's J: sensitivity + specificity − 1."""
        return self.sensitivity + self.specificity - 1.0


def probability_of_cut(probabilities: NDArray[np.float64], cut: int) -> NDArray[np.float64]:
    """Probability (n,) of a grade of at least ``cut``, from those of the classes (n, classes)."""
    if not 0 < cut < probabilities.shape[1]:
        raise ValueError(
            f"A cut through {probabilities.shape[1]} classes lies at 1 to "
            f"{probabilities.shape[1] - 1}, not at {cut}."
        )
    return np.asarray(probabilities[:, cut:].sum(axis=1))


def probability_of_group(
    probabilities: NDArray[np.float64], group: Sequence[int]
) -> NDArray[np.float64]:
    """Probability (n,) of a grade among ``group``."""
    if not group or len(set(group)) == probabilities.shape[1]:
        raise ValueError(f"{list(group)} is no part of {probabilities.shape[1]} classes")
    return np.asarray(probabilities[:, list(group)].sum(axis=1))


def area_under_roc(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """The share of pairs, positive and negative, that scores (n,) order; NaN without pairs."""
    if _one_sided(positive):
        return float("nan")
    return float(metrics.roc_auc_score(positive, scores))


def average_precision(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Mean precision over the steps of recall, not interpolated; NaN without both kinds."""
    if _one_sided(positive):
        return float("nan")
    return float(metrics.average_precision_score(positive, scores))


def auc(truth: NDArray[np.int64], probabilities: NDArray[np.float64], *, cut: int) -> float:
    """Area under the ROC curve of "the grade is at least ``cut``".

    Returns NaN where all knees lie on one side, for which it is not defined.
    """
    return area_under_roc(truth >= cut, probability_of_cut(probabilities, cut))


def roc_curve(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> Curve | None:
    """The ROC curve, with all thresholds that change something; None without both kinds."""
    if _one_sided(positive):
        return None
    false, true, _ = metrics.roc_curve(positive, scores)
    return Curve(false, true, area_under_roc(positive, scores))


def precision_recall_curve(
    positive: NDArray[np.bool_], scores: NDArray[np.float64]
) -> Curve | None:
    """Precision against recall, by ascending recall; None without both kinds."""
    if _one_sided(positive):
        return None
    precision, recall, _ = metrics.precision_recall_curve(positive, scores)
    return Curve(recall[::-1], precision[::-1], average_precision(positive, scores))


def operate(
    positive: NDArray[np.bool_], scores: NDArray[np.float64], threshold: float
) -> Operating:
    """What calling scores of at least ``threshold`` positive does.

    The threshold must have been fixed on other knees; the best one of these would flatter.
    """
    called = scores >= threshold
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    return Operating(
        sensitivity=float((called & positive).sum() / n_positive) if n_positive else float("nan"),
        specificity=float((~called & ~positive).sum() / n_negative) if n_negative else float("nan"),
    )


def best_threshold(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """The threshold with the highest Youden's J on these knees, the lowest of equals.

    For fixing an operating point on knees that are held back; not for reporting its J on them.

    Raises
    ------
    ValueError
        All knees are of one kind.
    """
    if _one_sided(positive):
        raise ValueError("an operating point needs positive and negative knees")
    false, true, thresholds = metrics.roc_curve(positive, scores)
    j = true - false
    return float(thresholds[np.flatnonzero(j >= j.max() - 1e-12)[-1]])


def _one_sided(positive: NDArray[np.bool_]) -> bool:
    return bool(positive.all() or not positive.any())
