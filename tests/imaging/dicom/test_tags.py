"""What a file says about its film is kept where it makes sense, and nothing else is."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from kellgren.imaging import Header, Radiograph
from kellgren.imaging.dicom import decode_dicom, is_synthetic, mark_synthetic
from kellgren.imaging.dicom.tags import (
    PRIVATE_CREATOR,
    PRIVATE_GROUP,
    SYNTHETIC_ELEMENT,
    header_of,
    spacing_of,
)

Make = Callable[..., bytes]
Smooth = Callable[..., NDArray[Any]]

EVERYTHING: dict[str, object] = {
    "ViewPosition": "PA",
    "BodyPartExamined": "KNEE",
    "PatientOrientation": ["L", "F"],
    "ImageLaterality": "R",
    "PixelSpacing": [0.14, 0.15],
    "ImagerPixelSpacing": [0.16, 0.17],
    "PixelSpacingCalibrationType": "GEOMETRY",
    "EstimatedRadiographicMagnificationFactor": 1.14,
    "PatientName": "Doe^Jane",
    "PatientID": "4711",
    "PatientBirthDate": "19500101",
}


def items_of(**tags: object) -> Dataset:
    data = Dataset()
    for tag, value in tags.items():
        setattr(data, tag, value)
    return data


def coded(value: str, meaning: str, scheme: str = "SCT") -> Dataset:
    return items_of(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


class TestHeader:
    def test_everything_that_is_kept(self, make_film: Make, smooth: Smooth) -> None:
        film = decode_dicom(make_film(smooth(12), 12, **EVERYTHING), "film")
        header = film.header
        assert (header.view, header.body_part, header.modality) == ("PA", "KNEE", "CR")
        assert header.patient_orientation == ("L", "F")
        assert (header.study_uid, header.sop_uid) == ("1.2.3", "1.2.3.4")
        assert header.laterality == "right"
        assert header.magnification == 1.14
        assert header.pixel_spacing_mm == film.pixel_spacing_mm == (0.14, 0.15)
        assert header.imager_pixel_spacing_mm == (0.16, 0.17)
        assert film.spacing_source == "pixel_spacing"
        assert not film.synthetic

    def test_nothing_is_required(self, make_film: Make, smooth: Smooth) -> None:
        film = decode_dicom(make_film(smooth(12), 12, Modality=None, StudyInstanceUID=None), "film")
        assert film.header == Header(sop_uid="1.2.3.4")
        assert (film.pixel_spacing_mm, film.spacing_source) == (None, "none")

    def test_no_person_is_known(self, make_film: Make, smooth: Smooth) -> None:
        content = make_film(smooth(12), 12, **EVERYTHING)
        header = decode_dicom(content, "film").header
        assert header.patient_id is None
        kept = decode_dicom(content, "film", keep_ids=True).header
        assert kept.patient_id == "4711"
        assert replace(kept, patient_id=None) == header
        for each in (header, kept):
            said = str(asdict(each)).replace("4711" if each is kept else "", "")
            assert not {"Doe", "Jane", "1950"} & set(said.replace("^", " ").split())
            assert "4711" not in repr(each)
            assert "Doe" not in said

    def test_codes_speak_where_texts_do_not(self) -> None:
        data = items_of(
            ViewPosition="",
            ViewCodeSequence=[coded("272479007", "postero-anterior")],
            AnatomicRegionSequence=[coded("72696002", "Knee")],
        )
        header = header_of(data)
        assert (header.view, header.body_part) == ("postero-anterior", "Knee")

    def test_a_peers_text_is_only_text(self, make_film: Make, smooth: Smooth) -> None:
        content = make_film(smooth(12), 12, SeriesDescription="x" * 16, StudyInstanceUID="1.2.3")
        content = content.replace(b"x" * 16, b"\x1b[31m\r\n{0}% L  \0")
        content = content.replace(b"1.2.3\0", b"../../")
        header = decode_dicom(content, "film").header
        assert header.study_uid is None
        assert [stated.tag for stated in header.sides] == ["SeriesDescription"]

    @pytest.mark.parametrize("value", ["", "1", "1.2.x", "/etc/passwd", "1..2", "1.2." + "3" * 90])
    def test_a_uid_is_digits_and_dots(self, value: str) -> None:
        data = Dataset()
        data.add_new(0x0020000D, "LO", value[:64])
        found = header_of(data).study_uid
        assert found is None or (found == value[:64] and set(found) <= set("0123456789."))
        assert (found is None) == (value in {"", "1", "1.2.x", "/etc/passwd", "1..2"})

    @pytest.mark.parametrize("value", [0.0, -1.1, 0.5, 4.0, float("nan")])
    def test_an_impossible_magnification_is_none(self, value: float) -> None:
        data = Dataset()
        data.add_new(0x00181114, "FD", value)
        assert header_of(data).magnification is None

    def test_damaged_elements_are_missing_elements(self, make_film: Make, smooth: Smooth) -> None:
        content = make_film(smooth(12), 12, **EVERYTHING)
        for good, bad in (
            (b"0.14\\0.15 ", b"0.14\\Jane "),
            (b"1.14", b"x.yz"),
            (b"PA", b"\xff\xfe"),
        ):
            assert content.count(good) >= 1
            content = content.replace(good, bad)
        header = decode_dicom(content, "film").header
        assert header.pixel_spacing_mm is None
        assert header.magnification is None
        assert header.imager_pixel_spacing_mm == (0.16, 0.17)


class TestSpacing:
    @pytest.mark.parametrize(
        ("value", "found"),
        [
            ([0.14, 0.15], (0.14, 0.15)),
            ([0.02, 2.0], (0.02, 2.0)),
            ([0.0, 0.0], None),
            ([0.15, 0.0], None),
            ([-0.15, 0.15], None),
            ([0.15, 25.0], None),
            ([0.001, 0.001], None),
            ([0.15], None),
            ([0.15, 0.15, 0.15], None),
            ([float("nan"), 0.15], None),
            ([float("inf"), 0.15], None),
        ],
    )
    def test_what_is_absurd_is_none(
        self, value: list[float], found: tuple[float, float] | None
    ) -> None:
        data = Dataset()
        data.add_new(0x00280030, "FD", value)  # any number may stand there
        assert spacing_of(data, "PixelSpacing") == found

    @given(st.floats(), st.floats())
    def test_whatever_is_found_is_usable(self, row: float, column: float) -> None:
        data = Dataset()
        data.add_new(0x00280030, "FD", [row, column])
        found = spacing_of(data, "PixelSpacing")
        assert found is None or all(0.02 <= each <= 2.0 for each in found)

    @pytest.mark.parametrize(
        ("pixel", "imager", "used", "source"),
        [
            (0.14, 0.16, 0.14, "pixel_spacing"),
            (None, 0.16, 0.16, "imager_pixel_spacing"),
            (0.0, 0.16, 0.16, "imager_pixel_spacing"),
            (0.14, 0.0, 0.14, "pixel_spacing"),
            (0.0, 0.0, None, "none"),
            (None, None, None, "none"),
        ],
    )
    def test_the_source_is_recorded(
        self,
        make_film: Make,
        smooth: Smooth,
        pixel: float | None,
        imager: float | None,
        used: float | None,
        source: str,
    ) -> None:
        tags: dict[str, object] = {}
        if pixel is not None:
            tags["PixelSpacing"] = [pixel, pixel]
        if imager is not None:
            tags["ImagerPixelSpacing"] = [imager, imager]
        film = decode_dicom(make_film(smooth(12), 12, **tags), "film")
        assert film.spacing_source == source
        assert film.pixel_spacing_mm == (None if used is None else (used, used))

    @pytest.mark.parametrize(
        ("header", "detector"),
        [
            (Header(pixel_spacing_mm=(0.1, 0.2)), (0.1, 0.2)),
            (
                Header(pixel_spacing_mm=(0.1, 0.2), imager_pixel_spacing_mm=(0.3, 0.4)),
                (0.3, 0.4),
            ),
            (Header(pixel_spacing_mm=(0.1, 0.2), spacing_calibration="FIDUCIAL"), None),
            (
                Header(
                    pixel_spacing_mm=(0.1, 0.2), spacing_calibration="GEOMETRY", magnification=1.5
                ),
                (0.15, 0.3),
            ),
        ],
    )
    def test_regions_are_cut_in_the_detectors_plane(
        self, header: Header, detector: tuple[float, float] | None
    ) -> None:
        film = Radiograph(
            np.zeros((40, 40), np.uint16),
            "0" * 64,
            pixel_spacing_mm=header.pixel_spacing_mm,
            spacing_source="pixel_spacing",
            header=header,
        )
        assert film.detector_spacing_mm == (detector and pytest.approx(detector))
        given_by_user = replace(film, pixel_spacing_mm=(0.5, 0.5), spacing_source="given")
        assert given_by_user.detector_spacing_mm == (0.5, 0.5)

    def test_a_picture_has_none(self) -> None:
        film = Radiograph(np.zeros((40, 40), np.uint8), "0" * 64)
        assert film.detector_spacing_mm is None
        assert film.header == Header()


class TestMark:
    @pytest.mark.parametrize(
        "syntax",
        [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian],
        ids=lambda syntax: syntax.keyword,
    )
    @pytest.mark.parametrize("others", [False, True])
    def test_a_phantom_says_so(
        self,
        make_dataset: Callable[..., Dataset],
        save: Make,
        smooth: Smooth,
        syntax: UID,
        *,
        others: bool,
    ) -> None:
        data = make_dataset(smooth(12), 12)
        if others:
            block = data.private_block(PRIVATE_GROUP, "SOMEBODY ELSE", create=True)
            block.add_new(SYNTHETIC_ELEMENT, "LO", "yes")
        assert not is_synthetic(data)
        mark_synthetic(data)
        assert is_synthetic(data)
        assert decode_dicom(save(data, syntax), "film").synthetic

    @pytest.mark.parametrize("value", ["no", "", "YES "])
    def test_any_other_value_means_real(self, value: str) -> None:
        data = Dataset()
        block = data.private_block(PRIVATE_GROUP, PRIVATE_CREATOR, create=True)
        assert not is_synthetic(data)
        block.add_new(SYNTHETIC_ELEMENT, "LO", value)
        assert not is_synthetic(data)
