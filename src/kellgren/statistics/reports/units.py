"""Whom a report resamples: patients, and what stands for them where they are unknown."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from kellgren.statistics.units import UNITS, without_patient


def counted(patients: NDArray[np.str_], units: NDArray[np.str_]) -> str:
    """How many knees (n,) of how many patients, clusters and pictures."""
    there = [unit for unit in UNITS if (units == unit).any()] or ["patient"]
    counts = {unit: len(np.unique(patients[units == unit])) for unit in there}
    words = (
        f"{count} {unit}" if count == 1 else f"{count} {unit}s" for unit, count in counts.items()
    )
    return f"{len(units)} knees of {', '.join(words)}"


def unit_warnings(
    compared: Iterable[tuple[str, NDArray[np.str_]]], *, table: str = "the truth"
) -> tuple[str, ...]:
    """What to know of intervals where knees have no patient; the same of two readers once.

    Parameters
    ----------
    compared
        What was asked, and what each knee (n,) compared is resampled by.
    table
        Whose column says who the patients are.
    """
    found: dict[str, None] = {}
    for title, units in compared:
        others = dict(without_patient(units))
        if others:
            how = ", ".join(f"{count} by {unit}" for unit, count in others.items())
            warning = (
                f"{title}: {sum(others.values())} of {len(units)} knees have no patient and are "
                f"resampled otherwise: {how}. Where several are one patient's, intervals are too "
                f"narrow and p values too small. Fill in the column 'patient' of {table}."
            )
            found[warning] = None
    return tuple(found)
