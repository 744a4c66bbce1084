"""How far two contenders' answers about the same knees are apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of some knees.

    Parameters
    ----------
    same_grade
        Share of the knees whose most probable grade is the same.
    largest
        Difference of a probability, over all knees and grades.
    percentile_99
        Over knees, of each knee's largest difference of a probability.
    """

    knees: int
    same_grade: float
    largest: float
    percentile_99: float


def compare(ours: ArrayLike, theirs: ArrayLike) -> Agreement:
    """Compare probabilities (knees, grades)."""
    one, other = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    if one.shape != other.shape or one.ndim != 2 or len(one) == 0:
        raise ValueError(f"answers of shapes {one.shape} and {other.shape} cannot be compared")
    furthest = np.abs(one - other).max(axis=1)
    return Agreement(
        knees=len(one),
        same_grade=float((one.argmax(axis=1) == other.argmax(axis=1)).mean()),
        largest=float(furthest.max()),
        percentile_99=float(np.percentile(furthest, 99.0)),
    )
