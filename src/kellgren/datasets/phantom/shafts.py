"""What rays cross beyond the joint: the shafts of three bones, thigh and calf.

Chosen as in `kellgren.datasets.phantom.density`, beside the whole films of
doi:10.17632/fxjm8fb6mw. Lengths are in plateau widths.
"""

from typing import Final

import numpy as np

from kellgren.datasets.phantom.density import inside
from kellgren.datasets.phantom.geometry import Array, Bones, Curve, Lookup, fibula_tip
from kellgren.datasets.phantom.knee import PhantomKnee

SHAFT_FROM: Final = 0.85
"""How far from the plateau bones begin to be shafts; a region's picture ends before."""

SHAFT_WHOLLY: Final = 1.30
"""And where nothing is left of their ends."""

_CORTEX: Final = 3.2
_THIN_CORTEX: Final = 4.5
_MARROW: Final = 0.9
"""Densities over a length: of the tube, of the fibula's, and of what they hold."""


def share_of_shaft(v: Array) -> Array:
    """0 where a bone is drawn as its end, 1 where as its shaft, and smooth between."""
    share = np.clip((np.abs(v) - SHAFT_FROM) / (SHAFT_WHOLLY - SHAFT_FROM), 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share), dtype=np.float32)


def femur_shaft(knee: PhantomKnee, u: Array, v: Array, edge: float) -> Array:
    """The shaft of the femur, above the joint only."""
    bones = Bones.of(knee)
    along = v - np.float32(bones.femur_level)
    thickness = 0.02 + 0.055 * np.clip(-v - SHAFT_FROM, 0.0, 1.0)
    return _between(bones.femur_lateral, bones.femur_medial, u, along, thickness, edge)


def tibia_shaft(knee: PhantomKnee, u: Array, v: Array, edge: float) -> Array:
    """The shaft of the tibia, below the joint only."""
    bones = Bones.of(knee)
    thickness = 0.02 + 0.050 * np.clip(v - SHAFT_FROM, 0.0, 1.0)
    return _between(bones.tibia_lateral, bones.tibia_medial, u, v, thickness, edge)


def fibula_shaft(knee: PhantomKnee, u: Array, v: Array, edge: float) -> Array:
    """The shaft of the fibula, below its head only; it comes closer to the tibia."""
    tip_u, _ = fibula_tip(knee)
    middle = tip_u - 0.05 + 0.045 * np.maximum(v - 1.0, 0.0)
    half, thickness = np.float32(0.068), np.float32(0.028)
    return _tube(np.abs(u - middle), half, thickness, edge, cortex=_THIN_CORTEX)


def leg_tissue(knee: PhantomKnee, u: Array, v: Array) -> Array:
    """Muscle, fat and skin of a whole leg.

    Parameters
    ----------
    knee
        Says how thick the leg is at its joint.
    u
        (rows, columns).
    v
        (rows, 1), as in the leg's middle: an outline varies too slowly to need more.
    """
    half = _half_width(knee, v)
    belly = 0.03 * np.exp(-(((v - 1.7) / 0.7) ** 2))  # the calf's is medial
    beside = u - np.asarray(belly, np.float32)
    fat = np.asarray(0.10 * half, np.float32)
    thickness = np.sqrt(half / np.float32(knee.soft_tissue))
    whole = 0.30 * _chord(beside, half) + 0.24 * _chord(beside, half - fat)
    return np.asarray(thickness * whole, dtype=np.float32)


def tissue_reach(knee: PhantomKnee, v: Array) -> float:
    """How far from the bones' middle the widest part of the leg reaches."""
    return float(_half_width(knee, v).max()) + 0.05


def _half_width(knee: PhantomKnee, v: Array) -> Array:
    above, below = np.maximum(-0.7 - v, 0.0), np.maximum(v - 1.6, 0.0)
    thigh = 0.30 * above * above / (above + 1.2)
    calf = 0.06 * np.exp(-(((v - 1.6) / 0.6) ** 2)) - 0.28 * below * below / (below + 0.6)
    half = knee.soft_tissue + 0.05 * np.maximum(v, -1.0) + thigh + calf
    return np.asarray(np.maximum(half, 0.35), dtype=np.float32)


def _between(
    lateral: Curve, medial: Curve, u: Array, along: Array, thickness: Array, edge: float
) -> Array:
    at = Lookup.of(along)
    left, right = -lateral.height(at), medial.height(at)
    half = 0.5 * (right - left)
    return _tube(np.abs(u - 0.5 * (left + right)), half, thickness, edge)


def _tube(
    x: Array,
    half: Array | np.float32,
    thickness: Array | np.float32,
    edge: float,
    *,
    cortex: float = _CORTEX,
) -> Array:
    """A tube of bone and its marrow, at a distance from its axis."""
    canal = _length(x, half - thickness)
    density = cortex * (_length(x, half) - canal) + _MARROW * canal
    return np.asarray(inside(half - x, edge) * density, dtype=np.float32)


def _length(x: Array, half: Array | np.float32) -> Array:
    """Half of what a ray crosses of a cylinder."""
    return np.asarray(np.sqrt(np.maximum(half * half - x * x, 0.0)), dtype=np.float32)


def _chord(x: Array, half: Array) -> Array:
    """The same of a unit circle that is stretched to the leg's width."""
    return np.asarray(np.sqrt(np.maximum(1.0 - (x / half) ** 2, 0.0)), dtype=np.float32)
