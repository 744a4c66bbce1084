"""What the tags say about the pixels, checked before any of them is decoded."""

from dataclasses import dataclass

from pydicom.dataset import Dataset

from kellgren import errors
from kellgren.imaging.raster import MAX_PIXELS, MIN_SIDE_PX, too_large

MAX_BITS = 16
"""Of a stored pixel: CR and DX have at most 16 (DICOM PS3.3, C.8.1.2 and C.8.11.3)."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How pixels lie in memory (DICOM PS3.5, 8.1.1).

    Parameters
    ----------
    rows, columns
        Size of the picture.
    allocated, stored, high
        Bits of a cell, bits of the pixel in it, and the highest of these.
    signed
        Pixels are two's complement.
    """

    rows: int
    columns: int
    allocated: int
    stored: int
    high: int
    signed: bool


def layout_of(dataset: Dataset, name: str) -> Layout:
    """Check that this is one grey picture of a size that may be decoded, from its tags alone.

    Raises
    ------
    InputError
        PictureInColour, PictureHasFrames, PictureTooLarge, PictureTooSmall, FormatUnknown or
        FileTruncated.
    """
    photometric = str(dataset.get("PhotometricInterpretation", "")).strip().upper()
    if photometric not in {"MONOCHROME1", "MONOCHROME2"}:
        if photometric or int(dataset.get("SamplesPerPixel") or 1) > 1:
            raise errors.PictureInColour(
                f"{name}: a colour picture ({shown(photometric)}). A radiograph is grey; export "
                "it again as MONOCHROME1 or MONOCHROME2."
            )
        raise errors.FormatUnknown(
            f"{name}: does not say whether low values are black or white. Export it again with its "
            "Photometric Interpretation (0028,0004)."
        )
    if int(dataset.get("SamplesPerPixel") or 1) != 1:
        raise errors.PictureInColour(
            f"{name}: more than one sample a pixel. A radiograph has one; export it again without "
            "colour."
        )
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames > 1:
        raise errors.PictureHasFrames(f"{name}: {frames} frames. Give one picture a file.")
    rows, columns = int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0)
    if min(rows, columns) < 1:
        raise errors.FileTruncated(
            f"{name}: does not say how large its picture is. Export it again with its Rows and "
            "Columns (0028,0010 and 0011)."
        )
    if rows * columns > MAX_PIXELS:
        raise too_large(name)
    if min(rows, columns) < MIN_SIDE_PX:
        raise errors.PictureTooSmall(
            f"{name}: {columns}×{rows} pixels; at least {MIN_SIDE_PX} a side are needed."
        )
    allocated = int(dataset.get("BitsAllocated") or 0)
    stored = int(dataset.get("BitsStored") or allocated)
    high = int(dataset.get("HighBit") or stored - 1)
    if allocated not in {8, 16, 32} or not 2 <= stored <= MAX_BITS:
        raise errors.FormatUnknown(
            f"{name}: pixels of {stored} bits in cells of {allocated}. Export it again with 8 or "
            "16 bits allocated."
        )
    if not stored - 1 <= high < allocated:
        raise errors.FileTruncated(
            f"{name}: its bits contradict each other (allocated {allocated}, stored {stored}, "
            f"highest {high}). Export it again from its source."
        )
    return Layout(rows, columns, allocated, stored, high, dataset.get("PixelRepresentation") == 1)


def shown(text: str) -> str:
    """A peer's text as a message may show it."""
    return "".join(letter for letter in text if letter.isprintable())[:64]
