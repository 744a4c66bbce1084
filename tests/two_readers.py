"""Made-up answers of two readers about the same knees."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Knees:
    truth: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    scores: NDArray[np.float64]
    """(2, n): of both readers, for KL 2 or more."""
    patients: NDArray[np.str_]


def knees(seed: int, patients: int, each: int = 2) -> Knees:
    """Patients whose knees have the same truth, on which a reader errs alike."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(rng.integers(0, 5, patients), each)

    def read(error: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        views = truth.astype(np.float64) + np.repeat(rng.normal(0.0, error, patients), each)
        return np.clip(np.rint(views), 0, 4).astype(np.int64), views

    (first, view), (second, other) = read(0.6), read(0.9)
    names = np.repeat([f"P{number:03}" for number in range(patients)], each)
    return Knees(truth, first, second, np.stack([view, other]), names)
