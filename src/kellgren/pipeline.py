"""The main path: read → localise → grade → explain → `FilmResult`.

Its two steps can be taken apart, so that a folder may be searched some films at a time.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kellgren import errors
from kellgren.anatomy import KL, Laterality
from kellgren.clock import written
from kellgren.grading import Bundle, Graded, Grader
from kellgren.imaging import Radiograph, Region, cut_region, decode_film, read_bytes
from kellgren.localise import Box, Boxes, Found, Localiser, film_gate, search
from kellgren.records import (
    BundleReference,
    FilmResult,
    Gate,
    Knee,
    Prediction,
    Problem,
    RegionFrame,
)

UNKNOWN_SIDE = "LATERALITY_UNKNOWN"
"""Both orientations were graded and averaged."""

FORCED = "FORCED"
"""Graded although the gate refused it."""

UNGRADED = Gate(graded=False)
"""Of a film with an error, which says why."""


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
    spacing_mm
        (row, column) said by the user; counts more than what the file says.
    boxes
        Knees that a person marked; then nothing is looked for.
    """

    path: Path
    source: str
    laterality: Laterality | None = None
    subject: str | None = None
    spacing_mm: tuple[float, float] | None = None
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """What a user allows.

    Parameters
    ----------
    force
        Grade knees that the gate refuses, and say so.
    allow_synthetic
        Let bundles that learned from phantoms find and grade the knees of a real film.
    keep_ids
        Let a DICOM file's patient identifier become the result's ``subject``.
    """

    force: bool = False
    allow_synthetic: bool = False
    keep_ids: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What artefacts of one knee are drawn from; drawn up when asked for."""

    region: Region
    graded: Graded | None

    @property
    def picture(self) -> NDArray[np.uint8]:
        """The region as the film shows it, (size_px, size_px)."""
        levels: NDArray[np.uint8] = np.rint(self.region.pixels * 255.0).astype(np.uint8)
        return levels

    @property
    def attention(self) -> NDArray[np.float32] | None:
        """In [0, 1], of the picture's shape; None for what was not graded or is not explained."""
        return None if self.graded is None else self.graded.attention


@dataclass(frozen=True, slots=True, eq=False)
class GradedFilm:
    """A result, and what artefacts are drawn from.

    ``shown`` has an entry for each knee of the result; ``radiograph`` is None where nothing could
    be decoded.
    """

    result: FilmResult
    shown: tuple[Shown, ...] = ()
    radiograph: Radiograph | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Searched:
    """A film that was read, looked at and searched; no grader has seen it yet.

    Parameters
    ----------
    about
        The result as far as it is known: no knees, perhaps why there are none.
    radiograph
        None where nothing could be decoded.
    places, regions
        The knees and what was cut of them; empty where the film was refused.
    """

    about: FilmResult
    radiograph: Radiograph | None = None
    places: tuple[Found, ...] = ()
    regions: tuple[Region, ...] = ()


