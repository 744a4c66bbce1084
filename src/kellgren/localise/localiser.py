"""The seam between finding knees and grading them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from kellgren.anatomy import Laterality
from kellgren.imaging import Frame, Radiograph, RegionSpec
from kellgren.records import BundleReference, Gate, LateralitySource, ScaleSource


@dataclass(frozen=True, slots=True)
class Found:
    """A knee before it is graded: where, which side, how we know, and whether to grade it."""

    frame: Frame
    laterality: Laterality
    laterality_source: LateralitySource
    scale_source: ScaleSource
    confidence: float | None = None
    gate: Gate = field(default_factory=Gate)
    warnings: tuple[str, ...] = ()
    landmarks: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Name → (x, y) in film pixels; none where nobody looked."""
    half_seen: bool = False
    """One end of the plateau lies beyond the film; its place was taken from the other's."""


class Localiser(Protocol):
    """Finds the knees of a film."""

    @property
    def reference(self) -> BundleReference | None:
        """The bundle that looks; None where nothing learned does."""
        ...

    @property
    def synthetic(self) -> bool:
        """Whether what looks learned from phantoms only; then real films are refused."""
        ...

    def find(
        self, film: Radiograph, spec: RegionSpec, *, laterality: Laterality | None
    ) -> tuple[Found, ...]:
        """Every knee, as a region cut by ``spec``; ``laterality`` is what the user says.

        Raises
        ------
        InputError
            The film cannot be searched; it becomes a result with this error.
        """
        ...
