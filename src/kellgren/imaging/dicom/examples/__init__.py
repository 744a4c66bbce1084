"""One small file for each way in which DICOM compresses pixels, and the picture that all hold.

They show that an installation's decoders work. ``scripts/write_dicom_examples.py`` wrote them.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_FOLDER = Path(__file__).parent

TOP = 4095
"""The picture has 12 bits, as most films; baseline JPEG holds the upper 8 of them."""


@dataclass(frozen=True, slots=True)
class Example:
    """One way to compress.

    Parameters
    ----------
    name
        As people call it.
    file
        Its name in this folder.
    package
        What decodes it, by the name that pip knows.
    bits
        Of the pixels in the file.
    lossless
        Whether every pixel comes back.
    """

    name: str
    file: str
    package: str
    bits: int = 12
    lossless: bool = True

    @property
    def path(self) -> Path:
        """Where the file is."""
        return _FOLDER / self.file

    @property
    def pixels(self) -> NDArray[np.uint16]:
        """What the file should hold."""
        return np.right_shift(picture(), 12 - self.bits)


EXAMPLES = (
    Example("RLE", "rle.dcm", "kellgren"),
    Example("JPEG", "jpeg.dcm", "pillow", bits=8, lossless=False),
    Example("JPEG lossless", "jpeg-lossless.dcm", "python-gdcm"),
    Example("JPEG-LS", "jpeg-ls.dcm", "python-gdcm"),
    Example("JPEG 2000", "jpeg-2000.dcm", "pillow"),
)


def picture() -> NDArray[np.uint16]:
    """(36, 32), in whole numbers, so that it is the same on every machine.

    A curved slope with a darker square, from 0 to `TOP`; turned or mirrored it is another picture.
    """
    y, x = np.mgrid[:36, :32]
    slope = 3 * x * x + 2 * y * y + x * y
    values = TOP * slope // slope.max()
    values[8:20, 16:28] //= 3
    return np.asarray(values, dtype=np.uint16)
