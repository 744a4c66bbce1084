"""A side is found in every place that may say it, and in no word that only looks like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from kellgren.anatomy import Laterality
from kellgren.imaging.dicom.sides import side_in
from kellgren.imaging.dicom.tags import header_of
from kellgren.imaging.header import Side

RIGHT, LEFT, BOTH = "right", "left", "both"


def data_with(**tags: object) -> Dataset:
    data = Dataset()
    for tag, value in tags.items():
        setattr(data, tag, value)
    return data


def code(value: str, scheme: str = "SCT", meaning: str = "") -> Dataset:
    return data_with(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


@pytest.mark.parametrize(
    ("words", "side"),
    [
        ("LT KNEE", LEFT),
        ("Knee R", RIGHT),
        ("RIGHT", RIGHT),
        ("R", RIGHT),
        ("KNEE_L_AP", LEFT),
        ("Knee AP (R)", RIGHT),
        ("KNEE-L", LEFT),
        ("R.KNEE", RIGHT),
        ("XR Knee Lt 2 views", LEFT),
        ("Right knee, standing", RIGHT),
        ("RIGHTKNEE", None),
        ("Genou droit F/P", RIGHT),
        ("genou gauche", LEFT),
        ("Knie rechts a.p.", RIGHT),
        ("Knie links", LEFT),
        ("RODILLA IZQUIERDA", LEFT),
        ("ginocchio destro", RIGHT),
        ("joelho esquerdo", LEFT),
        ("BILATERAL KNEES", BOTH),
        ("Bilat knee PA", BOTH),
        ("AP BOTH KNEES", BOTH),
        ("Knees L/R", BOTH),
        ("KNEES B/L", BOTH),
        ("R and L knee", BOTH),
        ("RT/LT KNEE", BOTH),
        ("LEFT AND RIGHT", BOTH),
        ("Knie beidseits", BOTH),
        ("R/O FRACTURE", None),
        ("r/o fx, LT knee", LEFT),
        ("BRIGHT KNEE", None),
        ("upright", None),
        ("ALTERNATE", None),
        ("Portable", None),
        ("L'arthrose du genou", None),
        ("KNEE L4 protocol", None),
        ("KNEE 2R", None),
        ("LR", None),
        ("knee", None),
        ("", None),
    ],
)
def test_sides_in_words(words: str, side: str | None) -> None:
    assert side_in(words) == side
    assert side_in(words.lower()) == side
    assert side_in(words.upper()) == side


@given(st.text(max_size=64))
def test_any_text_has_a_side_or_none(words: str) -> None:
    assert side_in(words) in {RIGHT, LEFT, BOTH, None}


@given(st.text("abcdefghijkmnopqstuvwxyz0123456789", min_size=1, max_size=20))
def test_letters_inside_words_are_no_side(word: str) -> None:
    assert side_in(f"x{word}right") is None
    assert side_in(f"left{word}") is None


@pytest.mark.parametrize(
    ("tags", "side", "tag"),
    [
        ({"ImageLaterality": "R"}, RIGHT, "ImageLaterality"),
        ({"ImageLaterality": "B"}, BOTH, "ImageLaterality"),
        ({"Laterality": "L"}, LEFT, "Laterality"),
        ({"FrameLaterality": "L"}, LEFT, "FrameLaterality"),
        ({"Laterality": "LEFT"}, LEFT, "Laterality"),
        ({"ImageLaterality": "U", "Laterality": "L"}, LEFT, "Laterality"),
        ({"ImageLaterality": "", "Laterality": ""}, None, None),
        ({"SeriesDescription": "LT KNEE"}, LEFT, "SeriesDescription"),
        ({"ProtocolName": "Knee R"}, RIGHT, "ProtocolName"),
        ({"StudyDescription": "RIGHT KNEE"}, RIGHT, "StudyDescription"),
        (
            {"AcquisitionDeviceProcessingDescription": "KNEE LEFT"},
            LEFT,
            "AcquisitionDeviceProcessingDescription",
        ),
        ({"BodyPartExamined": "LKNEE"}, None, None),
        ({"BodyPartExamined": "L KNEE"}, LEFT, "BodyPartExamined"),
    ],
)
def test_attributes_and_descriptions(
    tags: dict[str, object], side: Side | None, tag: str | None
) -> None:
    sides = header_of(data_with(**tags)).sides
    assert [(stated.side, stated.tag) for stated in sides] == ([(side, tag)] if side else [])


@pytest.mark.parametrize(
    ("sequence", "modifiers"),
    [
        ("AnatomicRegionSequence", "AnatomicRegionModifierSequence"),
        ("PrimaryAnatomicStructureSequence", "PrimaryAnatomicStructureModifierSequence"),
        ("ViewCodeSequence", "ViewModifierCodeSequence"),
    ],
)
@pytest.mark.parametrize(
    ("codes", "side"),
    [
        ([code("7771000")], LEFT),
        ([code("24028007")], RIGHT),
        ([code("51440002")], BOTH),
        ([code("G-A101", "SRT")], LEFT),
        ([code("G-A100", "SNM3")], RIGHT),
        ([code("G-A102", "SRT")], BOTH),
        ([code("7771000"), code("24028007")], BOTH),
        ([code("255561001"), code("7771000")], LEFT),
        ([code("7771000", "99LOCAL")], None),
        ([code("66459002")], None),
        ([], None),
    ],
)
def test_codes(sequence: str, modifiers: str, codes: list[Dataset], side: str | None) -> None:
    outer = code("72696002", meaning="Knee")
    setattr(outer, modifiers, codes)
    header = header_of(data_with(**{sequence: [outer]}))
    expected = [(side, modifiers, True)] if side else []
    assert [(each.side, each.tag, each.coded) for each in header.sides] == expected


def test_the_meaning_of_a_region_may_name_the_side() -> None:
    data = data_with(AnatomicRegionSequence=[code("6757004", meaning="Right knee region")])
    assert header_of(data).laterality is Laterality.RIGHT


def test_the_meaning_of_a_view_is_no_side() -> None:
    data = data_with(ViewCodeSequence=[code("399173006", meaning="left lateral")])
    assert header_of(data).sides == ()


@pytest.mark.parametrize(
    "groups", ["SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"]
)
def test_the_frame_of_an_enhanced_object(groups: str) -> None:
    frame = data_with(FrameAnatomySequence=[data_with(FrameLaterality="R")])
    (stated,) = header_of(data_with(**{groups: [frame]})).sides
    assert (stated.side, stated.tag) == (RIGHT, "FrameLaterality")


class TestManyStatements:
    TAGS: dict[str, object] = {  # noqa: RUF012 – never changed
        "StudyDescription": "BILATERAL KNEES",
        "SeriesDescription": "LT KNEE",
        "Laterality": "L",
        "ImageLaterality": "R",
    }

    def test_the_narrower_and_the_coded_come_first(self) -> None:
        header = header_of(data_with(**self.TAGS))
        assert [stated.tag for stated in header.sides] == [
            *("ImageLaterality", "Laterality", "SeriesDescription", "StudyDescription"),
        ]
        assert [stated.coded for stated in header.sides] == [True, True, False, False]
        assert header.laterality is Laterality.RIGHT
        assert header.sides_contradict

    def test_both_contradicts_no_side(self) -> None:
        header = header_of(data_with(SeriesDescription="LT KNEE", StudyDescription="BOTH KNEES"))
        assert header.laterality is Laterality.LEFT
        assert not header.sides_contradict
        assert not header.bilateral

    def test_both_is_no_laterality(self) -> None:
        header = header_of(data_with(ImageLaterality="B"))
        assert header.laterality is Laterality.UNKNOWN
        assert header.bilateral

    def test_none_is_unknown(self) -> None:
        header = header_of(Dataset())
        assert header.laterality is Laterality.UNKNOWN
        assert not header.bilateral
        assert not header.sides_contradict


def test_what_should_be_a_sequence_and_is_none() -> None:
    data = Dataset()
    data.add_new(0x00082218, "LO", "Knee")
    assert header_of(data).sides == ()
