"""Attention laid over a radiograph as colour, so that the bone stays visible."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Colour = tuple[int, int, int]

STOPS: tuple[Colour, ...] = (
    (106, 23, 110),
    (147, 38, 103),
    (188, 55, 84),
    (221, 81, 58),
    (243, 120, 25),
    (252, 165, 10),
)
"""matplotlib's inferno (3.11, CC0) at 0.3, 0.4 … 0.8. Its lightness rises evenly; the ends are left
out, because near-black would hide bone and near-white would look like bone."""

MAX_ALPHA = 0.55
"""Chosen: trabeculae can still be followed under the hottest spot."""


def colour_table() -> NDArray[np.uint8]:
    """(256, 3): the colours from no attention to the most."""
    at = np.linspace(0.0, len(STOPS) - 1.0, 256)
    stops = np.asarray(STOPS, dtype=np.float64)
    channels = [np.interp(at, np.arange(len(STOPS)), stops[:, index]) for index in range(3)]
    return np.rint(np.stack(channels, axis=1)).astype(np.uint8)


_TABLE = colour_table()
_ALPHA = np.rint(np.linspace(0.0, 255.0 * MAX_ALPHA, 256)).astype(np.uint8)


def tint(picture: NDArray[np.uint8], attention: NDArray[np.float32] | None) -> Image.Image:
    """Colour a picture by attention, its opacity in proportion to the attention.

    Parameters
    ----------
    picture
        (H, W).
    attention
        (H, W) in [0, 1]; None leaves the picture grey.

    Returns
    -------
    Image
        RGB, W × H.

    Raises
    ------
    ValueError
        The shapes differ, or the attention leaves [0, 1].
    """
    if attention is None:
        return Image.fromarray(picture).convert("RGB")
    if attention.shape != picture.shape:
        raise ValueError(
            f"attention of shape {attention.shape} over a picture of shape {picture.shape}"
        )
    return tint_levels(picture, attention_levels(attention))


def attention_levels(attention: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Attention in [0, 1] as 0 … 255, which is all that the colour table tells apart."""
    low, high = float(attention.min()), float(attention.max())
    # Written so that NaN fails too.
    if not (low >= 0.0 and high <= 1.0):
        raise ValueError(f"attention from {low} to {high}; normalise it to [0, 1]")
    return (attention * np.float32(255.0) + np.float32(0.5)).astype(np.uint8)


def tint_levels(picture: NDArray[np.uint8], levels: NDArray[np.uint8]) -> Image.Image:
    """`tint` by attention that is in levels already; both (H, W)."""
    grey = Image.fromarray(picture).convert("RGB")
    colours = Image.fromarray(np.take(_TABLE, levels, axis=0))
    return Image.composite(colours, grey, Image.fromarray(np.take(_ALPHA, levels)))
