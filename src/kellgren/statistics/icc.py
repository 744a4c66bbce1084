"""Intraclass correlation of several readers of the same knees.

Two-way models for single readings (Shrout and Fleiss 1979, doi:10.1037/0033-2909.86.2.420): in
ICC(2,1) the readers are a sample of such readers and their different means count as disagreement;
in ICC(3,1) they are the only readers of interest, and only consistency counts.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kellgren.statistics.weighted import Statistic

Form = Literal["2,1", "3,1"]


def intraclass_correlation(ratings: NDArray[np.float64], *, form: Form) -> float:
    """ICC of complete ratings (knees, readers).

    Returns
    -------
    float
        At most 1; below 0 where readers agree less than the knees differ. NaN for fewer than two
        knees or readers, and where all ratings are the same.
    """
    return float(icc_statistic(ratings, form=form)(np.ones((1, len(ratings))))[0])


def icc_statistic(ratings: NDArray[np.float64], *, form: Form) -> Statistic:
    """`intraclass_correlation` under many weightings at once."""
    if ratings.ndim != 2 or not np.isfinite(ratings).all():
        raise ValueError(f"ratings of shape {ratings.shape}: give finite ones, (knees, readers)")
    readers = ratings.shape[1]
    # About their mean, so that the squares lose no digits.
    centred = ratings - (ratings.mean() if ratings.size else 0.0)
    columns = np.concatenate(
        [
            centred,
            (centred**2).sum(axis=1, keepdims=True),
            centred.mean(axis=1, keepdims=True) ** 2,
        ],
        axis=1,
    )

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        knees = weights.sum(axis=1)
        sums = weights @ columns
        with np.errstate(divide="ignore", invalid="ignore"):
            means = sums[:, :readers] / knees[:, np.newaxis]
            grand = means.mean(axis=1)
            total = sums[:, readers] - knees * readers * grand**2
            between_knees = readers * (sums[:, readers + 1] - knees * grand**2)
            between_readers = knees * ((means - grand[:, np.newaxis]) ** 2).sum(axis=1)
            residual = np.maximum(total - between_knees - between_readers, 0.0)
            knee = between_knees / (knees - 1.0)
            error = residual / ((knees - 1.0) * (readers - 1.0))
            below = knee + (readers - 1.0) * error
            if form == "2,1":
                reader = between_readers / (readers - 1.0)
                below = below + readers * (reader - error) / knees
            values: NDArray[np.float64] = (knee - error) / below
        # Rounding leaves a little of a total that is zero.
        same = total <= 1e-12 * np.maximum(sums[:, readers], 1.0)
        values[same | (knees < 2.0) | ~np.isfinite(values)] = np.nan
        return values

    return statistic
