"""Whatever a file holds, it is a film or an error that has a name and names the file."""

import functools
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from kellgren import errors
from kellgren.imaging import Radiograph, read_raster
from kellgren.imaging.raster import MAX_PIXELS, decode_raster

GREY = np.random.default_rng(0).integers(0, 256, (48, 40), dtype=np.uint8)
PHOTOGRAPH = np.random.default_rng(1).integers(0, 256, (48, 40, 3), dtype=np.uint8)


def saved(pixels: Any, kind: str, **options: Any) -> bytes:  # noqa: ANN401 – Pillow's
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def png_of_size(columns: int, rows: int, *, bits: int = 8) -> bytes:
    """A PNG whose header promises more than the rest holds (PNG, section 11.2.2)."""
    header = struct.pack(">IIBBBBB", columns, rows, bits, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(99)))
        + chunk(b"IEND", b"")
    )


def jpeg_of_size(columns: int, rows: int) -> bytes:
    """A JPEG whose frame header was changed (ITU-T T.81, B.2.2)."""
    content = bytearray(saved(GREY, "JPEG"))
    frame = content.index(b"\xff\xc0")
    struct.pack_into(">HH", content, frame + 5, rows, columns)
    return bytes(content)


def tiff_of_size(columns: int, rows: int) -> bytes:
    """A TIFF whose ImageWidth and ImageLength were changed (TIFF 6.0, section 8)."""
    content = bytearray(saved(GREY, "TIFF"))
    (directory,) = struct.unpack_from("<I", content, 4)
    (entries,) = struct.unpack_from("<H", content, directory)
    for place in range(directory + 2, directory + 2 + 12 * entries, 12):
        (tag,) = struct.unpack_from("<H", content, place)
        if tag in {256, 257}:
            struct.pack_into("<HII", content, place + 2, 4, 1, columns if tag == 256 else rows)
    return bytes(content)


def moving(kind: str) -> bytes:
    frames = [Image.fromarray(np.roll(GREY, shift, axis=1)) for shift in (3, 9)]
    return saved(GREY, kind, save_all=True, append_images=frames)


def flipped(content: bytes, share: float) -> bytes:
    place = int(len(content) * share)
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


PNG, JPEG, TIFF = (saved(GREY, kind) for kind in ("PNG", "JPEG", "TIFF"))

