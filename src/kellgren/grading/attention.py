"""From a graph's activation map to a picture's."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def normalised(activation: NDArray[np.float32]) -> NDArray[np.float32]:
    """Min–max over the map, as tiulpin2018 does over the pair of patches; all zero stays zero."""
    low, high = float(activation.min()), float(activation.max())
    if high <= low:
        return np.zeros_like(activation)
    return (activation - np.float32(low)) / np.float32(high - low)


def upsampled(attention: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Stretch a map (h, w), edge to edge, over a picture of (rows, columns); stays in [0, 1]."""
    rows, columns = shape
    picture = Image.fromarray(attention.astype(np.float32))
    smooth = picture.resize((columns, rows), Image.Resampling.BICUBIC)
    inside: NDArray[np.float32] = np.clip(np.asarray(smooth, dtype=np.float32), 0.0, 1.0)
    return inside
