"""The courage to refuse: what must be true of a knee before it is graded."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from kellgren.imaging import Frame, Radiograph
from kellgren.localise.landmarks import Joint
from kellgren.records import Gate, GateCode

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
    """The share of a region that the film shows."""
    rows, columns = film.shape
    x0, y0, x1, y1 = frame.edges
    width = max(0.0, min(x1, columns) - max(x0, 0.0))
    height = max(0.0, min(y1, rows) - max(y0, 0.0))
    return width * height / ((x1 - x0) * (y1 - y0))


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
    darkest, brightest = np.percentile(_sampled(film.pixels), (0.5, 99.5))
    whole = max(float(brightest - darkest), 1e-6)
    seen = _sampled(part)
    low, high = np.percentile(seen, (5.0, 99.0))
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
