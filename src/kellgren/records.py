"""What travels between the rooms: a knee, a prediction, and the result of one film.

The published JSON Schema is made from `FilmResult` itself; fields are added, never renamed.
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from kellgren.anatomy import Laterality
from kellgren.imaging.radiograph import SpacingSource

SCHEMA_VERSION = 1

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
LateralitySource = Literal["user", "tag", "place", "landmarks", "unknown"]
ScaleSource = Literal["spacing", "plateau_width", "boxes", "whole_picture"]
GateCode = Literal[
    "NO_KNEE", "NOT_A_RADIOGRAPH", "REGION_CUT", "UNDEREXPOSED", "OVEREXPOSED", "TOO_COARSE"
]

WarningCode = Literal[
    "LATERALITY_UNKNOWN", "LATERALITY_CONFLICT", "REGION_CUT", "POLARITY_INVERTED", "FORCED"
]
"""Of a knee that was graded."""

RESEARCH_USE = "Research use only. Not a medical device."
"""Stands on every artefact."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer to one task.

    Parameters
    ----------
    grade
        Index of the most probable class.
    probabilities
        Calibrated, one for each class, six decimals, summing to one.
    expected
        Mean grade under the probabilities; None for a task without order.
    set
        The conformal set, ascending class indices: contiguous for ordinal tasks.
    coverage
        The share of knees whose true grade lies in such a set, as calibrated.
    """

    grade: Annotated[int, Field(ge=0)]
    probabilities: tuple[Probability, ...]
    expected: float | None
    set: tuple[int, ...]
    coverage: Probability


@dataclass(frozen=True, slots=True)
class RegionFrame:
    """Where a region lies: the 2×3 matrix from its pixels to the film's, and its side."""

    matrix: tuple[tuple[float, float, float], tuple[float, float, float]]
    size_px: int


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether something was graded, and the reason codes if not (or in spite of them)."""

    graded: bool = True
    reasons: tuple[GateCode, ...] = ()


@dataclass(frozen=True, slots=True)
class Knee:
    """One knee of a film, and its grades once it has them.

    Parameters
    ----------
    region, box_px
        Where it is: the exact frame, and the upright box (x0, y0, x1, y1) of film-pixel edges
        around it.
    confidence
        Of the localiser, in [0, 1]; None where a person or the whole picture gave the region.
    kl
        The Kellgren–Lawrence grade, if the bundle grades it.
    grades
        Every task of the bundle by name, ``kl`` among them.
    joint_space_mm
        Not measured yet.
    attention_png
        Path of the overlay relative to the output folder, if one was written.
    landmarks
        Name → (x, y) in film pixels, where a localiser found them.
    """

    laterality: Laterality
    laterality_source: LateralitySource
    region: RegionFrame
    scale_source: ScaleSource
    box_px: tuple[float, float, float, float]
    confidence: Probability | None = None
    gate: Gate = field(default_factory=Gate)
    warnings: tuple[str, ...] = ()
    kl: Prediction | None = None
    grades: dict[str, Prediction] = field(default_factory=dict)
    joint_space_mm: None = None
    attention_png: str | None = None
    landmarks: dict[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BundleReference:
    """Which bundle spoke. ``sha256`` is that of its ``bundle.json``."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a film has no result."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class FilmResult:
    """Everything known of one film after grading; serialised as one line of JSON.

    Parameters
    ----------
    source
        Path relative to what was given on the command line.
    sha256
        Of the file's bytes; None where they could not be read.
    subject
        From a manifest only; a patient's name never stands here.
    created
        ISO 8601, UTC; fixed by SOURCE_DATE_EPOCH.
    film_png
        Path of the film's overlay relative to the output folder, if one was written.
    synthetic
        The film is a phantom, or the grader learned from phantoms, or the localiser that found its
        knees from phantoms only: no statement about a person.
    """

    source: str
    sha256: str | None
    bundle: BundleReference
    created: str
    study_uid: str | None = None
    sop_uid: str | None = None
    subject: str | None = None
    pixel_spacing_mm: tuple[float, float] | None = None
    spacing_source: SpacingSource = "none"
    magnification: float | None = None
    synthetic: bool = False
    gate: Gate = field(default_factory=Gate)
    warnings: tuple[str, ...] = ()
    knees: tuple[Knee, ...] = ()
    image_grades: dict[str, Prediction] = field(default_factory=dict)
    exam_grades: dict[str, Prediction] = field(default_factory=dict)
    localiser: BundleReference | None = None
    error: Problem | None = None
    film_png: str | None = None
    notice: Literal["Research use only. Not a medical device."] = (
        "Research use only. Not a medical device."
    )
    schema: Literal[1] = 1

    @property
    def complete(self) -> bool:
        """Whether the film was read and every knee found was graded."""
        return (
            self.error is None
            and self.gate.graded
            and len(self.knees) > 0
            and all(knee.gate.graded for knee in self.knees)
        )
