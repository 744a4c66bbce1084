"""Drawing a phantom's region: the density that each ray crosses, then the film's answer to it."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from kellgren.anatomy import Laterality
from kellgren.datasets.phantom.density import Rays, add_joint, answer, soft_tissue
from kellgren.datasets.phantom.geometry import SIZE_PX, Array, coordinates
from kellgren.datasets.phantom.knee import PhantomKnee
from kellgren.datasets.phantom.texture import clouds, trabeculae
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
    shape = (size_px, size_px)
    u, v = coordinates(knee, size_px=size_px)
    texture = trabeculae(rng, shape) * np.float32(knee.trabeculae)
    edge = max(_UNSHARP_PX / SIZE_PX, 1.0 / size_px) / knee.scale
    density = soft_tissue(knee, u, v)
    add_joint(density, knee, Rays(u, v, texture, edge))
    density *= 1.0 + 0.07 * clouds(rng, (4, 4), shape)
    # Bones without detail are whiter than white.
    picture: Array = np.float32(260.0) * answer(density, knee.exposure, knee.contrast)
    picture += rng.standard_normal(picture.shape, dtype=np.float32) * np.float32(knee.noise_sd)
    grey = np.clip(np.rint(picture), 0.0, 255.0).astype(np.uint8)
    if knee.laterality is Laterality.LEFT:
        grey = np.ascontiguousarray(grey[:, ::-1])
    return grey
