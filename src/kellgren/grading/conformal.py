"""Conformal sets: which grades cannot be ruled out, at a stated coverage.

Ordinal sets are contiguous and grow from the most probable grade to the likelier neighbour
(Lu et al., arXiv:2207.02238); nominal sets take classes by falling probability.

One quantity carries both directions. The *score* of a class is the smallest ``q`` whose set holds
it, so a set with ``q`` holds a class if and only if its score is at most ``q``. A set grows until
its mass reaches ``q``; a class is therefore in it when the mass *before* it was added lies below
``q``. A score by the mass with the class, as in adaptive prediction sets (arXiv:2006.02544), would
be valid for these sets too, but wider than the coverage needs.

Masses are counted in whole millionths, because probabilities travel with six decimals: sums are
exact, equality means equality on every machine, and a published set can be recomputed. A proper
subset of the classes never counts as the whole mass, as softmax leaves every class something;
``q = 1`` is every class.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kellgren.grading.calibration import checked_grades

_WHOLE = 1_000_000
"""Millionths in a probability of one; six decimals are the contract's."""


def contiguous_sets(probabilities: ArrayLike, q: float) -> NDArray[np.bool_]:
    """Sets of an ordinal task.

    Parameters
    ----------
    probabilities
        (n, classes). Where two are equal the lower grade is the more probable and the likelier
        neighbour.
    q
        The mass at which growing stops, in [0, 1]. Larger sets contain the smaller ones.

    Returns
    -------
    NDArray
        (n, classes), true for members. The most probable class always is one.
    """
    return _sets(probabilities, q, ordinal=True)


def nominal_sets(probabilities: ArrayLike, q: float) -> NDArray[np.bool_]:
    """Sets of a task without order; otherwise as `contiguous_sets`."""
    return _sets(probabilities, q, ordinal=False)


def fit_quantile(
    probabilities: ArrayLike, grades: ArrayLike, *, coverage: float, ordinal: bool = True
) -> float:
    """Find the ``q`` whose sets cover a new knee's true grade with the wanted probability.

    Split conformal prediction with the finite-sample correction (arXiv:2107.07511, section 1): the
    k-th smallest score of the true grades, k = ceil((n + 1) · coverage). The guarantee holds on
    average over calibration sets, for knees exchangeable with these; two knees of one patient are
    so only approximately.

    Parameters
    ----------
    probabilities
        (n, classes), calibrated, of knees held back from everything else.
    grades
        (n,) index of the true class of each.
    coverage
        Between 0 and 1.
    ordinal
        Whether the sets will be contiguous.

    Returns
    -------
    float
        In [0, 1], a whole number of millionths. Where k exceeds n there are too few knees to
        promise the coverage by anything less than every class, and ``q`` is 1.
    """
    if not 0.0 < coverage < 1.0:
        raise ValueError(f"A coverage lies between 0 and 1, not at {coverage}.")
    truth = checked_grades(np.asarray(probabilities, dtype=np.float64), grades)
    own = np.sort(_scores(probabilities, ordinal=ordinal)[np.arange(len(truth)), truth])
    # (n + 1) · coverage may exceed a whole number by rounding alone: 75 · 0.68 = 51.00000000000001.
    rank = math.ceil((len(own) + 1) * coverage - 1e-9)
    return 1.0 if rank > len(own) else float(own[rank - 1] / _WHOLE)


def _sets(probabilities: ArrayLike, q: float, *, ordinal: bool) -> NDArray[np.bool_]:
    if not 0.0 <= q <= 1.0:
        raise ValueError(f"A mass lies in [0, 1], not at {q}.")
    return np.asarray(_scores(probabilities, ordinal=ordinal) <= round(q * _WHOLE))


def _scores(probabilities: ArrayLike, *, ordinal: bool) -> NDArray[np.int64]:
    """Score of every class (n, classes), in millionths."""
    values = np.asarray(probabilities, dtype=np.float64)
    if values.ndim != 2 or not ((values >= 0.0) & (values <= 1.0)).all():
        raise ValueError(f"Give probabilities (n, classes) in [0, 1]; their shape: {values.shape}.")
    order = _grown(values) if ordinal else np.argsort(-values, axis=1, kind="stable")
    rows = np.arange(len(values))[:, np.newaxis]
    masses = np.rint(values[rows, order] * _WHOLE).astype(np.int64)
    before = masses.cumsum(axis=1) - masses
    ordered = np.minimum(before + 1, _WHOLE)
    ordered[:, 0] = 0
    scores = np.empty(values.shape, dtype=np.int64)
    scores[rows, order] = ordered
    return scores


def _grown(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Classes (n, classes) in the order in which a contiguous set takes them in."""
    n, classes = values.shape
    rows = np.arange(n)
    # Walls of −1 on both sides are never the likelier neighbour.
    walled = np.full((n, classes + 2), -1.0)
    walled[:, 1:-1] = values
    lower = values.argmax(axis=1)
    upper = lower.copy()
    order = np.empty((n, classes), dtype=np.int64)
    order[:, 0] = lower
    for step in range(1, classes):
        down = walled[rows, lower] >= walled[rows, upper + 2]
        lower = lower - down
        upper = upper + ~down
        order[:, step] = np.where(down, lower, upper)
    return order