def grade_film(
    film: Film,
    grader: Grader,
    *,
    localiser: Localiser,
    clock: Callable[[], datetime],
    options: Options = Options(),
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
    options
        What the user allows.
    """
    searched = search_film(film, grader.bundle, localiser=localiser, clock=clock, options=options)
    return grade_knees(searched, grader, options)


def search_film(
    film: Film,
    bundle: Bundle,
    *,
    localiser: Localiser,
    clock: Callable[[], datetime],
    options: Options = Options(),
) -> Searched:
    """Read a film, look for knees and cut their regions: all that comes before grading.

    Parameters
    ----------
    bundle
        Of the grader that the regions are for.
    film, localiser, clock, options
        As for `grade_film`.
    """
    created = written(clock())
    seeker = Boxes(film.boxes) if film.boxes else localiser
    content = b""
    try:
        content = read_bytes(film.path)
        radiograph = decode_film(content, film.path.name, keep_ids=options.keep_ids)
    except errors.KellgrenError as error:
        sha256 = hashlib.sha256(content).hexdigest() if content else None
        return Searched(
            failure(film, error, sha256=sha256, bundle=bundle.reference, created=created)
        )
    radiograph = radiograph.with_spacing(film.spacing_mm)
    about = _about(film, radiograph, bundle, seeker, created)
    # who marked a knee has looked at the picture
    gate = Gate() if film.boxes else film_gate(radiograph)
    if not (gate.graded or options.force):
        # no bundle spoke, so only the film itself may be a phantom's
        return Searched(replace(about, synthetic=radiograph.synthetic, gate=gate), radiograph)
    spec = bundle.record.region
    try:
        _refuse_if_synthetic_only(bundle, seeker, radiograph, allowed=options.allow_synthetic)
        radiograph, places = search(radiograph, seeker, spec, laterality=film.laterality)
    except errors.KellgrenError as error:
        problem = Problem(error.code, str(error))
        about = replace(about, synthetic=radiograph.synthetic, gate=UNGRADED, error=problem)
        return Searched(about, radiograph)
    regions = tuple(cut_region(radiograph, place.frame, spec) for place in places)
    reasons = gate.reasons if places else (*gate.reasons, "NO_KNEE")
    about = replace(about, gate=Gate(graded=bool(places), reasons=reasons))
    return Searched(about, radiograph, places, regions)


def grade_knees(searched: Searched, grader: Grader, options: Options) -> GradedFilm:
    """Grade the knees of a film that was searched with the grader's bundle."""
    knees, shown = [], []
    for place, region in zip(searched.places, searched.regions, strict=True):
        wanted = place.gate.graded or options.force
        graded = grader.grade(region, place.laterality) if wanted else None
        predictions = {} if graded is None else graded.predictions
        knees.append(_knee(place, predictions, searched.about.gate))
        shown.append(Shown(region, graded))
    result = replace(searched.about, knees=tuple(knees))
    return GradedFilm(result, tuple(shown), searched.radiograph)


def _about(
    film: Film,
    radiograph: Radiograph,
    bundle: Bundle,
    localiser: Localiser,
    created: str,
) -> FilmResult:
    """What is known of a film that could be decoded, before its knees are."""
    header = radiograph.header
    return FilmResult(
        source=film.source,
        sha256=radiograph.sha256,
        bundle=bundle.reference,
        created=created,
        study_uid=header.study_uid,
        sop_uid=header.sop_uid,
        subject=film.subject or header.patient_id,
        pixel_spacing_mm=radiograph.pixel_spacing_mm,
        spacing_source=radiograph.spacing_source,
        magnification=header.magnification,
        synthetic=radiograph.synthetic or bool(_taught_by_phantoms(bundle, localiser)),
        localiser=localiser.reference,
    )


def _refuse_if_synthetic_only(
    bundle: Bundle, localiser: Localiser, film: Radiograph, *, allowed: bool
) -> None:
    """Raise if a bundle that learned from phantoms is asked about a person."""
    taught = _taught_by_phantoms(bundle, localiser)
    if taught and not film.synthetic and not allowed:
        raise errors.BundleRefused(
            f"the bundle {taught[0].name} learned from phantoms: no real films. "
            "Choose another bundle, or say --allow-synthetic to see what it makes of it."
        )


def _taught_by_phantoms(bundle: Bundle, localiser: Localiser) -> list[BundleReference]:
    """Those of the two bundles that may not speak of people."""
    asked = (
        (bundle.record.synthetic, bundle.reference),
        (localiser.synthetic, localiser.reference),
    )
    return [taught for synthetic, taught in asked if synthetic and taught is not None]


def failure(
    film: Film,
    error: errors.KellgrenError,
    *,
    sha256: str | None,
    bundle: BundleReference,
    created: str,
) -> FilmResult:
    """The result of a film that could not be decoded."""
    return FilmResult(
        source=film.source,
        sha256=sha256,
        bundle=bundle,
        created=created,
        subject=film.subject,
        gate=UNGRADED,
        error=Problem(error.code, str(error)),
    )


def _knee(found: Found, predictions: dict[str, Prediction], whole: Gate) -> Knee:
    """A knee with its grades, if it has any; ``whole`` is what the gate says of its film."""
    warnings = list(found.warnings)
    if predictions and found.laterality is Laterality.UNKNOWN:
        warnings.append(UNKNOWN_SIDE)
    if predictions and (whole.reasons or not found.gate.graded):
        warnings.append(FORCED)
    return Knee(
        laterality=found.laterality,
        laterality_source=found.laterality_source,
        region=RegionFrame(found.frame.matrix, found.frame.size_px),
        scale_source=found.scale_source,
        box_px=found.frame.edges,
        confidence=found.confidence,
        gate=replace(found.gate, graded=bool(predictions)),
        warnings=tuple(warnings),
        kl=predictions.get(KL.name),
        grades=predictions,
        landmarks=dict(found.landmarks),
    )
