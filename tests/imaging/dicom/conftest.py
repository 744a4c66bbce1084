"""DICOM files that the tests make themselves, as no film of a person may be committed."""

import functools
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLossless,
    JPEGLosslessSV1,
)

ROWS, COLUMNS = 48, 40
PLAIN = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
)

Pixels = NDArray[Any]


def smooth(bits: int, *, signed: bool = False) -> Pixels:
    """A picture that compresses, with the lowest and the highest value in it."""
    y, x = np.mgrid[:ROWS, :COLUMNS]
    shade = np.sin(x / 9.0) + np.cos(y / 7.0) + np.random.default_rng(bits).normal(0, 0.02, x.shape)
    shade = (shade - shade.min()) / (shade.max() - shade.min())
    values = np.rint(shade * ((1 << bits) - 1)).astype(np.int64)
    if signed:
        values -= 1 << (bits - 1)
    cells: Pixels = values.astype(f"{'i' if signed else 'u'}{1 if bits <= 8 else 2}")
    return cells


def dataset(pixels: Pixels, bits: int | None = None, **tags: object) -> Dataset:
    """A computed radiograph without any optional element; ``tags`` are added or replace."""
    data = Dataset()
    data.SOPClassUID = ComputedRadiographyImageStorage
    data.SOPInstanceUID = "1.2.3.4"
    data.StudyInstanceUID = "1.2.3"
    data.Modality = "CR"
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.Rows, data.Columns = pixels.shape[:2]
    data.BitsAllocated = 8 * pixels.dtype.itemsize
    data.BitsStored = bits or data.BitsAllocated
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    data.add_new(0x7FE00010, "OB" if pixels.dtype.itemsize == 1 else "OW", pixels.tobytes())
    for tag, value in tags.items():
        if value is None:
            delattr(data, tag)
        else:
            setattr(data, tag, value)
    return data


def saved(data: Dataset, syntax: UID = ExplicitVRLittleEndian) -> bytes:
    """The file of a data set whose pixels are little endian, or compressed already."""
    if syntax == ExplicitVRBigEndian and data["PixelData"].VR == "OW":
        data.PixelData = np.frombuffer(data.PixelData, "<u2").astype(">u2").tobytes()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    stream = io.BytesIO()
    data.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def film(
    pixels: Pixels, bits: int | None = None, syntax: UID = ExplicitVRLittleEndian, **tags: object
) -> bytes:
    """A DICOM file in any syntax that is read; all but baseline JPEG keep every bit."""
    data = dataset(pixels, bits, **tags)
    if syntax in PLAIN:
        return saved(data, syntax)
    if syntax in {JPEGLossless, JPEGLosslessSV1}:
        codestream = lossless_jpeg(pixels.view(f"u{pixels.dtype.itemsize}"), data.BitsStored)
    elif syntax == JPEGBaseline8Bit:
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "JPEG", quality=95)
        codestream = stream.getvalue()
    else:
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.compress(syntax, generate_instance_uid=False)
        return saved(data, syntax)
    return compressed(data, codestream, syntax)


def compressed(data: Dataset, codestream: bytes, syntax: UID) -> bytes:
    """The file of a data set with these compressed pixels."""
    data.add_new(0x7FE00010, "OB", encapsulate([codestream]))
    data["PixelData"].is_undefined_length = True
    return saved(data, syntax)


def lossless_jpeg(pixels: Pixels, bits: int, *, selection: int = 1, restart_rows: int = 0) -> bytes:
    """ITU-T T.81, annex H, by the letter: every category has a code of five bits."""
    values = pixels.astype(np.int64)
    rows, columns = values.shape
    stream: list[str] = []
    chunks: list[bytes] = []
    for row in range(rows):
        start = row % restart_rows == 0 if restart_rows else row == 0
        if start and stream:
            chunks.append(_packed(stream))
            stream = []
        for column in range(columns):
            a, b, c = values[row, column - 1], values[row - 1, column], values[row - 1, column - 1]
            if start:
                guess = a if column else 1 << (bits - 1)
            elif not column:
                guess = b
            else:
                guess = (
                    *(0, a, b, c, a + b - c),
                    *(a + ((b - c) >> 1), b + ((a - c) >> 1), (a + b) >> 1),
                )[selection]
            difference = (int(values[row, column] - guess) + 32767) % 65536 - 32767
            size = abs(difference).bit_length()
            extra = difference if difference > 0 else difference + (1 << size) - 1
            stream.append(f"{size:05b}" + (f"{extra:0{size}b}" if 0 < size < 16 else ""))
    chunks.append(_packed(stream))
    scan = b"".join(
        chunk + (bytes((0xFF, 0xD0 + index % 8)) if index < len(chunks) - 1 else b"")
        for index, chunk in enumerate(chunks)
    )
    table = bytes((0, 0, 0, 0, 0, 17)) + bytes(11) + bytes(range(17))
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xC3, bytes((bits, *divmod(rows, 256), *divmod(columns, 256), 1, 1, 0x11, 0))),
            _segment(0xC4, table),
            _segment(0xDD, (restart_rows * columns).to_bytes(2)) if restart_rows else b"",
            _segment(0xDA, bytes((1, 1, 0, selection, 0, 0))),
            scan,
            b"\xff\xd9",
        )
    )


def _segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2) + content


def _packed(stream: list[str]) -> bytes:
    bits = "".join(stream)
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8).replace(b"\xff", b"\xff\x00")


@pytest.fixture(scope="session", name="smooth")
def _smooth() -> Callable[..., Pixels]:
    """A picture of so many bits, signed or not."""
    return smooth


@pytest.fixture(scope="session", name="make_dataset")
def _make_dataset() -> Callable[..., Dataset]:
    """A data set of pixels, to be spoilt before it is saved."""
    return dataset


@pytest.fixture(scope="session", name="save")
def _save() -> Callable[..., bytes]:
    """The file of a data set in a transfer syntax that does not compress."""
    return saved


@pytest.fixture(scope="session", name="make_film")
def _make_film() -> Callable[..., bytes]:
    """The file of pixels in any transfer syntax that is read."""
    return film


@pytest.fixture(scope="session")
def example() -> Callable[[UID], bytes]:
    """One file for each transfer syntax, made once."""

    @functools.cache
    def made(syntax: UID) -> bytes:
        bits = 8 if syntax == JPEGBaseline8Bit else 12
        return film(
            *(smooth(bits), bits, syntax),
            PixelSpacing=[0.15, 0.15],
            ImageLaterality="R",
            WindowCenter=[2000, 100],
            WindowWidth=[4000, 50],
            PixelPaddingValue=0,
        )

    return made


@pytest.fixture(scope="session", name="compress")
def _compress() -> Callable[..., bytes]:
    """The file of a data set with a codestream instead of its pixels."""
    return compressed


@pytest.fixture(scope="session", name="make_lossless_jpeg")
def _make_lossless_jpeg() -> Callable[..., bytes]:
    """A codestream of ITU-T T.81, annex H."""
    return lossless_jpeg
