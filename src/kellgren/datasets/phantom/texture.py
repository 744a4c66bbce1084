"""Irregularities of a picture: clouds of any size, and the streaks of spongy bone."""

import numpy as np
from PIL import Image

from kellgren.datasets.phantom.geometry import Array

Shape = tuple[int, int]
"""(rows, columns)."""


def clouds(rng: np.random.Generator, cells: Shape, shape: Shape) -> Array:
    """Random values, 0 on average, that change smoothly over so many cells."""
    coarse = Image.fromarray(rng.standard_normal(cells, dtype=np.float32))
    return np.asarray(coarse.resize(shape[::-1], Image.Resampling.BICUBIC), dtype=np.float32)


def trabeculae(
    rng: np.random.Generator, shape: Shape, *, regions: tuple[float, float] = (1.0, 1.0)
) -> Array:
    """Spongy bone: fine upright streaks, in patches.

    ``regions`` says how many sides of a knee's region the picture is high and wide.
    """

    def some(rows: int, columns: int) -> Array:
        cells = max(round(rows * regions[0]), 1), max(round(columns * regions[1]), 1)
        return clouds(rng, cells, shape)

    fine = 0.017 * some(60, 210) + 0.008 * some(150, 150)
    coarse = 0.010 * some(14, 60) + 0.012 * some(9, 9)
    return np.asarray(fine * (1.0 + 0.2 * some(7, 7)) + coarse, dtype=np.float32)
