"""What rays cross in and around the joint: the ends of three bones, and soft tissue.

Densities and widths are chosen, by eye on contact sheets beside regions of kneeKL299; a phantom is
cleaner than life and nothing physical is measured with it. Lengths are in plateau widths.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kellgren.datasets.phantom.geometry import CONTACT, Array, Bones, Lookup, fibula_tip
from kellgren.datasets.phantom.knee import PhantomKnee


@dataclass(frozen=True, slots=True, eq=False)
class Rays:
    """A rectangle of the picture: where its rays pass, and the texture of bone in their way.

    Parameters
    ----------
    u, v
        Where in the knee each ray passes; u grows along rows and v along columns.
    texture
        Of the spongy bone, 0 on average.
    edge
        The length over which edges rise.
    """

    u: Array
    v: Array
    texture: Array
    edge: float

    def part(self, rows: slice, columns: slice) -> "Rays":
        """The rays of a smaller rectangle."""
        area = (rows, columns)
        return Rays(self.u[area], self.v[area], self.texture[area], self.edge)


def answer(density: Array, exposure: float, contrast: float) -> Array:
    """How bright the film becomes, 0 where nothing is crossed and almost 1 where much is."""
    exposed = (1.08 * exposure * np.maximum(density, 0.0)) ** contrast
    return np.asarray(1.0 - np.exp(-exposed), dtype=np.float32)


def add_joint(density: Array, knee: PhantomKnee, rays: Rays) -> None:
    """Add the bones' ends to what the rays cross, in place."""
    u, v = rays.u, rays.v
    bones = Bones.of(knee)
    # Each bone is computed only where it can be, which halves the time.
    for bone, part in (
        (_femur, (slice(0, _first(v.min(1), 0.06)), slice(None))),
        (_tibia, (slice(_first(v.max(1), -0.2), None), slice(None))),
        (
            _fibula,
            (slice(_first(v.max(1), knee.fibula - 0.02), None), slice(0, _first(u.min(0), -0.3))),
        ),
    ):
        density[part] += bone(knee, bones, rays.part(*part))


def soft_tissue(knee: PhantomKnee, u: Array, v: Array) -> Array:
    """Muscle, fat and skin around the joint."""
    half = knee.soft_tissue + 0.05 * v
    return np.asarray(0.52 * np.sqrt(np.clip(1.0 - (u / half) ** 2, 0.0, 1.0)), dtype=np.float32)


def _femur(knee: PhantomKnee, bones: Bones, rays: Rays) -> Array:
    u, w = rays.u, rays.v - np.float32(bones.femur_level)
    at_w = Lookup.of(w)
    from_joint = -bones.condyles.distance(rays.v, Lookup.of(u))
    from_side = -np.maximum(
        bones.femur_lateral.distance(-u, at_w), bones.femur_medial.distance(u, at_w)
    )
    covered = inside(_rounded(from_joint, from_side), rays.edge)
    density = _bone(from_joint, from_side, rays, plate=0.13, wall=0.24)
    density += 0.30 * _sclerosis(knee, u) * decay(from_joint, 0.045)
    # The condyles' inner walls rise from the notch; between them there is less bone.
    height = np.maximum(-0.10 - w, 0.0)
    lateral = u < 0.0
    wall = _either(lateral, -u - 0.12 - 0.1 * height, u - 0.09 - 0.45 * height)
    seen = hump(height - 0.10, 0.18)
    density += seen * (0.06 * hump(wall, 0.012) - 0.03 * np.clip(wall / -0.06, 0.0, 1.0))
    # Scars of the growth plate: level on the lateral side, rising on the medial one.
    scar = w + _either(lateral, 0.34 - 0.10 * u * u, 0.28 + 0.35 * u - 0.2 * u * u)
    density += 0.05 * hump(scar, 0.011) * hump(np.abs(u) - np.float32(0.27), 0.2)
    patella = ((u + 0.02) / 0.27) ** 2 + ((w + 0.47) / 0.25) ** 2
    density += 0.09 * np.clip((1.0 - patella) / 0.3, 0.0, 1.0)
    return np.asarray(covered * density, dtype=np.float32)


