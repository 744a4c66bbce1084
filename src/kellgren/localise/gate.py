"""The courage to refuse: what must be true of a film, and of a knee, before it is graded."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from kellgren.imaging import Frame, Radiograph
from kellgren.imaging.percentiles import percentiles
from kellgren.localise.landmarks import Joint
from kellgren.records import Gate, GateCode

MOST_ROUGHNESS: Final = 0.25
"""Chosen: less than pages of text and line drawings have. Radiographs stay below it even where
they were equalised, sharpened to the limit, shrunk to 40 pixels or a fifth of them is grain."""

LEAST_ON_FILM: Final = 0.60
"""Contract: less of a region on the film is refused."""

WHOLE_ON_FILM: Final = 0.85
"""Contract: less of a region on the film is warned of."""

LEAST_WIDTH_PX: Final = 48.0
"""Chosen: a plateau of 75 mm is then 1.6 mm a pixel, half a narrowed joint space."""

WHITE_SHARE: Final = 0.5
"""Chosen: of a region's pixels at its own highest value; the bones then show nothing."""

LEAST_CONTRAST: Final = 0.04
"""Chosen: of the film's range, between the 5th and the 99th percentile of a region."""

_SATURATED: Final = 0.01
"""Chosen: of the film's range; what lossy compression makes of one value."""

_SAMPLED: Final = 300
"""Chosen: rows and columns that are looked at, enough for a share."""


def film_gate(film: Radiograph) -> Gate:
    """Whether a picture can be a radiograph at all, before any knee is looked for.

    A radiograph is a shadow of rounded bodies: places of it a three-hundredth of its length apart
    resemble each other. ``NOT_A_RADIOGRAPH`` are pictures that are rough instead, which noise,
    pages of text and line drawings are, and pictures that are one value but for specks. Nothing
    else is meant. Photographs, screenshots and diagrams of areas can be as smooth as a radiograph,
    and other body parts are radiographs: there nothing but the localiser refuses (``NO_KNEE``).

    Parameters
    ----------
    film
        Of any body part, polarity and depth; it is looked at in some 300 rows and columns.
    """
    if roughness(film) > MOST_ROUGHNESS:
        return Gate(graded=False, reasons=("NOT_A_RADIOGRAPH",))
    return Gate()


def roughness(film: Radiograph) -> float:
    """How little neighbouring samples resemble each other.

    Their mean squared difference over that of samples taken anywhere: 0 for a picture without
    edges, 1 for white noise, and for one whose range between the 0.5th and the 99.5th percentile
    is empty. Nothing is averaged, so that thin strokes count in full; values beyond those
    percentiles count as these, so that markers and broken pixels do not.
    """
    seen = _sampled(film.pixels)
    # a ninth of the samples is enough for percentiles
    lowest, highest = (float(edge) for edge in percentiles(seen[::3, ::3], (0.5, 99.5)))
    if highest <= lowest:
        return 1.0
    np.clip(seen, lowest, highest, out=seen)
    seen -= (lowest + highest) / 2.0
    anywhere = 2.0 * (_mean_square(seen) - float(seen.mean()) ** 2)
    steps = (seen[1:] - seen[:-1], seen[:, 1:] - seen[:, :-1])
    return sum(map(_mean_square, steps)) / (2.0 * anywhere)


def _mean_square(values: NDArray[np.float32]) -> float:
    flat = values.ravel()
    return float(np.dot(flat, flat)) / flat.size


def knee_gate(film: Radiograph, frame: Frame, joint: Joint) -> tuple[Gate, tuple[str, ...]]:
    """Whether a knee that was found may be graded, and the warnings if it may.

    Parameters
    ----------
    film, frame
        The film and the knee's region on it.
    joint
        The landmarks in film pixels.
    """
    cut, warnings = cut_gate(film, frame)
    reasons: list[GateCode] = [*cut.reasons]
    if joint.width < LEAST_WIDTH_PX:
        reasons.append("TOO_COARSE")
    reasons += _exposure(film, frame)
    return Gate(graded=not reasons, reasons=tuple(reasons)), warnings


def cut_gate(film: Radiograph, frame: Frame) -> tuple[Gate, tuple[str, ...]]:
    """Whether enough of a region lies on the film, whoever placed it; and a warning if hardly."""
    share = on_film(film, frame)
    if share < LEAST_ON_FILM:
        return Gate(graded=False, reasons=("REGION_CUT",)), ()
    return Gate(), ("REGION_CUT",) if share < WHOLE_ON_FILM else ()


def on_film(film: Radiograph, frame: Frame) -> float:
    """The share of a region, upright or turned, that the film shows."""
    rows, columns = film.shape
    first, last = -0.5, frame.size_px - 0.5
    # (x, y) of the corners in film edges, which are half a pixel before the centres
    region = frame.to_film([(first, first), (last, first), (last, last), (first, last)]) + 0.5
    shown = region
    for axis, length in ((0, columns), (1, rows)):
        shown = _from_zero(shown, axis)
        shown = length - _from_zero(length - shown, axis)
    # rounded, so that it is not a rounding error that refuses a knee
    return round(_area(shown) / _area(region), 6)


def _from_zero(polygon: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """What of a convex polygon (n, 2) has no negative coordinate on an axis (Sutherland–Hodgman).

    See doi:10.1145/360767.360802.
    """
    kept = []
    for start, end in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        a, b = float(start[axis]), float(end[axis])
        if a >= 0.0:
            kept.append(start)
        if (a >= 0.0) != (b >= 0.0):
            kept.append(start + (end - start) * (a / (a - b)))
    return np.array(kept).reshape(-1, 2)


def _area(polygon: NDArray[np.float64]) -> float:
    """Of a polygon (n, 2), whichever way round."""
    x, y = polygon.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2.0


def _exposure(film: Radiograph, frame: Frame) -> list[GateCode]:
    """A region without differences is over- or underexposed by how bright it is.

    Ranges are between percentiles, so that neither one broken pixel nor a lead marker, which are
    brighter than any bone, makes a knee seem dark or hides that it is white.
    """
    rows, columns = film.shape
    x0, y0, x1, y1 = (max(round(edge), 0) for edge in frame.edges)
    part = film.pixels[y0 : min(y1, rows), x0 : min(x1, columns)]
    if part.size == 0:
        return []
    darkest, brightest = percentiles(_sampled(film.pixels), (0.5, 99.5))
    whole = max(float(brightest - darkest), 1e-6)
    seen = _sampled(part)
    low, high = percentiles(seen, (5.0, 99.0))
    bright = float(high - darkest) > 0.5 * whole
    white = float((seen >= high - _SATURATED * whole).mean()) > WHITE_SHARE
    if bright and white:
        return ["OVEREXPOSED"]
    if float(high - low) < LEAST_CONTRAST * whole:
        return ["UNDEREXPOSED"]
    return []


def _sampled(pixels: NDArray[np.generic]) -> NDArray[np.float32]:
    step = max(1, max(pixels.shape) // _SAMPLED)
    return pixels[::step, ::step].astype(np.float32)
