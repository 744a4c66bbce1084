"""What probabilities are worth: how far they lie from the truth, and whether doubt finds errors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


def ranked_probability_scores(
    truth: NDArray[np.int64], probabilities: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Ranked probability score (n,) of ordinal grades, in [0, 1]; 0 is certainty of the truth.

    The squared difference of the cumulative distributions of the prediction and of the truth,
    summed over the cuts between grades (Epstein 1969,
    doi:10.1175/1520-0450(1969)008<0985:ASSFPF>2.0.CO;2, in Murphy's later form) and divided by
    their number. Unlike the Brier score it counts a neighbour as better than a stranger.
    """
    classes = probabilities.shape[1]
    if classes < 2:
        raise ValueError("a ranked probability score needs two classes or more")
    given = probabilities.cumsum(axis=1)[:, :-1]
    right = truth[:, np.newaxis] <= np.arange(classes - 1)
    return np.asarray(((given - right) ** 2).sum(axis=1) / (classes - 1))


@dataclass(frozen=True, slots=True, eq=False)
class RiskCoverage:
    """The error left when the least sure answers are left to people.

    Parameters
    ----------
    coverage
        (points,) ascending share of knees that are answered.
    risk
        (points,) mean loss among these.
    area
        Under the curve: the mean risk over all coverages. Lower is better; without any use of
        doubt it would be the risk at full coverage.
    """

    coverage: NDArray[np.float64]
    risk: NDArray[np.float64]
    area: float


def risk_coverage(confidence: NDArray[np.float64], loss: NDArray[np.float64]) -> RiskCoverage:
    """Answer the surest knees first (Geifman and El-Yaniv 2017, arXiv:1705.08500).

    Parameters
    ----------
    confidence
        (n,) of each answer. Knees of equal confidence are answered together.
    loss
        (n,) such as 0 and 1 for right and wrong, or the distance in grades.

    Raises
    ------
    ValueError
        There is no knee.
    """
    if len(confidence) == 0:
        raise ValueError("a curve of no knees")
    order = np.argsort(-confidence, kind="stable")
    answered = np.arange(1, len(order) + 1)
    risk = loss[order].cumsum() / answered
    # Within equals only the end of their step is a choice that confidence can make.
    last = np.append(np.diff(confidence[order]) != 0.0, True)
    steps = np.diff(answered[last], prepend=0)
    area = float((risk[last] * steps).sum() / len(order))
    return RiskCoverage(answered[last] / len(order), risk[last], area)
