"""Whether conformal sets (n, classes) hold the truth (n,), and how much they say.

Their promise is about all knees together; a rare grade may fare worse, so both can be asked of the
knees of one true grade.
"""

import numpy as np
from numpy.typing import NDArray


def covered(truth: NDArray[np.int64], sets: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether each set holds its true grade (n,)."""
    return sets[np.arange(len(truth)), truth]


def sizes(sets: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Number of grades in each set (n,)."""
    return np.asarray(sets.sum(axis=1), dtype=np.int64)


def set_coverage(
    truth: NDArray[np.int64], sets: NDArray[np.bool_], *, grade: int | None = None
) -> float:
    """Share of sets that hold the true grade; NaN where there are no knees (of ``grade``)."""
    return _mean(covered(truth, sets), truth, grade)


def mean_set_size(
    truth: NDArray[np.int64], sets: NDArray[np.bool_], *, grade: int | None = None
) -> float:
    """Mean number of grades in a set; NaN where there are no knees (of ``grade``)."""
    return _mean(sizes(sets), truth, grade)


def _mean(
    values: NDArray[np.bool_] | NDArray[np.int64], truth: NDArray[np.int64], grade: int | None
) -> float:
    chosen = values if grade is None else values[truth == grade]
    return float(chosen.mean()) if len(chosen) else float("nan")
