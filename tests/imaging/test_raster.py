"""Picture files become the film that a viewer would show, bone bright."""

import hashlib
import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from kellgren.datasets.phantom import draw_knee, sample_knee
from kellgren.imaging import read_raster
from kellgren.imaging.raster import SYNTHETIC_KEY, decode_raster

ROWS, COLUMNS = 48, 40

Pixels = NDArray[np.uint8] | NDArray[np.uint16]


def noise(kind: type[np.uint8] | type[np.uint16]) -> Any:  # noqa: ANN401 – of that kind
    top = np.iinfo(kind).max
    return np.random.default_rng(0).integers(0, top, (ROWS, COLUMNS), endpoint=True).astype(kind)


GREY = noise(np.uint8)
DEEP = noise(np.uint16)
KNEE = draw_knee(sample_knee(np.random.default_rng(1)), size_px=96)


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:  # noqa: ANN401 – Pillow's
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def tiff(values: Pixels, *, order: Literal["<", ">"] = "<", white_is_zero: bool = False) -> bytes:
    """A baseline TIFF by the specification's letter (TIFF 6.0, sections 2 and 4)."""
    strip = values.astype(values.dtype.newbyteorder(order)).tobytes()
    tags = [
        (256, values.shape[1]),
        (257, values.shape[0]),
        (258, values.dtype.itemsize * 8),
        (259, 1),
        (262, 0 if white_is_zero else 1),
        (273, 8),
        (277, 1),
        (278, values.shape[0]),
        (279, len(strip)),
    ]
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + len(strip))
    entries = b"".join(struct.pack(order + "HHII", tag, 4, 1, value) for tag, value in tags)
    return head + strip + struct.pack(order + "H", len(tags)) + entries + bytes(4)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(saved(Image.fromarray(GREY), "PNG"), GREY, id="png-8"),
        pytest.param(saved(Image.fromarray(DEEP), "PNG"), DEEP, id="png-16"),
        pytest.param(saved(Image.fromarray(GREY), "TIFF"), GREY, id="tiff-8"),
        pytest.param(saved(Image.fromarray(DEEP), "TIFF"), DEEP, id="tiff-16"),
        pytest.param(
            saved(Image.fromarray(DEEP), "TIFF", compression="tiff_lzw"), DEEP, id="tiff-lzw"
        ),
        pytest.param(tiff(GREY), GREY, id="tiff-8-own"),
        pytest.param(tiff(DEEP), DEEP, id="tiff-16-own"),
        pytest.param(tiff(DEEP, order=">"), DEEP, id="tiff-16-big-endian"),
        pytest.param(tiff(GREY, white_is_zero=True), 255 - GREY, id="tiff-8-white-is-zero"),
        pytest.param(tiff(DEEP, white_is_zero=True), 65535 - DEEP, id="tiff-16-white-is-zero"),
        pytest.param(
            saved(Image.fromarray(DEEP.astype(np.int32)), "TIFF"), DEEP, id="tiff-32-in-range"
        ),
        pytest.param(saved(Image.fromarray(GREY), "WEBP", lossless=True), GREY, id="webp"),
    ],
)
def test_lossless_files_are_read_to_the_bit(content: bytes, expected: Pixels) -> None:
    film = decode_raster(content, "film")
    np.testing.assert_array_equal(film.pixels, expected)
    assert film.pixels.dtype == expected.dtype
    assert film.sha256 == hashlib.sha256(content).hexdigest()
    assert (film.pixel_spacing_mm, film.spacing_source) == (None, "none")


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_lossy_files_are_read_nearly(kind: str, mode: str) -> None:
    content = saved(Image.fromarray(KNEE).convert(mode), kind, quality=90)
    pixels = decode_raster(content, "film").pixels
    assert pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - KNEE).mean() < 4.0


def of_black_ink(grey: NDArray[np.uint8]) -> Image.Image:
    none = np.zeros_like(grey)
    return Image.fromarray(np.stack([none, none, none, 255 - grey], axis=2), mode="CMYK")