BROKEN: dict[str, tuple[bytes, type[errors.InputError]]] = {
    "text.png": (b"See attached.\n" * 50, errors.FormatUnknown),
    "page.jpg": (b"<!DOCTYPE html><html></html>", errors.FormatUnknown),
    "zeros.png": (bytes(4096), errors.FormatUnknown),
    "film.dcm": (bytes(128) + b"DICM" + bytes(512), errors.FormatUnknown),
    "cut.png": (PNG[: len(PNG) // 2], errors.FileTruncated),
    "cut.jpg": (JPEG[: len(JPEG) // 2], errors.FileTruncated),
    "cut.tif": (TIFF[: len(TIFF) // 2], errors.FileTruncated),
    "end-missing.jpg": (JPEG[:-40], errors.FileTruncated),
    "bad-byte.png": (flipped(PNG, 0.5), errors.FileTruncated),
    "header-only.png": (PNG[:33], errors.FormatUnknown),
    "zero-sized.png": (png_of_size(0, 0), errors.FormatUnknown),
    "zero-wide.png": (png_of_size(0, 100), errors.FormatUnknown),
    "shorter-than-promised.png": (png_of_size(200, 200), errors.FileTruncated),
    "bomb.png": (png_of_size(20_000, 20_000), errors.PictureTooLarge),
    "bomb-16.png": (png_of_size(20_000, 20_000, bits=16), errors.PictureTooLarge),
    "bomb.jpg": (jpeg_of_size(20_000, 20_000), errors.PictureTooLarge),
    "bomb.tif": (tiff_of_size(20_000, 20_000), errors.PictureTooLarge),
    "just-too-large.png": (png_of_size(10_001, 10_000), errors.PictureTooLarge),
    "narrow-bomb.png": (png_of_size(2**31 - 1, 31), errors.PictureTooLarge),
    "stamp.png": (saved(GREY[:31], "PNG"), errors.PictureTooSmall),
    "photograph.png": (saved(PHOTOGRAPH, "PNG"), errors.PictureInColour),
    "photograph.jpg": (saved(PHOTOGRAPH, "JPEG"), errors.PictureInColour),
    "photograph.tif": (saved(PHOTOGRAPH, "TIFF"), errors.PictureInColour),
    "moving.png": (moving("PNG"), errors.PictureHasFrames),
    "moving.webp": (moving("WEBP"), errors.PictureHasFrames),
    "pages.tif": (moving("TIFF"), errors.PictureHasFrames),
    "moving.gif": (moving("GIF"), errors.FormatUnknown),
    "still.bmp": (saved(GREY, "BMP"), errors.FormatUnknown),
    "black.png": (saved(np.zeros_like(GREY), "PNG"), errors.PictureBlank),
    "grey.jpg": (saved(np.full_like(GREY, 128), "JPEG"), errors.PictureBlank),
    "white.tif": (saved(np.full((48, 40), 65535, np.uint16), "TIFF"), errors.PictureBlank),
    "negative.tif": (saved(GREY.astype(np.int32) - 9, "TIFF"), errors.FormatUnknown),
    "deep.tif": (saved(GREY.astype(np.int32) * 999, "TIFF"), errors.FormatUnknown),
    "float.tif": (saved(GREY.astype(np.float32) / 255, "TIFF"), errors.FormatUnknown),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_an_error_with_its_name(tmp_path: Path, name: str) -> None:
    content, kind = BROKEN[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(errors.InputError) as raised:
        read_raster(tmp_path / name)
    assert type(raised.value) is kind
    assert str(raised.value).startswith(f"{name}: ")
    assert str(tmp_path) not in str(raised.value)


@pytest.mark.parametrize("name", [name for name in BROKEN if "large" in name or "bomb" in name])
def test_a_bomb_is_seen_in_its_header(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def allocated(*_: object) -> None:
        raise AssertionError("room for the pixels was made")

    content, _ = BROKEN[name]
    assert len(content) < 3000
    monkeypatch.setattr(ImageFile.ImageFile, "load_prepare", allocated)
    # What `load_prepare` raises would come out as a damaged file.
    with pytest.raises(errors.PictureTooLarge, match=str(MAX_PIXELS // 1_000_000)):
        decode_raster(content, name)


class TestUnreadable:
    def test_empty(self, tmp_path: Path) -> None:
        (tmp_path / "film.png").touch()
        with pytest.raises(errors.FileEmpty, match=r"^film\.png: "):
            read_raster(tmp_path / "film.png")

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(errors.FileMissing, match=r"^film\.png: "):
            read_raster(tmp_path / "film.png")

    def test_dangling_link(self, tmp_path: Path) -> None:
        (tmp_path / "film.png").symlink_to(tmp_path / "nowhere.png")
        with pytest.raises(errors.FileMissing, match=r"^film\.png: "):
            read_raster(tmp_path / "film.png")

    def test_folder(self, tmp_path: Path) -> None:
        (tmp_path / "film.png").mkdir()
        with pytest.raises(errors.FileUnreadable, match=r"^film\.png: .*(directory|denied)"):
            read_raster(tmp_path / "film.png")

    def test_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        # Root may read everything, so the refusal is played.
        def refuse(_: Path) -> bytes:
            raise PermissionError(13, "Permission denied")

        (tmp_path / "film.png").write_bytes(PNG)
        monkeypatch.setattr(Path, "read_bytes", refuse)
        with pytest.raises(errors.FileUnreadable, match=r"^film\.png: .*Permission denied") as got:
            read_raster(tmp_path / "film.png")
        assert got.value.retry


def film_or_error(content: bytes) -> Radiograph | errors.InputError:
    """Nothing else may come of it."""
    try:
        return decode_raster(content, "film.png")
    except errors.InputError as error:
        return error


few = settings(max_examples=60, deadline=None)
KINDS = {
    "PNG": functools.partial(saved, GREY, "PNG"),
    "TIFF": functools.partial(saved, GREY, "TIFF", compression="tiff_deflate"),
    "JPEG": functools.partial(saved, GREY, "JPEG"),
    "WEBP": functools.partial(saved, GREY, "WEBP"),
}


@given(st.binary(max_size=200))
@example(b"\x89PNG\r\n\x1a\n")
@example(b"\xff\xd8\xff\xe0")
@example(b"II*\0\x08\0\0\0\0\0")
@example(b"RIFF\x04\0\0\0WEBP")
@few
def test_noise_is_an_error(content: bytes) -> None:
    assert isinstance(film_or_error(content), errors.InputError)


@pytest.mark.parametrize("kind", KINDS)
@given(share=st.floats(0.0, 0.95))
@few
def test_a_file_that_was_cut_is_an_error(kind: str, share: float) -> None:
    content = KINDS[kind]()
    cut = content[: int(len(content) * share)]
    assert isinstance(film_or_error(cut), errors.InputError)


@pytest.mark.parametrize("kind", KINDS)
@given(places=st.lists(st.tuples(st.floats(0.0, 0.999), st.integers(0, 255)), max_size=9))
@few
def test_a_file_that_was_damaged_is_a_film_or_an_error(
    kind: str, places: list[tuple[float, int]]
) -> None:
    make: Callable[[], bytes] = KINDS[kind]
    content = bytearray(make())
    for share, value in places:
        content[int(len(content) * share)] = value
    found = film_or_error(bytes(content))
    if isinstance(found, Radiograph):
        assert found.pixels.min() < found.pixels.max()
    if not places:
        assert isinstance(found, Radiograph)
