"""Resizing a part of a film in floats, without a copy of the whole film in floats."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_FLOATS = 2**18
"""Held at a time; chosen: 1 MB, which a cache holds, 64 rows of a film of 4,000 columns."""

Box = tuple[float, float, float, float]


def resized(pixels: NDArray[np.generic], size: tuple[int, int], box: Box) -> NDArray[np.float32]:
    """Resize a part of a picture as Pillow does: bilinear, widened where it shrinks.

    Pillow first goes along the rows, then down the columns, and so does this with a large part:
    along the rows a few at a time, because 12 million pixels in Pillow's floats are 96 MB.

    Parameters
    ----------
    pixels
        (rows, columns), of any real type.
    size
        (width, height) of the result.
    box
        (x0, y0, x1, y1), edges of the part within the picture.

    Returns
    -------
    ndarray
        (height, width) float32.
    """
    (rows, columns), (width, height) = pixels.shape, size
    x0, y0, x1, y1 = box
    left, right = _needed(x0, x1, width, columns)
    top, bottom = _needed(y0, y1, height, rows)
    at_once = max(_FLOATS // (right - left), 1)
    if bottom - top <= at_once:
        part = pixels[top:bottom, left:right].astype(np.float32)
        return _resized(part, size, (x0 - left, y0 - top, x1 - left, y1 - top))
    narrow = np.empty((bottom - top, width), dtype=np.float32)
    for start in range(top, bottom, at_once):
        part = pixels[start : min(start + at_once, bottom), left:right].astype(np.float32)
        edges = (x0 - left, 0.0, x1 - left, float(len(part)))
        narrow[start - top :][: len(part)] = _resized(part, (width, len(part)), edges)
    return _resized(narrow, size, (0.0, y0 - top, float(width), y1 - top))


def _resized(part: NDArray[np.float32], size: tuple[int, int], box: Box) -> NDArray[np.float32]:
    return np.asarray(Image.fromarray(part).resize(size, Image.Resampling.BILINEAR, box=box))


def _needed(start: float, stop: float, size: int, length: int) -> tuple[int, int]:
    """The pixels that the filter looks at, which reaches one target pixel past the part's edge."""
    reach = max((stop - start) / size, 1.0) + 1.0
    return max(math.floor(start - reach), 0), min(math.ceil(stop + reach), length)
