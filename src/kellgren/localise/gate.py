"""The courage to refuse: what must be true of a knee before it is graded."""

from typing import Final

import numpy as np

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
"""Chosen: of a region's pixels at the film's highest value; the bones then show nothing."""

LEAST_CONTRAST: Final = 0.04
"""Chosen: of the film's whole range between the 5th and the 99th percentile of a region."""


def knee_gate(film: Radiograph, frame: Frame, joint: Joint) -> tuple[Gate, tuple[str, ...]]:
    """Whether a knee that was found may be graded, and the warnings if it may.

    Parameters
    ----------
    film, frame
        The film and the knee's region on it.
    joint
        The landmarks in film pixels.
    """
    reasons: list[GateCode] = []
    warnings: list[str] = []
    share = on_film(film, frame)
    if share < LEAST_ON_FILM:
        reasons.append("REGION_CUT")
    elif share < WHOLE_ON_FILM:
        warnings.append("REGION_CUT")
    if joint.width < LEAST_WIDTH_PX:
        reasons.append("TOO_COARSE")
    reasons += _exposure(film, frame)
    return Gate(graded=not reasons, reasons=tuple(reasons)), tuple(warnings)


def on_film(film: Radiograph, frame: Frame) -> float:
    """The share of a region that the film shows."""
    rows, columns = film.shape
    x0, y0, x1, y1 = frame.edges
    width = max(0.0, min(x1, columns) - max(x0, 0.0))
    height = max(0.0, min(y1, rows) - max(y0, 0.0))
    return width * height / ((x1 - x0) * (y1 - y0))


def _exposure(film: Radiograph, frame: Frame) -> list[GateCode]:
    rows, columns = film.shape
    x0, y0, x1, y1 = (round(edge) for edge in frame.edges)
    part = film.pixels[max(y0, 0) : min(y1, rows), max(x0, 0) : min(x1, columns)]
    if part.size == 0:
        return []
    step = max(1, int(max(part.shape) // 300))  # enough pixels for a share
    seen = part[::step, ::step].astype(np.float32)
    lowest, highest = float(film.pixels.min()), float(film.pixels.max())
    if float((seen >= highest).mean()) > WHITE_SHARE:
        return ["OVEREXPOSED"]
    low, high = np.percentile(seen, (5.0, 99.0))
    if float(high - low) < LEAST_CONTRAST * max(highest - lowest, 1e-6):
        return ["UNDEREXPOSED"]
    return []
