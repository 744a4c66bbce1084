"""Which knees belong together: by side, and by what a table says of people and machines."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kellgren.anatomy import Laterality
from kellgren.datasets.table import Row

LEAST: Final = 30
"""Knees. Fewer are not printed: they say little, and might tell who somebody is."""

BANDS: Final[Mapping[str, tuple[float, ...]]] = {
    "age": (50.0, 60.0, 70.0, 80.0),
    "bmi": (18.5, 25.0, 30.0, 35.0),
}
"""Edges of the bands of covariates that are measures. BMI: the World Health Organization's
classes; age: chosen, decades from which on osteoarthritis is common."""

MOST_VALUES: Final = 12
"""Of a covariate; chosen: one with more is an identifier or a measure, not a group."""


@dataclass(frozen=True, slots=True, eq=False)
class Subgroup:
    """Some of the knees: ``name`` such as ``sex=F``, and which of them, (n,)."""

    name: str
    members: NDArray[np.bool_]


def subgroups(rows: Sequence[Row]) -> tuple[tuple[Subgroup, ...], tuple[str, ...]]:
    """Divide knees by side and by each covariate of their rows.

    Returns
    -------
    groups, left_out
        Subgroups of `LEAST` knees or more; and the names of covariates and cells that are not
        divided by or not shown, with the reason.
    """
    found: list[Subgroup] = []
    left_out: list[str] = []
    for name, values in _columns(rows):
        distinct = sorted({value for value in values if value})
        if len(distinct) < 2:
            continue
        if len(distinct) > MOST_VALUES:
            left_out.append(f"{name}: {len(distinct)} values")
            continue
        for value in distinct:
            members = np.array([v == value for v in values], dtype=np.bool_)
            if members.sum() < LEAST:
                left_out.append(f"{name}={value}: fewer than {LEAST} knees")
            else:
                found.append(Subgroup(f"{name}={value}", members))
    return tuple(found), tuple(left_out)


def _columns(rows: Sequence[Row]) -> Iterator[tuple[str, list[str]]]:
    unknown = Laterality.UNKNOWN
    yield "laterality", ["" if row.laterality is unknown else str(row.laterality) for row in rows]
    for name in sorted({name for row in rows for name in row.covariates}):
        values = [row.covariates.get(name, "").strip() for row in rows]
        edges = BANDS.get(name.lower())
        yield name, values if edges is None else [_band(value, edges) for value in values]


def _band(text: str, edges: Sequence[float]) -> str:
    """The half-open band [low, high) that a measure lies in; empty for what is no number."""
    try:
        value = float(text)
    except ValueError:
        return ""
    if not np.isfinite(value):
        return ""
    place = int(np.searchsorted(edges, value, side="right"))
    if place == 0:
        return f"under {edges[0]:g}"
    if place == len(edges):
        return f"{edges[-1]:g} and over"
    return f"{edges[place - 1]:g} to under {edges[place]:g}"
