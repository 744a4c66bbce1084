"""Which side: given by the user > tag > place in a two-knee film > fibula > unknown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kellgren.anatomy import Laterality
from kellgren.imaging import Header
from kellgren.records import LateralitySource

CONFLICT: Final = "LATERALITY_CONFLICT"
"""The user, the file or the number of knees say different things of the side."""

_SURE: Final = 0.25
"""Chosen: certainty × place of the fibula from which it decides the side."""


@dataclass(frozen=True, slots=True)
class Side:
    """The side of one knee, how it is known, and whether somebody said another."""

    laterality: Laterality
    source: LateralitySource
    conflict: bool = False

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the result must say of it."""
        return (CONFLICT,) if self.conflict else ()


def sides(
    middles: Sequence[tuple[float, float]],
    header: Header,
    given: Laterality | None,
    *,
    fibulas: Sequence[float] = (),
) -> tuple[Side, ...]:
    """The side of every knee of a film.

    What the user or the file says is of one knee. Where several are found it cannot be true of
    all, so it decides none and is reported as a conflict.

    Parameters
    ----------
    middles
        (x, y) of each knee on the film.
    header
        What the file says.
    given
        What the user says.
    fibulas
        Of each knee, how far and how surely its fibula lies to the image's right, −1 to 1;
        nothing where nobody looked.
    """
    said, tag = given or Laterality.UNKNOWN, header.laterality
    unknown = Laterality.UNKNOWN
    if len(middles) == 1 and said is not unknown:
        conflict = tag is not unknown and (tag != said or header.sides_contradict)
        return (Side(said, "user", conflict),)
    if len(middles) == 1 and tag is not unknown:
        return (Side(tag, "tag", header.sides_contradict),)
    conflict = len(middles) > 1 and (said is not unknown or tag is not unknown)
    if len(middles) == 2 and _side_by_side(*middles):
        (x, _), (other, _) = middles
        # the patient's right knee is shown at the film's left
        placed = (Laterality.RIGHT, Laterality.LEFT)
        return tuple(Side(s, "place", conflict) for s in (placed if x < other else placed[::-1]))
    return tuple(_by_fibula(offset, conflict) for offset in fibulas or [0.0] * len(middles))


def _side_by_side(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two knees are those of one person; below each other they are two views."""
    return abs(one[0] - other[0]) > abs(one[1] - other[1])


def _by_fibula(offset: float, conflict: bool) -> Side:
    if abs(offset) < _SURE:
        return Side(Laterality.UNKNOWN, "unknown", conflict)
    # the fibula is lateral: at the image's left of a right knee
    side = Laterality.RIGHT if offset < 0.0 else Laterality.LEFT
    return Side(side, "landmarks", conflict)
