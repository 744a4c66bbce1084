"""The seam between finding knees and grading them."""

from dataclasses import dataclass, field
from typing import Protocol

from kellgren.anatomy import Laterality
from kellgren.imaging import Frame, Radiograph, RegionSpec
from kellgren.records import Gate, LateralitySource, ScaleSource


@dataclass(frozen=True, slots=True)
class Found:
    """A knee before it is graded: where, which side, how we know, and whether to grade it."""

    frame: Frame
    laterality: Laterality
    laterality_source: LateralitySource
    scale_source: ScaleSource
    confidence: float | None = None
    gate: Gate = field(default_factory=Gate)


class Localiser(Protocol):
    """Finds the knees of a film."""

    def find(
        self, film: Radiograph, spec: RegionSpec, *, laterality: Laterality | None
    ) -> tuple[Found, ...]:
        """Every knee, as a region cut by ``spec``; ``laterality`` is what the user says."""
        ...
