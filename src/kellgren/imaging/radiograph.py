"""A decoded film."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

SpacingSource = Literal["pixel_spacing", "imager_pixel_spacing", "given", "none"]


@dataclass(frozen=True, slots=True, eq=False)
class Radiograph:
    """One film as numbers: more means denser (bone is bright).

    Parameters
    ----------
    pixels
        (rows, columns), unsigned 8 or 16 bit, or float32. Read only.
    sha256
        Of the file's bytes.
    pixel_spacing_mm
        (row, column) distance of pixel centres, or None where the file does not say.
    spacing_source
        Where the spacing stood.
    synthetic
        The file carries the mark of a phantom.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]
    sha256: str
    pixel_spacing_mm: tuple[float, float] | None = None
    spacing_source: SpacingSource = "none"
    synthetic: bool = False

    def __post_init__(self) -> None:
        if self.pixels.ndim != 2:
            raise ValueError(f"a radiograph has two axes, not {self.pixels.ndim}")
        self.pixels.setflags(write=False)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        rows, columns = self.pixels.shape
        return rows, columns
