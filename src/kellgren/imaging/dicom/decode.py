"""One DICOM file becomes one radiograph."""

import contextlib
import hashlib
import logging
import warnings
from collections.abc import Iterator
from contextvars import ContextVar

from kellgren import errors
from kellgren.imaging.dicom import dataset as files
from kellgren.imaging.dicom.layout import layout_of
from kellgren.imaging.dicom.pixels import stored_pixels
from kellgren.imaging.dicom.tags import header_of, is_synthetic
from kellgren.imaging.dicom.values import densities
from kellgren.imaging.radiograph import Radiograph, SpacingSource


def decode_dicom(
    content: bytes, name: str, *, keep_ids: bool = False, for_display: bool = False
) -> Radiograph:
    """Decode the bytes of a DICOM file with one grey picture: CR, DX, RF or a secondary capture.

    Parameters
    ----------
    content
        The file's bytes, with or without preamble.
    name
        Only used in messages.
    keep_ids
        Let Patient ID come along. Names are never read.
    for_display
        Apply the first VOI LUT or window, as a viewer does; what is graded has none.

    Returns
    -------
    Radiograph
        16 bits, more is denser, with its `Header`.

    Raises
    ------
    InputError
        One of its kinds, with the file's name and the reason. Values of the file are not in it.
    """
    try:
        with _in_silence():
            return _decode(content, name, keep_ids=keep_ids, for_display=for_display)
    except errors.InputError:
        raise
    except MemoryError as error:
        raise errors.FileUnreadable(
            f"{name}: there is no memory left to decode it. Give it again with fewer workers."
        ) from error
    except Exception as error:  # pydicom raises anything at all on damaged content
        raise errors.FileTruncated(
            f"{name}: the DICOM file is damaged or cut short ({type(error).__name__}). "
            "Copy it again from its source."
        ) from error


@contextlib.contextmanager
def _in_silence() -> Iterator[None]:
    """Keep pydicom from warning of every liberty that a file takes, with the file's own values.

    What matters is checked here; a name in the wrong element must not reach anybody's log.
    """
    silence = _decoding.set(True)
    for name in ("pydicom", "pydicom.pixels.decoders.base"):
        # The same filter twice is one filter.
        logging.getLogger(name).addFilter(_is_allowed)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        _decoding.reset(silence)


_decoding = ContextVar("decoding", default=False)


def _is_allowed(_: logging.LogRecord) -> bool:
    return not _decoding.get()


def _decode(content: bytes, name: str, *, keep_ids: bool, for_display: bool) -> Radiograph:
    found = files.read(content, name)
    dataset = found.dataset
    if "PixelData" not in dataset:
        raise _without_picture(found, name)
    layout = layout_of(dataset, name)
    stored = stored_pixels(dataset, found.transfer_syntax, layout, name)
    pixels = densities(
        stored, dataset, bits=layout.stored, signed=layout.signed, for_display=for_display
    )
    if pixels.min() == pixels.max():
        raise errors.PictureBlank(f"{name}: every pixel is the same; there is nothing to grade.")
    header = header_of(dataset, keep_ids=keep_ids)
    spacing = header.pixel_spacing_mm or header.imager_pixel_spacing_mm
    source: SpacingSource = "pixel_spacing" if header.pixel_spacing_mm else "imager_pixel_spacing"
    return Radiograph(
        pixels,
        hashlib.sha256(content).hexdigest(),
        pixel_spacing_mm=spacing,
        spacing_source=source if spacing else "none",
        synthetic=is_synthetic(dataset),
        header=header,
    )


def _without_picture(found: files.Read, name: str) -> errors.InputError:
    dataset, kind = found.dataset, found.sop_class
    if "FloatPixelData" in dataset or "DoubleFloatPixelData" in dataset:
        return errors.FormatUnknown(
            f"{name}: floating-point pixels. Export it again as 8 or 16 bit unsigned."
        )
    if "PixelDataProviderURL" in dataset:
        return errors.SyntaxUnsupported(
            f"{name}: its pixels stand elsewhere, behind an address. Have the whole file sent."
        )
    if "EncryptedAttributesSequence" in dataset:
        return errors.FileEncrypted(
            f"{name}: its picture is encrypted. Decrypt it, or export it again without protection."
        )
    if kind.name != kind and "Image Storage" not in kind.name:
        return errors.PictureMissing(
            f"{name}: a DICOM object without a picture ({kind.name}). Give the radiograph itself."
        )
    if not kind and "Rows" not in dataset:
        return errors.FormatUnknown(
            f"{name}: begins like DICOM, but does not say what it is. Export it again."
        )
    return errors.FileTruncated(
        f"{name}: the file ends before its picture does. Copy it again from its source."
    )
