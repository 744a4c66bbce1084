"""Drawing a phantom: the density that each ray crosses, then the film's answer to it.

Densities and widths are chosen, by eye on contact sheets beside regions of kneeKL299; a phantom is
cleaner than life and nothing physical is measured with it. Lengths are in plateau widths.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from kellgren.anatomy import Laterality
from kellgren.datasets.phantom.geometry import (
    CONTACT,
    SIZE_PX,
    Array,
    Bones,
    Lookup,
    coordinates,
    fibula_tip,
)
from kellgren.datasets.phantom.knee import PhantomKnee
from kellgren.imaging.raster import MIN_SIDE_PX

_UNSHARP_PX: Final = 2.5
"""Chosen: edges rise over this many pixels of a 299 px picture, as the open data's do."""


def draw_knee(knee: PhantomKnee, *, size_px: int = SIZE_PX) -> NDArray[np.uint8]:
    """Draw a phantom as a radiograph of one knee's region.

    Parameters
    ----------
    knee
        What to draw. The same knee gives the same picture; with the other laterality it gives the
        mirrored one.
    size_px
        Side of the picture; lengths scale with it, the noise stays white.

    Returns
    -------
    ndarray
        (size_px, size_px) uint8, bone bright. The plateau is ``knee.scale`` of the side wide, the
        joint near the middle.

    Raises
    ------
    ValueError
        The picture would be smaller than any that is read.
    """
    if size_px < MIN_SIDE_PX:
        raise ValueError(f"size_px is {size_px}; pictures under {MIN_SIDE_PX} px are not read")
    rng = np.random.default_rng(knee.noise_seed)
    u, v = coordinates(knee, size_px=size_px)
    texture = _trabeculae(rng, size_px) * np.float32(knee.trabeculae)
    edge = max(_UNSHARP_PX / SIZE_PX, 1.0 / size_px) / knee.scale
    whole = _Rays(u, v, texture, edge)
    bones = Bones.of(knee)
    density = _soft_tissue(knee, u, v)
    # Each bone is computed only where it can be, which halves the time.
    for bone, part in (
        (_femur, (slice(0, _first(v.min(1), 0.06)), slice(None))),
        (_tibia, (slice(_first(v.max(1), -0.2), None), slice(None))),
        (
            _fibula,
            (slice(_first(v.max(1), knee.fibula - 0.02), None), slice(0, _first(u.min(0), -0.3))),
        ),
    ):
        density[part] += bone(knee, bones, whole.part(*part))
    density *= 1.0 + 0.07 * _clouds(rng, (4, 4), size_px)
    picture = _film(density, knee)
    picture += rng.standard_normal(picture.shape, dtype=np.float32) * np.float32(knee.noise_sd)
    grey = np.clip(np.rint(picture), 0.0, 255.0).astype(np.uint8)
    if knee.laterality is Laterality.LEFT:
        grey = np.ascontiguousarray(grey[:, ::-1])
    return grey


@dataclass(frozen=True, slots=True, eq=False)
class _Rays:
    """A rectangle of the picture: where its rays pass, and the texture of bone in their way.

    ``edge`` is the length over which edges rise.
    """

    u: Array
    v: Array
    texture: Array
    edge: float

    def part(self, rows: slice, columns: slice) -> "_Rays":
        area = (rows, columns)
        return _Rays(self.u[area], self.v[area], self.texture[area], self.edge)


def _film(density: Array, knee: PhantomKnee) -> Array:
    """Grey levels: dark where little is crossed, saturated where much is."""
    exposed = (1.08 * knee.exposure * np.maximum(density, 0.0)) ** knee.contrast
    return np.asarray(260.0 * (1.0 - np.exp(-exposed)), dtype=np.float32)


def _soft_tissue(knee: PhantomKnee, u: Array, v: Array) -> Array:
    half = knee.soft_tissue + 0.05 * v
    return np.asarray(0.52 * np.sqrt(np.clip(1.0 - (u / half) ** 2, 0.0, 1.0)), dtype=np.float32)


def _femur(knee: PhantomKnee, bones: Bones, rays: _Rays) -> Array:
    u, w = rays.u, rays.v - np.float32(bones.femur_level)
    at_w = Lookup.of(w)
    from_joint = -bones.condyles.distance(rays.v, Lookup.of(u))
    from_side = -np.maximum(
        bones.femur_lateral.distance(-u, at_w), bones.femur_medial.distance(u, at_w)
    )
    inside = _inside(_rounded(from_joint, from_side), rays)
    density = _bone(from_joint, from_side, rays, plate=0.13, wall=0.24)
    density += 0.30 * _sclerosis(knee, u) * _decay(from_joint, 0.045)
    # The condyles' inner walls rise from the notch; between them there is less bone.
    height = np.maximum(-0.10 - w, 0.0)
    lateral = u < 0.0
    wall = _either(lateral, -u - 0.12 - 0.1 * height, u - 0.09 - 0.45 * height)
    seen = _hump(height - 0.10, 0.18)
    density += seen * (0.06 * _hump(wall, 0.012) - 0.03 * np.clip(wall / -0.06, 0.0, 1.0))
    # Scars of the growth plate: level on the lateral side, rising on the medial one.
    scar = w + _either(lateral, 0.34 - 0.10 * u * u, 0.28 + 0.35 * u - 0.2 * u * u)
    density += 0.05 * _hump(scar, 0.011) * _hump(np.abs(u) - np.float32(0.27), 0.2)
    patella = ((u + 0.02) / 0.27) ** 2 + ((w + 0.47) / 0.25) ** 2
    density += 0.09 * np.clip((1.0 - patella) / 0.3, 0.0, 1.0)
    return np.asarray(inside * density, dtype=np.float32)


