"""Whatever the transfer syntax and the depth, the pixels are those that were written."""

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from kellgren.imaging import Radiograph
from kellgren.imaging.dicom import decode_dicom

Make = Callable[..., bytes]
Smooth = Callable[..., NDArray[Any]]

PLAIN = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
)
LOSSLESS = (
    *PLAIN,
    RLELossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEG2000Lossless,
)


def names(syntax: object) -> str:
    return syntax.keyword if isinstance(syntax, UID) else str(syntax)


def decoded(content: bytes) -> NDArray[np.generic]:
    return decode_dicom(content, "film").pixels


@pytest.mark.parametrize("bits", [8, 10, 12, 15, 16])
@pytest.mark.parametrize("syntax", LOSSLESS, ids=names)
def test_lossless_pixels_are_read_to_the_bit(
    make_film: Make, smooth: Smooth, syntax: UID, bits: int
) -> None:
    pixels = smooth(bits)
    content = make_film(pixels, bits, syntax)
    read = decode_dicom(content, "film")
    assert isinstance(read, Radiograph)
    assert read.pixels.dtype == np.uint16
    np.testing.assert_array_equal(read.pixels, pixels)
    assert read.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("syntax", LOSSLESS, ids=names)
def test_signed_pixels_keep_their_order(
    make_film: Make, smooth: Smooth, syntax: UID, bits: int
) -> None:
    pixels = smooth(bits, signed=True)
    if syntax in {JPEGLossless, JPEGLosslessSV1} and bits == 12:
        # JPEG has no sign: a codestream holds patterns of the stored bits.
        pixels = (pixels.view(np.uint16) & 0x0FFF).view(np.int16)
        expected = smooth(bits)
    else:
        expected = pixels.astype(np.int64) + (1 << (bits - 1))
    np.testing.assert_array_equal(decoded(make_film(pixels, bits, syntax)), expected)


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGExtended12Bit], ids=names)
def test_jpeg_of_eight_bits_is_read_nearly(make_film: Make, smooth: Smooth, syntax: UID) -> None:
    pixels = smooth(8)
    content = make_film(pixels, 8, JPEGBaseline8Bit)
    # Process 1 is a part of processes 2 and 4; both UIDs have the same length.
    read = decoded(content.replace(JPEGBaseline8Bit.encode(), syntax.encode()))
    assert np.abs(read.astype(int) - pixels).mean() < 2.0


@pytest.mark.parametrize("selection", range(1, 8))
@pytest.mark.parametrize("bits", [8, 16])
def test_every_predictor_of_lossless_jpeg(
    make_dataset: Callable[..., Any],
    make_lossless_jpeg: Make,
    compress: Make,
    smooth: Smooth,
    bits: int,
    selection: int,
) -> None:
    pixels = smooth(bits)
    codestream = make_lossless_jpeg(pixels, bits, selection=selection)
    content = compress(make_dataset(pixels, bits), codestream, JPEGLossless)
    np.testing.assert_array_equal(decoded(content), pixels)


def test_lossless_jpeg_with_restarts(
    make_dataset: Callable[..., Any], make_lossless_jpeg: Make, compress: Make, smooth: Smooth
) -> None:
    pixels = smooth(12)
    codestream = make_lossless_jpeg(pixels, 12, restart_rows=4)
    content = compress(make_dataset(pixels, 12), codestream, JPEGLosslessSV1)
    np.testing.assert_array_equal(decoded(content), pixels)


@pytest.mark.parametrize("syntax", PLAIN, ids=names)
def test_an_odd_number_of_bytes(make_film: Make, smooth: Smooth, syntax: UID) -> None:
    pixels = np.ascontiguousarray(smooth(8)[:47, :39])
    assert pixels.size % 2 == 1
    data = np.append(pixels.ravel(), np.uint8(0)).tobytes()
    content = make_film(pixels, 8, syntax, PixelData=data)
    np.testing.assert_array_equal(decoded(content), pixels)


