"""What knees are resampled by: patients, and what stands for them where they are unknown."""

from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from kellgren.datasets.table import Row

Unit = Literal["patient", "cluster", "picture"]

UNITS: tuple[Unit, ...] = get_args(Unit)
"""The first of these that a table knows of a knee."""


def unit_of(row: Row) -> Unit:
    """What `Row.resampled_by` is."""
    if row.patient:
        return "patient"
    return "cluster" if row.cluster else "picture"


def without_patient(units: NDArray[np.str_]) -> Iterator[tuple[Unit, int]]:
    """What knees (n,) of no known patient are resampled by, and how many by each; never nought."""
    for unit in UNITS[1:]:
        count = int((units == unit).sum())
        if count:
            yield unit, count
