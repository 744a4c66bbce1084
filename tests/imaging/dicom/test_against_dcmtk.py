"""Pixel values are those of DCMTK, the reference that was written by others, in C++."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from kellgren.imaging.dicom import decode_dicom

Make = Callable[..., bytes]
Smooth = Callable[..., NDArray[Any]]

pytestmark = pytest.mark.skipif(
    shutil.which("dcmj2pnm") is None, reason="DCMTK is not installed: apt-get install dcmtk"
)


def of_dcmtk(content: bytes, folder: Path, *words: str) -> NDArray[np.float64]:
    """The picture that dcmj2pnm writes, 0 to 65535."""
    (folder / "film.dcm").write_bytes(content)
    if JPEGLSLossless.encode() in content:
        _run("dcmdjpls", folder / "film.dcm", folder / "film.dcm")
    _run("dcmj2pnm", "--write-16-bit-png", *words, folder / "film.dcm", folder / "film.png")
    return np.asarray(Image.open(folder / "film.png"), dtype=np.float64)


def _run(*words: object) -> None:
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False)  # noqa: S603 – our words
    assert done.returncode == 0, done.stderr


def linear_error(ours: NDArray[np.generic], theirs: NDArray[np.float64]) -> float:
    """The largest difference after the best scale and offset with more staying more."""
    slope, offset = np.polyfit(ours.astype(np.float64).ravel(), theirs.ravel(), 1)
    assert slope > 0.0
    return float(np.abs(ours * slope + offset - theirs).max())


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        RLELossless,
        JPEGBaseline8Bit,
        JPEGLossless,
        JPEGLosslessSV1,
        JPEGLSLossless,
    ],
    ids=lambda syntax: syntax.keyword,
)
def test_every_syntax_that_both_read(
    make_film: Make, smooth: Smooth, tmp_path: Path, syntax: UID, photometric: str
) -> None:
    bits = 8 if syntax == JPEGBaseline8Bit else 12
    content = make_film(smooth(bits), bits, syntax, PhotometricInterpretation=photometric)
    ours = decode_dicom(content, "film").pixels
    # One step of the stored depth: DCMTK rounds what it stretches to 16 bits.
    assert linear_error(ours, of_dcmtk(content, tmp_path, "--no-windowing")) <= 1.0


@pytest.mark.parametrize("bits", [8, 10, 12, 15, 16])
@pytest.mark.parametrize("signed", [False, True])
def test_every_depth(
    make_film: Make, smooth: Smooth, tmp_path: Path, bits: int, *, signed: bool
) -> None:
    content = make_film(smooth(bits, signed=signed), bits)
    ours = decode_dicom(content, "film").pixels
    assert linear_error(ours, of_dcmtk(content, tmp_path, "--no-windowing")) <= 1.0


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("shape", [None, "IDENTITY", "INVERSE"])
def test_polarity(
    make_film: Make, smooth: Smooth, tmp_path: Path, photometric: str, shape: str | None
) -> None:
    tags = {"PhotometricInterpretation": photometric}
    if shape:
        tags["PresentationLUTShape"] = shape
    content = make_film(smooth(12), 12, **tags)
    ours = decode_dicom(content, "film").pixels
    assert linear_error(ours, of_dcmtk(content, tmp_path, "--no-windowing")) <= 1.0


def lut(entries: NDArray[np.uint16], first: int, bits: int) -> Dataset:
    item = Dataset()
    item.add_new(0x00283002, "US", [len(entries) % 65536, first, bits])
    item.add_new(0x00283006, "OW", entries.tobytes())
    return item


def test_a_modality_table(make_film: Make, smooth: Smooth, tmp_path: Path) -> None:
    entries = np.rint(np.sqrt(np.arange(4096) / 4095) * 65535).astype(np.uint16)
    content = make_film(smooth(12), 12, ModalityLUTSequence=[lut(entries, 0, 16)])
    ours = decode_dicom(content, "film").pixels
    assert linear_error(ours, of_dcmtk(content, tmp_path, "--no-windowing")) <= 1.0


@pytest.mark.parametrize("function", [None, "LINEAR", "SIGMOID"])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("rescaled", [False, True])
def test_a_window(
    make_film: Make,
    smooth: Smooth,
    tmp_path: Path,
    function: str | None,
    photometric: str,
    *,
    rescaled: bool,
) -> None:
    tags: dict[str, object] = {
        "PhotometricInterpretation": photometric,
        "WindowCenter": 1800,
        "WindowWidth": 2500,
    }
    if function:
        tags["VOILUTFunction"] = function
    if rescaled:
        tags |= {"RescaleSlope": 0.684, "RescaleIntercept": 200}
    content = make_film(smooth(12), 12, **tags)
    ours = decode_dicom(content, "film", for_display=True).pixels
    theirs = of_dcmtk(content, tmp_path, "--use-window", "1")
    # Of 65,535. DCMTK rounds to a unit of the modality before the window, here 26 steps.
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=28 if rescaled else 2)


def test_a_table_of_interest(make_film: Make, smooth: Smooth, tmp_path: Path) -> None:
    entries = np.rint((np.arange(4096) / 4095) ** 2 * 4095).astype(np.uint16)
    content = make_film(smooth(12), 12, VOILUTSequence=[lut(entries, 0, 12)])
    ours = decode_dicom(content, "film", for_display=True).pixels
    theirs = of_dcmtk(content, tmp_path, "--use-voi-lut", "1")
    # DCMTK shifts 12 bits to 16, so that white is 65,520.
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=16)


def test_overlays_in_unused_bits(make_film: Make, smooth: Smooth, tmp_path: Path) -> None:
    spoilt = smooth(10) | (np.random.default_rng(0).integers(0, 64, (48, 40)) << 10)
    content = make_film(spoilt.astype(np.uint16), 10)
    ours = decode_dicom(content, "film").pixels
    assert linear_error(ours, of_dcmtk(content, tmp_path, "--no-windowing", "--no-overlays")) <= 1.0


def test_dcmtk_makes_lossless_jpegs_that_are_read(
    make_film: Make, smooth: Smooth, tmp_path: Path
) -> None:
    (tmp_path / "plain.dcm").write_bytes(make_film(smooth(12), 12))
    for words in (("--encode-lossless-sv1",), ("--encode-lossless", "--selection-value", "6")):
        _run("dcmcjpeg", *words, tmp_path / "plain.dcm", tmp_path / "small.dcm")
        read = decode_dicom((tmp_path / "small.dcm").read_bytes(), "film").pixels
        np.testing.assert_array_equal(read, smooth(12))


def test_the_oracle_can_disagree(make_film: Make, smooth: Smooth, tmp_path: Path) -> None:
    theirs = of_dcmtk(make_film(smooth(12), 12), tmp_path, "--no-windowing")
    assert linear_error(np.roll(smooth(12), 1, axis=1), theirs) > 100.0