def half_transparent(grey: NDArray[np.uint8], mode: str) -> Image.Image:
    picture = Image.fromarray(grey).convert(mode)
    picture.putalpha(Image.fromarray(np.roll(grey, 7)))
    return picture


@pytest.mark.parametrize(
    ("content", "off_by"),
    [
        pytest.param(saved(Image.fromarray(GREY).convert("RGB"), "PNG"), 0, id="rgb"),
        pytest.param(saved(half_transparent(GREY, "RGB"), "PNG"), 0, id="rgba"),
        pytest.param(saved(half_transparent(GREY, "L"), "PNG"), 0, id="la"),
        pytest.param(saved(Image.fromarray(GREY).convert("P"), "PNG"), 0, id="palette"),
        pytest.param(
            saved(Image.fromarray(GREY).convert("P"), "PNG", transparency=3), 0, id="palette-alpha"
        ),
        pytest.param(
            saved(Image.fromarray(GREY).convert("P"), "PNG", transparency=bytes(range(256))),
            0,
            id="palette-alphas",
        ),
        pytest.param(saved(Image.fromarray(GREY).convert("RGB"), "TIFF"), 0, id="tiff-rgb"),
        pytest.param(saved(of_black_ink(GREY), "TIFF"), 0, id="cmyk-tiff"),
        pytest.param(saved(of_black_ink(GREY), "JPEG", quality=100), 2, id="cmyk-jpeg"),
        pytest.param(
            saved(Image.fromarray(GREY).convert("RGB"), "WEBP", lossless=True), 0, id="webp"
        ),
    ],
)
def test_grey_in_colours_clothes_is_grey(content: bytes, off_by: int) -> None:
    pixels = decode_raster(content, "film").pixels
    assert pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - GREY).max() <= off_by


def test_one_bit_is_black_and_white() -> None:
    bits = GREY > 127
    pixels = decode_raster(saved(Image.fromarray(bits), "PNG"), "film").pixels
    np.testing.assert_array_equal(pixels, np.where(bits, 255, 0))


def test_a_coloured_stamp_is_tolerated() -> None:
    channels = np.stack([GREY] * 3, axis=2)
    channels[:2, :9] = (255, 0, 0)  # 18 of 1,920 pixels: less than a hundredth
    pixels = decode_raster(saved(Image.fromarray(channels), "PNG"), "film").pixels
    np.testing.assert_array_equal(pixels[2:], GREY[2:])


AS_SHOWN: dict[int, Callable[[Any], Any]] = {
    1: lambda stored: stored,
    2: np.fliplr,
    3: lambda stored: np.rot90(stored, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: np.rot90(stored, 2).T,
    8: np.rot90,
}
"""TIFF 6.0, section 8, Orientation (274); Exif 2.3 has the same."""


@pytest.mark.parametrize("orientation", AS_SHOWN)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "WEBP"])
def test_a_film_stands_as_viewers_show_it(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    options: dict[str, dict[str, Any]] = {
        "PNG": {"exif": exif},
        "TIFF": {"tiffinfo": {274: orientation}},
        "JPEG": {"exif": exif, "quality": 100},
        "WEBP": {"exif": exif, "lossless": True},
    }
    content = saved(Image.fromarray(GREY), kind, **options[kind])
    pixels = decode_raster(content, "film").pixels
    expected = AS_SHOWN[orientation](GREY)
    assert pixels.shape == expected.shape
    assert np.abs(pixels.astype(int) - expected).max() <= (2 if kind == "JPEG" else 0)


@pytest.mark.parametrize(("text", "synthetic"), [("yes", True), ("no", False), (None, False)])
def test_the_mark_of_a_phantom_is_seen(text: str | None, synthetic: bool) -> None:
    mark = PngInfo()
    if text is not None:
        mark.add_text(SYNTHETIC_KEY, text)
    content = saved(Image.fromarray(GREY), "PNG", pnginfo=mark)
    assert decode_raster(content, "film").synthetic is synthetic


@pytest.mark.parametrize("name", ["film.png", "film.dcm", "film", "film.tar.gz"])
def test_the_content_decides_and_not_the_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(tiff(DEEP))
    np.testing.assert_array_equal(read_raster(tmp_path / name).pixels, DEEP)
