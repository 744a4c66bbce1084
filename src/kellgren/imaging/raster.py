"""Ordinary picture files: PNG, TIFF, JPEG and WebP, grey or grey in colour's clothes."""

import hashlib
import io
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from kellgren import errors
from kellgren.imaging.radiograph import Radiograph

FORMATS = tuple(kind.format for kind in (PngImageFile, TiffImageFile, JpegImageFile, WebPImageFile))
"""By their own modules: for a name that it has not loaded yet Pillow loads all of its formats."""

SUFFIXES = frozenset({".png", ".tif", ".tiff", ".jpg", ".jpeg", ".webp"})

MAX_PIXELS = 100_000_000
"""Chosen: a 43 × 43 cm detector at 0.05 mm has 74 million pixels; no knee film has more."""

MAX_FILE_BYTES = 512 * 2**20
"""Chosen: so many pixels of 32 bits, and room for all else that a file holds."""

MIN_SIDE_PX = 32
"""Chosen: at 100 mm this is 3 mm a pixel, wider than a normal joint space."""

COLOUR_TOLERANCE = 16
"""Chosen: channels of a grey picture differ by a few levels after JPEG's colour transform."""

SYNTHETIC_KEY = "kellgren:synthetic"
"""Text chunk of a PNG that marks a phantom."""

_PHOTOMETRIC = 262
"""TIFF 6.0, section 8: 0 says that the lowest value is white."""


def read_raster(path: Path) -> Radiograph:
    """Decode one picture file.

    Parameters
    ----------
    path
        A PNG, TIFF (8 or 16 bit), JPEG or WebP file; the content decides, not the name.

    Raises
    ------
    InputError
        One of its kinds, with the file's name and the reason.
    """
    return decode_raster(read_bytes(path), path.name)


def read_bytes(path: Path) -> bytes:
    """All bytes of a file, with the reason by name where there are none."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise too_large(path.name)
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise errors.FileMissing(
            f"{path.name}: no such file, or a link that leads nowhere. Check the path."
        ) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise errors.FileUnreadable(
            f"{path.name}: cannot be read ({reason}). Check its permissions and its disk."
        ) from error
    if not content:
        raise errors.FileEmpty(f"{path.name}: the file is empty. Copy it again from its source.")
    return content


def decode_raster(content: bytes, name: str) -> Radiograph:
    """Decode the bytes of a picture; ``name`` is only used in messages."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures; our own limit below is the one that counts.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(content), formats=FORMATS)
            pixels = _decode(picture, name)
    except errors.InputError:
        raise
    except Image.DecompressionBombError as error:
        raise too_large(name) from error
    except UnidentifiedImageError as error:
        raise errors.FormatUnknown(
            f"{name}: of no format that is read, whatever its name says, or its header is damaged. "
            "Give DICOM, PNG, TIFF, JPEG or WebP."
        ) from error
    except Exception as error:  # decoders raise anything at all on damaged content
        raise errors.FileTruncated(
            f"{name}: the picture is damaged or cut short ({error}). Copy it again."
        ) from error
    if pixels.min() == pixels.max():
        raise errors.PictureBlank(f"{name}: every pixel is the same; there is nothing to grade.")
    return Radiograph(
        pixels,
        hashlib.sha256(content).hexdigest(),
        synthetic=str(picture.info.get(SYNTHETIC_KEY, "")) == "yes",
    )


def _decode(picture: Image.Image, name: str) -> NDArray[np.uint8] | NDArray[np.uint16]:
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise too_large(name)
    if min(width, height) < MIN_SIDE_PX:
        raise errors.PictureTooSmall(
            f"{name}: {width}×{height} pixels; at least {MIN_SIDE_PX} a side are needed."
        )
    if getattr(picture, "n_frames", 1) > 1:
        raise errors.PictureHasFrames(
            f"{name}: {getattr(picture, 'n_frames', 1)} frames or pages. Give one picture a file."
        )
    picture.load()
    # As every viewer shows it; Pillow itself does this for TIFF only.
    ImageOps.exif_transpose(picture, in_place=True)
    if picture.mode in {"I;16", "I;16B", "I;16L", "I"}:
        values = _sixteen_bit(np.asarray(picture), name)
        # Pillow turns WhiteIsZero round for 8 bit only.
        tags: Mapping[int, object] = getattr(picture, "tag_v2", {})
        return np.iinfo(np.uint16).max - values if tags.get(_PHOTOMETRIC) == 0 else values
    if picture.mode == "F":
        raise errors.FormatUnknown(
            f"{name}: floating-point pixels. Save it as 8 or 16 bit unsigned."
        )
    if picture.mode == "L":
        return np.array(picture)
    if picture.mode == "1":
        return np.array(picture.convert("L"))
    if picture.mode == "LA":
        return np.array(picture.getchannel("L"), dtype=np.uint8)
    if picture.mode == "P":
        # otherwise Pillow tells the user what a palette's transparency should be
        picture = picture.convert("RGBA")
    return _grey_of_colour(np.asarray(picture.convert("RGB")), name)


def _sixteen_bit(values: NDArray[np.generic], name: str) -> NDArray[np.uint16]:
    numbers = values.astype(np.int64)
    if numbers.min() < 0 or numbers.max() > np.iinfo(np.uint16).max:
        raise errors.FormatUnknown(
            f"{name}: pixel values outside 0…65535. Save it as 8 or 16 bit unsigned."
        )
    return numbers.astype(np.uint16)


def _grey_of_colour(channels: NDArray[np.uint8], name: str) -> NDArray[np.uint8]:
    spread = channels.max(axis=2).astype(np.int16) - channels.min(axis=2)
    # A few coloured pixels (a stamp's edge) are tolerated, a coloured picture is not.
    if np.percentile(spread, 99) > COLOUR_TOLERANCE:
        raise errors.PictureInColour(
            f"{name}: a colour picture. A radiograph is grey; export it again without colour."
        )
    return np.asarray(np.rint(channels.mean(axis=2)), dtype=np.uint8)


def too_large(name: str) -> errors.PictureTooLarge:
    """The refusal of a bomb, to be raised."""
    return errors.PictureTooLarge(
        f"{name}: more than {MAX_PIXELS // 1_000_000} million pixels. Check that it is one film."
    )
