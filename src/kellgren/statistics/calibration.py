"""Whether probabilities mean what they say.

The expected calibration error and its bins look at the *confidence*: the probability of the
predicted grade. The likelihood and the Brier score look at all classes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 15
"""Of equal width, as Guo et al. use them (arXiv:1706.04599, Table 1)."""

SMALLEST = 5e-7
"""What a probability of zero counts as; chosen: half of the last decimal it travels with."""


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """The knees whose confidence lies in (low, high].

    Parameters
    ----------
    n
        How many there are.
    confidence, accuracy
        Mean confidence and share of right answers; NaN where there are none.
    """

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float


def bin_of(confidence: NDArray[np.float64], *, bins: int = BINS) -> NDArray[np.int64]:
    """Index (n,) of the bin that each confidence lies in; zero lies in the first."""
    edges = np.linspace(0.0, 1.0, bins + 1)
    return np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)


def reliability_bins(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_], *, bins: int = BINS
) -> tuple[ReliabilityBin, ...]:
    """Sort knees (n,) by confidence into bins of equal width over [0, 1]."""
    index = bin_of(confidence, bins=bins)
    edges = np.linspace(0.0, 1.0, bins + 1)
    return tuple(
        ReliabilityBin(
            low=float(edges[b]),
            high=float(edges[b + 1]),
            n=int(members.sum()),
            confidence=_mean(confidence[members]),
            accuracy=_mean(correct[members]),
        )
        for b in range(bins)
        for members in [index == b]
    )


def expected_calibration_error(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_], *, bins: int = BINS
) -> float:
    """Mean over knees of the gap between accuracy and confidence in their bin.

    Equation 3 of arXiv:1706.04599. It is never below zero, so chance alone makes it positive: it
    is too large in small samples, and its bootstrap interval lies too high.
    """
    filled = [b for b in reliability_bins(confidence, correct, bins=bins) if b.n]
    return float(sum(b.n * abs(b.accuracy - b.confidence) for b in filled) / len(confidence))


def log_losses(truth: NDArray[np.int64], probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Negative log-likelihood (n,) of each true grade, in nats. Their mean is the NLL."""
    return np.asarray(-np.log(np.maximum(_own(truth, probabilities), SMALLEST)))


def brier_scores(
    truth: NDArray[np.int64], probabilities: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Squared distance (n,) of the probabilities from certainty of the truth, in [0, 2].

    Their mean is the Brier score in its first form, which sums over all classes; for two classes
    it is twice the form in use today.
    """
    squares: NDArray[np.float64] = (probabilities**2).sum(axis=1)
    return squares - 2.0 * _own(truth, probabilities) + 1.0


def _own(truth: NDArray[np.int64], probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    return probabilities[np.arange(len(truth)), truth]


def _mean(values: NDArray[np.float64] | NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else float("nan")
