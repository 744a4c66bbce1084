"""The main path: read → localise → grade → explain → `FilmResult`."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kellgren import errors
from kellgren.anatomy import KL, Laterality
from kellgren.grading import Grader
from kellgren.imaging import Radiograph, cut_region
from kellgren.imaging.raster import decode_raster, read_bytes
from kellgren.localise import Found, Localiser
from kellgren.records import (
    BundleReference,
    FilmResult,
    Knee,
    Prediction,
    Problem,
    RegionFrame,
)

UNKNOWN_SIDE = "LATERALITY_UNKNOWN"
"""Both orientations were graded and averaged."""


@dataclass(frozen=True, slots=True)
class Film:
    """One film to be graded, and what is known beside its pixels.

    Parameters
    ----------
    path
        Where it is.
    source
        What the result calls it: relative to the path that the user gave.
    laterality
        Said by the user or a manifest; None if nobody said.
    subject
        A study identifier from a manifest.
    """

    path: Path
    source: str
    laterality: Laterality | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class GradedFilm:
    """A result, and the pictures that artefacts are drawn from.

    ``pictures`` holds, for each knee of the result, its region as the film shows it (uint8) and its
    attention (float32 in [0, 1], of the same shape) or None.
    """

    result: FilmResult
    pictures: tuple[tuple[NDArray[np.uint8], NDArray[np.float32] | None], ...] = ()


def grade_film(
    film: Film,
    grader: Grader,
    *,
    localiser: Localiser,
    clock: Callable[[], datetime],
    allow_synthetic: bool = False,
) -> GradedFilm:
    """Grade one film. Bad input becomes a result with an error, never an exception.

    Parameters
    ----------
    film
        What to grade.
    grader, localiser
        How.
    clock
        Gives ``created``, in UTC.
    allow_synthetic
        Let a bundle that learned from phantoms grade a real film.
    """
    created = clock().strftime("%Y-%m-%dT%H:%M:%SZ")
    bundle = grader.bundle.reference
    sha256 = None
    try:
        content = read_bytes(film.path)
        sha256 = hashlib.sha256(content).hexdigest()
        radiograph = decode_raster(content, film.path.name)
        refuse_if_synthetic_only(grader, radiograph, allowed=allow_synthetic)
    except errors.KellgrenError as error:
        return GradedFilm(failure(film, error, sha256=sha256, bundle=bundle, created=created))
    spec = grader.bundle.record.region
    knees, pictures = [], []
    for found in localiser.find(radiograph, spec, laterality=film.laterality):
        region = cut_region(radiograph, found.frame, spec)
        graded = grader.grade(region, found.laterality)
        knees.append(_knee(found, graded.predictions))
        pictures.append((np.rint(region.pixels * 255.0).astype(np.uint8), graded.attention))
    result = FilmResult(
        source=film.source,
        sha256=radiograph.sha256,
        bundle=bundle,
        created=created,
        subject=film.subject,
        pixel_spacing_mm=radiograph.pixel_spacing_mm,
        spacing_source=radiograph.spacing_source,
        synthetic=radiograph.synthetic or grader.bundle.record.synthetic,
        knees=tuple(knees),
    )
    return GradedFilm(result, tuple(pictures))


def refuse_if_synthetic_only(grader: Grader, film: Radiograph, *, allowed: bool) -> None:
    """Raise if a bundle that learned from phantoms is asked about a person."""
    if grader.bundle.record.synthetic and not film.synthetic and not allowed:
        raise errors.BundleRefused(
            f"the bundle {grader.bundle.record.name} learned from phantoms: no real films. "
            "Choose another bundle, or say --allow-synthetic to see what it makes of it."
        )


def failure(
    film: Film,
    error: errors.KellgrenError,
    *,
    sha256: str | None,
    bundle: BundleReference,
    created: str,
) -> FilmResult:
    """The result of a film that could not be graded."""
    return FilmResult(
        source=film.source,
        sha256=sha256,
        bundle=bundle,
        created=created,
        subject=film.subject,
        error=Problem(error.code, str(error)),
    )


def _knee(found: Found, predictions: dict[str, Prediction]) -> Knee:
    return Knee(
        laterality=found.laterality,
        laterality_source=found.laterality_source,
        region=RegionFrame(found.frame.matrix, found.frame.size_px),
        scale_source=found.scale_source,
        box_px=found.frame.edges,
        confidence=found.confidence,
        gate=found.gate,
        warnings=(UNKNOWN_SIDE,) if found.laterality is Laterality.UNKNOWN else (),
        kl=predictions.get(KL.name),
        grades=predictions,
    )
