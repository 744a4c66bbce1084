"""Which knees belong together: by side, and by what a table says of people and machines."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise
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

FEW: Final = f"fewer than {LEAST} knees in a cohort"
"""Why a cell of two cohorts is not printed."""

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
        distinct = _ordered(name, {value for value in values if value})
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


def common_subgroups(
    internal: Sequence[Row], external: Sequence[Row]
) -> tuple[tuple[Subgroup, ...], tuple[str, ...]]:
    """Divide the knees of two cohorts by what both tables say.

    Returns
    -------
    groups, left_out
        Subgroups of the internal knees (m,) and then the external ones (n,) with `LEAST` knees or
        more of each; and what is not divided by or not shown, with the reason. Who is in one cohort
        only, such as a site, has no other to be compared with.
    """
    found: list[Subgroup] = []
    left_out: list[str] = []
    for name, values in _columns([*internal, *external]):
        inside, outside = Counter(values[: len(internal)]), Counter(values[len(internal) :])
        shared = _ordered(name, (inside.keys() & outside.keys()) - {""})
        distinct = (inside.keys() | outside.keys()) - {""}
        if len(distinct) < 2:
            continue
        if len(shared) > MOST_VALUES:
            left_out.append(f"{name}: {len(shared)} values")
            continue
        if not shared:
            left_out.append(f"{name}: no value that both cohorts have")
        for value in shared:
            if min(inside[value], outside[value]) < LEAST:
                left_out.append(f"{name}={value}: {FEW}")
            else:
                members = np.array([each == value for each in values], dtype=np.bool_)
                found.append(Subgroup(f"{name}={value}", members))
    return tuple(found), tuple(left_out)


def _ordered(name: str, values: Set[str]) -> list[str]:
    """Bands by their edges, anything else by the alphabet."""
    edges = BANDS.get(name.lower())
    return sorted(values) if edges is None else [b for b in _bands(edges) if b in values]


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
    return _bands(edges)[int(np.searchsorted(edges, value, side="right"))]


def _bands(edges: Sequence[float]) -> list[str]:
    """What the bands between ascending edges are called, the lowest first."""
    between = [f"{low:g} to under {high:g}" for low, high in pairwise(edges)]
    return [f"under {edges[0]:g}", *between, f"{edges[-1]:g} and over"]
