"""Every real file decodes, or says by name why not."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.imaging import Radiograph, read_film

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(
        "KELLGREN_DATA" not in os.environ,
        reason="the real films are not public to commit; set KELLGREN_DATA to their folder",
    ),
]

REFUSED: dict[str, tuple[type[errors.InputError], str]] = {
    "RG2_JPLY.dcm": (errors.SyntaxUnsupported, "JPEG Extended"),
    "RG3_JPLY.dcm": (errors.SyntaxUnsupported, "JPEG Extended"),
    "pydicom_CR1_6154.dcm": (errors.PictureTooSmall, "16×16"),
}
SHAPES = {
    "CR-ModalitySequenceLUT.dcm": (1576, 1976),
    "RG1_J2KI.dcm": (1955, 1841),
    "RG2_J2KI.dcm": (2140, 1760),
    "RG2_J2KR.dcm": (2140, 1760),
    "RG2_JLSL.dcm": (2140, 1760),
    "RG2_JLSN.dcm": (2140, 1760),
    "RG2_JPLL.dcm": (2140, 1760),
    "RG2_RLE.dcm": (2140, 1760),
    "RG3_J2KI.dcm": (1760, 1760),
    "RG3_JLSL.dcm": (1760, 1760),
    "RG3_JLSN.dcm": (1760, 1760),
    "RG3_JPLL.dcm": (1760, 1760),
    "RG3_RLE.dcm": (1760, 1760),
    "highdicom_dx_image.dcm": (169, 211),
    "txrv_cr_fake_mono1.dcm": (1024, 1024),
    "txrv_cr_mono2.dcm": (1024, 1024),
}


def folder() -> Path:
    return Path(os.environ["KELLGREN_DATA"]).resolve() / "dicom"


def test_no_file_is_forgotten() -> None:
    assert {path.name for path in folder().iterdir()} == REFUSED.keys() | SHAPES.keys()


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_why(name: str) -> None:
    kind, words = REFUSED[name]
    with pytest.raises(kind, match=words):
        read_film(folder() / name)


@pytest.fixture(scope="module")
def films() -> dict[str, Radiograph]:
    return {name: read_film(folder() / name) for name in SHAPES}


def test_all_others_are_decoded(films: dict[str, Radiograph]) -> None:
    assert {name: film.shape for name, film in films.items()} == SHAPES
    assert all(film.pixels.dtype == np.uint16 for film in films.values())
    assert not any(film.synthetic for film in films.values())


@pytest.mark.parametrize("source", ["RG2", "RG3"])
def test_lossless_copies_of_a_film_are_one_film(films: dict[str, Radiograph], source: str) -> None:
    copies = [f"{source}_{how}.dcm" for how in ("RLE", "JPLL", "JLSL", "J2KR")]
    first, *others = (films[name].pixels for name in copies if name in films)
    assert len(others) >= 2
    for other in others:
        np.testing.assert_array_equal(other, first)


@pytest.mark.parametrize("name", ["RG2_JLSN.dcm", "RG2_J2KI.dcm", "RG3_JLSN.dcm", "RG3_J2KI.dcm"])
def test_lossy_copies_are_nearly(films: dict[str, Radiograph], name: str) -> None:
    reference = films[f"{name[:3]}_RLE.dcm"].pixels
    off = np.abs(films[name].pixels.astype(int) - reference)
    assert off.mean() < 6.0
    assert reference.max() > 800


def test_polarity_as_every_viewer_shows_it(films: dict[str, Radiograph]) -> None:
    one, two = films["txrv_cr_fake_mono1.dcm"].pixels, films["txrv_cr_mono2.dcm"].pixels
    # The same bytes, called MONOCHROME1.
    np.testing.assert_array_equal(one, 255 - two)
    # Tibia and air beside the leg; head of the femur and air between the thighs.
    leg, hip = films["RG3_RLE.dcm"].pixels, films["RG2_RLE.dcm"].pixels
    assert leg[800:950, 830:880].mean() > leg[800:950, 450:550].mean() + 300
    assert hip[1240:1300, 860:920].mean() > hip[1900:1950, 700:750].mean() + 300


def test_spacing_and_side(films: dict[str, Radiograph]) -> None:
    hip, leg, chest = (films[name] for name in ("RG2_RLE.dcm", "RG3_RLE.dcm", "RG1_J2KI.dcm"))
    assert (hip.pixel_spacing_mm, hip.spacing_source) == ((0.2, 0.2), "pixel_spacing")
    assert leg.header.laterality is Laterality.RIGHT
    assert (leg.header.view, leg.header.body_part) == ("AP", "EXTREMITY")
    # 0.000 is no spacing.
    assert (chest.pixel_spacing_mm, chest.spacing_source) == (None, "none")
    dog = films["highdicom_dx_image.dcm"]
    assert dog.pixel_spacing_mm == pytest.approx((1.2, 1.2012))
    assert dog.header.laterality is Laterality.LEFT
    assert dog.header.sides_contradict  # the protocol says RT


@pytest.mark.skipif(
    shutil.which("dcmj2pnm") is None, reason="DCMTK is not installed: apt-get install dcmtk"
)
@pytest.mark.parametrize("name", [name for name in SHAPES if "J2K" not in name])
def test_dcmtk_reads_the_same(films: dict[str, Radiograph], tmp_path: Path, name: str) -> None:
    source = folder() / name
    if "JLS" in name:
        _run("dcmdjpls", source, tmp_path / "plain.dcm")
        source = tmp_path / "plain.dcm"
    # A part of the film, as DCMTK takes half a minute to write the whole.
    film = films[name].pixels
    top, left = film.shape[0] // 3, film.shape[1] // 3
    height, width = min(300, top), min(300, left)
    part = map(str, (left, top, width, height))
    target = tmp_path / "film.png"
    words = ("--write-16-bit-png", "--no-windowing", "--clip-region", *part)
    _run("dcmj2pnm", *words, source, target)
    theirs = np.asarray(Image.open(target), dtype=np.float64)
    ours = film[top : top + height, left : left + width].astype(np.float64)
    slope, offset = np.polyfit(ours.ravel(), theirs.ravel(), 1)
    assert slope > 0.0
    assert np.abs(ours * slope + offset - theirs).max() <= 1.0


def _run(*words: object) -> None:
    subprocess.run([*map(str, words)], capture_output=True, check=True)  # noqa: S603 – our words
