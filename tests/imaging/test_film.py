"""The content of a file decides what it is, never its name."""

import io
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from kellgren import errors
from kellgren.imaging import decode_film, raster, read_film
from kellgren.imaging.film import is_dicom

GREY = np.random.default_rng(0).integers(0, 256, (48, 40), dtype=np.uint8)


def picture(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(GREY).save(stream, kind, **({"lossless": True} if kind == "WEBP" else {}))
    return stream.getvalue()


def dicom(*, preamble: bytes = bytes(128)) -> bytes:
    data = Dataset()
    data.SOPClassUID = SecondaryCaptureImageStorage
    data.SOPInstanceUID = "1.2.3"
    data.PatientID = "4711"
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.Rows, data.Columns = GREY.shape
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation = 7, 0
    data.add_new(0x7FE00010, "OB", GREY.tobytes())
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    stream = io.BytesIO()
    data.save_as(stream, enforce_file_format=True)
    return preamble + stream.getvalue()[128:]


CONTENTS = {
    "dicom": dicom(),
    "png": picture("PNG"),
    "tiff": picture("TIFF"),
    "webp": picture("WEBP"),
}


@pytest.mark.parametrize("name", ["film.dcm", "film.png", "IM000001", "film.jpg"])
@pytest.mark.parametrize("content", CONTENTS)
def test_any_name_will_do(tmp_path: Path, content: str, name: str) -> None:
    (tmp_path / name).write_bytes(CONTENTS[content])
    film = read_film(tmp_path / name)
    np.testing.assert_array_equal(film.pixels, GREY)
    assert is_dicom(CONTENTS[content]) == (content == "dicom")


def test_a_tiff_in_the_preamble_is_not_the_film() -> None:
    # PS3.10, 7.1: the preamble may make a file readable as something else too.
    tiff = b"II*\0" + struct.pack("<I", 8) + bytes(120)
    np.testing.assert_array_equal(decode_film(dicom(preamble=tiff), "film").pixels, GREY)


def test_ids_come_along_only_if_asked(tmp_path: Path) -> None:
    (tmp_path / "film").write_bytes(dicom())
    assert read_film(tmp_path / "film").header.patient_id is None
    assert read_film(tmp_path / "film", keep_ids=True).header.patient_id == "4711"
    assert decode_film(CONTENTS["png"], "film", keep_ids=True).header.patient_id is None


@given(st.binary(max_size=200))
@example(b"")
@example(b"\x08\0")
@example(b"\0\x08\0\x08")
@example(b"0" + bytes.fromhex("06092a864886f70d010703"))
def test_any_bytes_are_one_or_the_other(content: bytes) -> None:
    assert is_dicom(content) in {True, False}
    with pytest.raises(errors.InputError, match=r"^film: "):
        decode_film(content, "film")


def test_what_is_of_no_form_names_those_that_are() -> None:
    with pytest.raises(errors.FormatUnknown, match=r"DICOM.*PNG.*TIFF.*JPEG.*WebP"):
        decode_film(b"See attached.\n" * 50, "film")


def test_a_file_of_any_size_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "film.dcm").open("wb") as file:
        file.truncate(raster.MAX_FILE_BYTES + 1)
    with pytest.raises(errors.PictureTooLarge, match=r"^film\.dcm: "):
        read_film(tmp_path / "film.dcm")


def test_pictures_do_without_pydicom() -> None:
    lines = (
        "import io, sys\n"
        "import numpy as np\n"
        "from PIL import Image\n"
        "from kellgren.imaging import decode_film\n"
        "stream = io.BytesIO()\n"
        "Image.fromarray(np.arange(1600, dtype=np.uint16).reshape(40, 40)).save(stream, 'PNG')\n"
        "decode_film(stream.getvalue(), 'film')\n"
        "print('pydicom' in sys.modules, 'gdcm' in sys.modules)\n"
    )
    done = subprocess.run(  # noqa: S603 – our own words
        [sys.executable, "-c", lines], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["False", "False"]
