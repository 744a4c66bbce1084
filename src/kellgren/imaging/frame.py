"""Where a crop lies on its film: one invertible affine map, and nothing without it."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

Matrix = tuple[tuple[float, float, float], tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class Frame:
    """A square crop on a film, as the affine map from its pixels to the film's.

    Points are (x, y) with pixel centres at integers; rotation, mirroring and scale are all in the
    matrix.

    Parameters
    ----------
    matrix
        2×3, crop pixel → film pixel.
    size_px
        Side of the crop in its own pixels.
    """

    matrix: Matrix
    size_px: int

    def __post_init__(self) -> None:
        if self.size_px < 1:
            raise ValueError(f"size_px is {self.size_px}; a crop has at least one pixel")
        (a, b, _), (c, d, _) = self.matrix
        if not np.isfinite(self.matrix).all() or a * d - b * c == 0.0:
            raise ValueError(f"the matrix {self.matrix} cannot be inverted")

    @classmethod
    def of_box(cls, x0: float, y0: float, x1: float, y1: float, *, size_px: int) -> Self:
        """The crop that shows the box from edge (x0, y0) to edge (x1, y1) of the film.

        The edge of the first film pixel is 0, that of the last its width: a pixel centre lies
        half a pixel inside.
        """
        sx, sy = (x1 - x0) / size_px, (y1 - y0) / size_px
        return cls(((sx, 0.0, x0 + sx / 2 - 0.5), (0.0, sy, y0 + sy / 2 - 0.5)), size_px)

    def to_film(self, points: ArrayLike) -> NDArray[np.float64]:
        """Map crop points of shape (…, 2) to film pixels."""
        matrix = np.asarray(self.matrix)
        moved: NDArray[np.float64] = np.asarray(points, np.float64) @ matrix[:, :2].T
        moved += matrix[:, 2]
        return moved

    def to_crop(self, points: ArrayLike) -> NDArray[np.float64]:
        """Map film points of shape (…, 2) to crop pixels."""
        matrix = np.asarray(self.matrix)
        shifted = np.asarray(points, dtype=np.float64) - matrix[:, 2]
        moved: NDArray[np.float64] = shifted @ np.linalg.inv(matrix[:, :2]).T
        return moved

    @property
    def mirrored(self) -> bool:
        """Whether the crop shows the film flipped."""
        (a, b, _), (c, d, _) = self.matrix
        return a * d - b * c < 0.0

    def mirror(self) -> "Frame":
        """The same crop flipped left to right."""
        (a, b, tx), (c, d, ty) = self.matrix
        last = self.size_px - 1
        return Frame(((-a, b, tx + a * last), (-c, d, ty + c * last)), self.size_px)

    def rotate(self, degrees: float, *, pixel_aspect: float = 1.0) -> "Frame":
        """The same square turned about its middle, clockwise as the film is seen.

        What the crop shows turns the other way. ``pixel_aspect`` is the height of a film pixel over
        its width, (row spacing) / (column spacing), so that a square stays one in millimetres.
        """
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        middle = (self.size_px - 1) / 2
        (a, b, _), (c, d, _) = self.matrix
        down, across = sin * pixel_aspect, sin / pixel_aspect
        linear = (
            (cos * a - down * c, cos * b - down * d),
            (across * a + cos * c, across * b + cos * d),
        )
        x, y = self.to_film((middle, middle))
        return Frame(_about(linear, middle, x, y), self.size_px)

    def part(self, x: float, y: float, size_px: int) -> "Frame":
        """The square of ``size_px`` whose first pixel is the crop's (x, y), at the same scale.

        It may reach past the crop, which is how a crop is padded.
        """
        (a, b, tx), (c, d, ty) = self.matrix
        return Frame(((a, b, a * x + b * y + tx), (c, d, c * x + d * y + ty)), size_px)

    def pad(self, pixels: int) -> "Frame":
        """The same crop with so many pixels more on each side."""
        return self.part(-pixels, -pixels, self.size_px + 2 * pixels)

    def resize(self, size_px: int) -> "Frame":
        """The same square in another number of pixels, edge on edge, such as an attention map's."""
        (a, b, _), (c, d, _) = self.matrix
        ratio = self.size_px / size_px
        x, y = self.to_film(((self.size_px - 1) / 2,) * 2)
        linear = ((a * ratio, b * ratio), (c * ratio, d * ratio))
        return Frame(_about(linear, (size_px - 1) / 2, x, y), size_px)

    @property
    def axis_aligned(self) -> bool:
        """Whether the crop is an upright, unmirrored box."""
        (a, b, _), (c, d, _) = self.matrix
        return b == 0.0 and c == 0.0 and a > 0.0 and d > 0.0

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """The upright box (x0, y0, x1, y1) of film-pixel edges that encloses the crop."""
        low, high = -0.5, self.size_px - 0.5
        corners = self.to_film([(low, low), (high, low), (low, high), (high, high)]) + 0.5
        (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
        return float(x0), float(y0), float(x1), float(y1)


def _about(
    linear: tuple[tuple[float, float], tuple[float, float]], middle: float, x: float, y: float
) -> Matrix:
    """The map with this linear part that brings (middle, middle) to the film's (x, y)."""
    (a, b), (c, d) = linear
    return (
        (a, b, float(x - (a + b) * middle)),
        (c, d, float(y - (c + d) * middle)),
    )
