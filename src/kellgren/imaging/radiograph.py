"""A decoded film."""

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kellgren.imaging.header import Header

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
    header
        What else the file says.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]
    sha256: str
    pixel_spacing_mm: tuple[float, float] | None = None
    spacing_source: SpacingSource = "none"
    synthetic: bool = False
    header: Header = field(default_factory=Header)

    def __post_init__(self) -> None:
        if self.pixels.ndim != 2:
            raise ValueError(f"a radiograph has two axes, not {self.pixels.ndim}")
        self.pixels.setflags(write=False)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        rows, columns = self.pixels.shape
        return rows, columns

    @property
    def detector_spacing_mm(self) -> tuple[float, float] | None:
        """(row, column) in the detector's plane, which `RegionSpec` counts in; None if unknown.

        A spacing that a user gave counts as the detector's. Otherwise Imager Pixel Spacing does,
        and Pixel Spacing unless it was calibrated to a plane in the patient: then it is multiplied
        by the magnification if the file states one, and useless if not (DICOM PS3.3, 10.7.1.3).
        """
        header = self.header
        if self.spacing_source == "given":
            return self.pixel_spacing_mm
        if header.imager_pixel_spacing_mm is not None:
            return header.imager_pixel_spacing_mm
        if self.pixel_spacing_mm is None or header.spacing_calibration is None:
            return self.pixel_spacing_mm
        if header.magnification is None:
            return None
        row, column = self.pixel_spacing_mm
        return row * header.magnification, column * header.magnification

    def with_spacing(self, spacing_mm: tuple[float, float] | None) -> "Radiograph":
        """The same film with a spacing that a user gave; itself where none is given."""
        if spacing_mm is None:
            return self
        return replace(self, pixel_spacing_mm=spacing_mm, spacing_source="given")