def _tibia(knee: PhantomKnee, bones: Bones, rays: _Rays) -> Array:
    u, v = rays.u, rays.v
    at_v = Lookup.of(v)
    from_joint = bones.plateau.distance(v, Lookup.of(u))
    from_side = -np.maximum(
        bones.tibia_lateral.distance(-u, at_v), bones.tibia_medial.distance(u, at_v)
    )
    inside = _inside(_rounded(from_joint, from_side), rays)
    density = _bone(from_joint, from_side, rays, plate=0.17, wall=0.22)
    # In each compartment the plate is dense, and the other rim of the plateau shows below it.
    compartment = _hump(np.abs(u) - np.float32(0.31), 0.24)
    rim = _either(u < 0.0, np.float32(0.022), np.float32(0.030))
    density += compartment * (
        0.15 * _decay(from_joint, 0.030) + 0.07 * _hump(from_joint - rim, 0.011)
    )
    density += 0.40 * _sclerosis(knee, u) * _decay(from_joint, 0.055)
    scar = v - 0.185 - 0.12 * u * u + 0.012 * np.cos(11.0 * u + 1.0)
    density += 0.045 * _hump(scar, 0.013) * _hump(u + 0.05, 0.5)
    return np.asarray(inside * density, dtype=np.float32)


def _fibula(knee: PhantomKnee, bones: Bones, rays: _Rays) -> Array:
    del bones  # it touches neither
    tip_u, tip_v = fibula_tip(knee)
    below = rays.v - np.float32(tip_v)
    # A head 0.2 wide, its tip a semicircle, that tapers to a neck further out.
    radius = 0.068 + 0.034 * _hump(below - 0.10, 0.19)
    middle = tip_u - 0.05 * np.clip(below / 0.15, 0.0, 1.0)
    depth = radius - np.hypot(rays.u - middle, np.minimum(below - 0.10, 0.0))
    body = 0.14 - 0.08 * _decay(depth, 0.04) + 0.15 * _decay(depth, 0.008) + 0.5 * rays.texture
    return np.asarray(_inside(depth, rays) * body, dtype=np.float32)


def _bone(from_joint: Array, from_side: Array, rays: _Rays, *, plate: float, wall: float) -> Array:
    """A body that thickens from its edges: spongy, with a subchondral plate and thin walls."""
    rise = 1.0 - _decay(_rounded(from_joint, from_side), 0.08)
    body = 0.07 + 0.27 * rise + rays.texture * (0.3 + 0.7 * rise)
    body += plate * _decay(from_joint, 0.013) + wall * _decay(from_side, 0.009)
    return np.asarray(body, dtype=np.float32)


def _sclerosis(knee: PhantomKnee, u: Array) -> Array:
    lateral = knee.sclerosis_lateral * _hump(u + CONTACT + 0.03, 0.26)
    medial = knee.sclerosis_medial * _hump(u - CONTACT - 0.03, 0.26)
    return np.asarray(lateral + medial, dtype=np.float32)


def _inside(depth: Array, rays: _Rays) -> Array:
    return np.asarray(np.clip(depth / np.float32(rays.edge) + 0.5, 0.0, 1.0))


def _rounded(a: Array, b: Array) -> Array:
    """The lesser of two distances, its corner rounded."""
    width = 0.012
    share = np.clip(0.5 + 0.5 * (b - a) / width, 0.0, 1.0)
    return np.asarray(b + (a - b) * share - width * share * (1.0 - share), dtype=np.float32)


def _decay(depth: Array, length: float) -> Array:
    return np.asarray(np.exp(np.maximum(depth, 0.0) / np.float32(-length)), dtype=np.float32)


def _hump(x: Array, width: float) -> Array:
    """A bell of half width ``width`` that ends: cheaper than a Gaussian."""
    square = np.maximum(1.0 - (x / np.float32(width)) ** 2, 0.0)
    return np.asarray(square * square, dtype=np.float32)


def _either(lateral: NDArray[np.bool_], there: ArrayLike, here: ArrayLike) -> Array:
    return np.asarray(np.where(lateral, there, here), dtype=np.float32)


def _first(sorted_values: Array, limit: float) -> int:
    return int(np.searchsorted(sorted_values, limit))


def _clouds(rng: np.random.Generator, cells: tuple[int, int], size_px: int) -> Array:
    coarse = Image.fromarray(rng.standard_normal(cells, dtype=np.float32))
    return np.asarray(coarse.resize((size_px, size_px), Image.Resampling.BICUBIC), dtype=np.float32)


def _trabeculae(rng: np.random.Generator, size_px: int) -> Array:
    """Spongy bone: fine upright streaks, in patches."""
    fine = 0.017 * _clouds(rng, (60, 210), size_px) + 0.008 * _clouds(rng, (150, 150), size_px)
    coarse = 0.010 * _clouds(rng, (14, 60), size_px) + 0.012 * _clouds(rng, (9, 9), size_px)
    return np.asarray(fine * (1.0 + 0.2 * _clouds(rng, (7, 7), size_px)) + coarse, dtype=np.float32)