def test_eight_bits_in_words_of_the_other_order(
    make_dataset: Callable[..., Any], save: Make, smooth: Smooth
) -> None:
    pixels = smooth(8)
    data = make_dataset(pixels, 8)
    data.PixelData = np.frombuffer(pixels.tobytes(), "<u2").astype(">u2").tobytes()
    data["PixelData"].VR = "OB"
    content = save(data, ExplicitVRBigEndian).replace(b"\x7f\xe0\x00\x10OB", b"\x7f\xe0\x00\x10OW")
    np.testing.assert_array_equal(decoded(content), pixels)


def test_cells_of_32_bits(make_film: Make, smooth: Smooth) -> None:
    pixels = smooth(12).astype(np.uint32)
    np.testing.assert_array_equal(decoded(make_film(pixels, 12)), pixels)


@pytest.mark.parametrize("syntax", [*PLAIN, RLELossless], ids=names)
def test_overlays_in_unused_bits_are_ignored(make_film: Make, smooth: Smooth, syntax: UID) -> None:
    pixels = smooth(10)
    spoilt = pixels | (np.random.default_rng(0).integers(0, 64, pixels.shape) << 10)
    content = make_film(spoilt.astype(np.uint16), 10, syntax)
    np.testing.assert_array_equal(decoded(content), pixels)


@pytest.mark.parametrize("syntax", [*PLAIN, RLELossless, JPEGLosslessSV1], ids=names)
def test_pixels_in_the_upper_bits(make_film: Make, smooth: Smooth, syntax: UID) -> None:
    pixels = smooth(12)
    shifted = (pixels << 4 | np.random.default_rng(0).integers(0, 16, pixels.shape)).astype("u2")
    if syntax == JPEGLosslessSV1:
        # The codestream holds the stored bits alone; the tags speak of the cell it came from.
        content = make_film(pixels, 12, syntax, HighBit=15)
    else:
        content = make_film(shifted, 12, syntax, HighBit=15)
    np.testing.assert_array_equal(decoded(content), pixels)


def test_overlay_planes_are_ignored(
    make_dataset: Callable[..., Any], save: Make, smooth: Smooth
) -> None:
    pixels = smooth(12)
    data = make_dataset(pixels, 12)
    data.add_new(0x60000010, "US", pixels.shape[0])
    data.add_new(0x60000011, "US", pixels.shape[1])
    data.add_new(0x60000040, "CS", "G")
    data.add_new(0x60000050, "SS", [1, 1])
    data.add_new(0x60000100, "US", 1)
    data.add_new(0x60000102, "US", 0)
    data.add_new(0x60003000, "OW", b"\xff" * (pixels.size // 8))
    np.testing.assert_array_equal(decoded(save(data)), pixels)


@pytest.mark.parametrize("syntax", PLAIN[:3], ids=names)
@pytest.mark.parametrize("kept", ["all", "meta", "nothing"])
def test_preamble_and_meta_may_be_missing(
    make_film: Make, smooth: Smooth, syntax: UID, kept: str
) -> None:
    pixels = smooth(12)
    content = make_film(pixels, 12, syntax)
    # Group length (0002,0000) is the first element after the prefix.
    start = 132 + 12 + int.from_bytes(content[140:144], "little")
    bare = {"all": content, "meta": content[132:], "nothing": content[start:]}[kept]
    np.testing.assert_array_equal(decoded(bare), pixels)


def test_one_picture_in_many_fragments(
    make_dataset: Callable[..., Any], make_lossless_jpeg: Make, save: Make, smooth: Smooth
) -> None:
    pixels = smooth(12)
    data = make_dataset(pixels, 12)
    codestream = make_lossless_jpeg(pixels, 12)
    data.add_new(0x7FE00010, "OB", encapsulate([codestream], fragments_per_frame=5))
    data["PixelData"].is_undefined_length = True
    np.testing.assert_array_equal(decoded(save(data, JPEGLosslessSV1)), pixels)


def test_a_film_can_be_read_again_and_again(make_film: Make, smooth: Smooth) -> None:
    content = make_film(smooth(12), 12)
    first, second = decode_dicom(content, "film"), decode_dicom(content, "film")
    np.testing.assert_array_equal(first.pixels, second.pixels)
    assert first.header == second.header
    with pytest.raises(ValueError, match="read-only"):
        first.pixels[0, 0] = 1
