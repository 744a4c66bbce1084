"""The tags of a DICOM file that a radiograph keeps, checked and in our words."""

from pydicom.dataset import Dataset

from kellgren.imaging.dicom.elements import items, number, numbers, text, texts, uid
from kellgren.imaging.dicom.sides import stated_sides
from kellgren.imaging.header import Header

Spacing = tuple[float, float]

SPACING_MM = (0.02, 2.0)
"""Chosen: dental and mammographic detectors begin at 0.02 mm; at 2 mm a knee has 40 pixels."""

MAGNIFICATION = (1.0, 3.0)
"""Chosen: a divergent beam does not shrink, and no knee is filmed from two thirds of the way."""

PRIVATE_GROUP = 0x0009
PRIVATE_CREATOR = "KELLGREN"
SYNTHETIC_ELEMENT = 0x01
"""A private element (DICOM PS3.5, 7.8.1) marks a phantom, as a text chunk does in a PNG."""
SYNTHETIC_VALUE = "yes"


def header_of(dataset: Dataset, *, keep_ids: bool = False) -> Header:
    """Read what is known beside the pixels. No element is required, and nonsense counts as none.

    Parameters
    ----------
    dataset
        The data set.
    keep_ids
        Read Patient ID too. A patient's name is never read.
    """
    spacing = spacing_of(dataset, "PixelSpacing")
    calibration = (text(dataset, "PixelSpacingCalibrationType") or "").upper()
    magnification = number(dataset, "EstimatedRadiographicMagnificationFactor")
    if magnification is not None and not MAGNIFICATION[0] <= magnification <= MAGNIFICATION[1]:
        magnification = None
    return Header(
        sides=tuple(stated_sides(dataset)),
        view=text(dataset, "ViewPosition") or _meaning(dataset, "ViewCodeSequence"),
        body_part=text(dataset, "BodyPartExamined") or _meaning(dataset, "AnatomicRegionSequence"),
        modality=text(dataset, "Modality"),
        patient_orientation=texts(dataset, "PatientOrientation"),
        study_uid=uid(dataset, "StudyInstanceUID"),
        sop_uid=uid(dataset, "SOPInstanceUID"),
        pixel_spacing_mm=spacing,
        spacing_calibration=(
            calibration if spacing and calibration in {"GEOMETRY", "FIDUCIAL"} else None
        ),
        imager_pixel_spacing_mm=spacing_of(dataset, "ImagerPixelSpacing"),
        magnification=magnification,
        patient_id=text(dataset, "PatientID") if keep_ids else None,
    )


def spacing_of(dataset: Dataset, keyword: str) -> Spacing | None:
    """(row, column) in mm, or None if it is not said, not positive or absurd."""
    found = numbers(dataset, keyword)
    if len(found) != 2 or not all(SPACING_MM[0] <= each <= SPACING_MM[1] for each in found):
        return None
    return found[0], found[1]


def is_synthetic(dataset: Dataset) -> bool:
    """Whether the file carries the mark of a phantom."""
    try:
        value = dataset.private_block(PRIVATE_GROUP, PRIVATE_CREATOR)[SYNTHETIC_ELEMENT].value
    except KeyError:
        return False
    # Without a dictionary of private elements, implicit files give its bytes.
    said = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)
    return said.strip("\0 ") == SYNTHETIC_VALUE


def mark_synthetic(dataset: Dataset) -> None:
    """Mark the data set as a phantom's."""
    block = dataset.private_block(PRIVATE_GROUP, PRIVATE_CREATOR, create=True)
    block.add_new(SYNTHETIC_ELEMENT, "LO", SYNTHETIC_VALUE)


def _meaning(dataset: Dataset, sequence: str) -> str | None:
    found = (text(item, "CodeMeaning") for item in items(dataset, sequence))
    return next(filter(None, found), None)
