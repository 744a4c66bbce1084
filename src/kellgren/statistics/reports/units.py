"""Whom a report resamples: patients, and what stands for them where they are unknown."""

from collections.abc import Iterable, Iterator

import numpy as np

from kellgren.statistics.join import UNITS, Joined


def counted(both: Joined) -> str:
    """How many knees of how many patients, clusters and pictures."""
    there = [unit for unit in UNITS if (both.units == unit).any()] or ["patient"]
    counts = {unit: len(np.unique(both.patients[both.units == unit])) for unit in there}
    words = (
        f"{count} {unit}" if count == 1 else f"{count} {unit}s" for unit, count in counts.items()
    )
    return f"{len(both.truth)} knees of {', '.join(words)}"


def unit_warnings(compared: Iterable[Joined]) -> tuple[str, ...]:
    """What to know of intervals where knees have no patient; the same of two readers once."""
    return tuple(dict.fromkeys(warning for both in compared for warning in _warnings(both)))


def _warnings(both: Joined) -> Iterator[str]:
    others = {unit: int((both.units == unit).sum()) for unit in UNITS if unit != "patient"}
    unknown = sum(others.values())
    if unknown:
        how = ", ".join(f"{count} by {unit}" for unit, count in others.items() if count)
        yield (
            f"{both.task.title}: {unknown} of {len(both.units)} knees have no patient and are "
            f"resampled otherwise: {how}. Where several are one patient's, intervals are too "
            "narrow and p values too small. Fill in the truth's column 'patient'."
        )