def _tibia(knee: PhantomKnee, bones: Bones, rays: Rays) -> Array:
    u, v = rays.u, rays.v
    at_v = Lookup.of(v)
    from_joint = bones.plateau.distance(v, Lookup.of(u))
    from_side = -np.maximum(
        bones.tibia_lateral.distance(-u, at_v), bones.tibia_medial.distance(u, at_v)
    )
    covered = inside(_rounded(from_joint, from_side), rays.edge)
    density = _bone(from_joint, from_side, rays, plate=0.17, wall=0.22)
    # In each compartment the plate is dense, and the other rim of the plateau shows below it.
    compartment = hump(np.abs(u) - np.float32(0.31), 0.24)
    rim = _either(u < 0.0, np.float32(0.022), np.float32(0.030))
    density += compartment * (
        0.15 * decay(from_joint, 0.030) + 0.07 * hump(from_joint - rim, 0.011)
    )
    density += 0.40 * _sclerosis(knee, u) * decay(from_joint, 0.055)
    scar = v - 0.185 - 0.12 * u * u + 0.012 * np.cos(11.0 * u + 1.0)
    density += 0.045 * hump(scar, 0.013) * hump(u + 0.05, 0.5)
    return np.asarray(covered * density, dtype=np.float32)


def _fibula(knee: PhantomKnee, bones: Bones, rays: Rays) -> Array:
    del bones  # it touches neither
    tip_u, tip_v = fibula_tip(knee)
    below = rays.v - np.float32(tip_v)
    # A head 0.2 wide, its tip a semicircle, that tapers to a neck further out.
    radius = 0.068 + 0.034 * hump(below - 0.10, 0.19)
    middle = tip_u - 0.05 * np.clip(below / 0.15, 0.0, 1.0)
    depth = radius - np.hypot(rays.u - middle, np.minimum(below - 0.10, 0.0))
    body = 0.14 - 0.08 * decay(depth, 0.04) + 0.15 * decay(depth, 0.008) + 0.5 * rays.texture
    return np.asarray(inside(depth, rays.edge) * body, dtype=np.float32)


def _bone(from_joint: Array, from_side: Array, rays: Rays, *, plate: float, wall: float) -> Array:
    """A body that thickens from its edges: spongy, with a subchondral plate and thin walls."""
    rise = 1.0 - decay(_rounded(from_joint, from_side), 0.08)
    body = 0.07 + 0.27 * rise + rays.texture * (0.3 + 0.7 * rise)
    body += plate * decay(from_joint, 0.013) + wall * decay(from_side, 0.009)
    return np.asarray(body, dtype=np.float32)


def _sclerosis(knee: PhantomKnee, u: Array) -> Array:
    lateral = knee.sclerosis_lateral * hump(u + CONTACT + 0.03, 0.26)
    medial = knee.sclerosis_medial * hump(u - CONTACT - 0.03, 0.26)
    return np.asarray(lateral + medial, dtype=np.float32)


def inside(depth: Array, edge: float) -> Array:
    """1 within a bone and 0 outside, by the depth below its surface."""
    return np.asarray(np.clip(depth / np.float32(edge) + 0.5, 0.0, 1.0))


def _rounded(a: Array, b: Array) -> Array:
    """The lesser of two distances, its corner rounded."""
    width = 0.012
    share = np.clip(0.5 + 0.5 * (b - a) / width, 0.0, 1.0)
    return np.asarray(b + (a - b) * share - width * share * (1.0 - share), dtype=np.float32)


def decay(depth: Array, length: float) -> Array:
    """What is densest, 1, at a surface and fades below it."""
    return np.asarray(np.exp(np.maximum(depth, 0.0) / np.float32(-length)), dtype=np.float32)


def hump(x: Array, width: float) -> Array:
    """A bell of half width ``width`` that ends: cheaper than a Gaussian."""
    square = np.maximum(1.0 - (x / np.float32(width)) ** 2, 0.0)
    return np.asarray(square * square, dtype=np.float32)


def _either(lateral: NDArray[np.bool_], there: ArrayLike, here: ArrayLike) -> Array:
    return np.asarray(np.where(lateral, there, here), dtype=np.float32)


def _first(sorted_values: Array, limit: float) -> int:
    return int(np.searchsorted(sorted_values, limit))
