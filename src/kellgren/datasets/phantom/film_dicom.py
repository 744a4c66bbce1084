"""A phantom film becomes a DICOM file: every attribute that its class of objects requires.

Names in the comments are those of DICOM PS3.3. Nothing depends on when or where a file is written.
"""

import hashlib
import io
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from kellgren.anatomy import Laterality
from kellgren.datasets.phantom.film import TOP, PhantomFilm
from kellgren.datasets.phantom.film_drawing import draw_film
from kellgren.files import write_atomically

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_DATE: Final = "20000101"
_TIME: Final = "120000"
"""Nobody was filmed, so there is no day; readers expect one."""

_UIDS: Final = uuid.UUID("379b1f4f-c542-4a61-af18-abdc16a9709f")
"""Random; the name space of version 5 UUIDs, which stand below 2.25 (DICOM PS3.5, annex B.2), so
that no organisation's root is needed."""

_KNEE: Final = ("72696002", "Knee")
_POSTERO_ANTERIOR: Final = ("272479007", "postero-anterior")
"""SNOMED CT, of the context groups 4009 and 4010 (DICOM PS3.16)."""


def write_film(film: PhantomFilm, path: Path, *, patient: str | None = None) -> str:
    """Draw a phantom film and write it as a DICOM file, whole or not at all.

    Parameters
    ----------
    film
        What to draw.
    path
        The file, replaced if it is there.
    patient
        ``phantom-…``; by default after the film's seed.

    Returns
    -------
    str
        The SHA-256 of the file's bytes, which film and patient decide.
    """
    return write_drawn(film, draw_film(film), path, patient=patient)


def write_drawn(
    film: PhantomFilm, pixels: NDArray[np.uint16], path: Path, *, patient: str | None = None
) -> str:
    """As `write_film`, of a film that was drawn already."""
    content = _encoded(film, pixels, patient or f"phantom-{film.seed}")
    with write_atomically(path, binary=True) as stream:
        stream.write(content)
    return hashlib.sha256(content).hexdigest()


def _encoded(film: PhantomFilm, pixels: NDArray[np.uint16], patient: str) -> bytes:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import (
        UID,
        ComputedRadiographyImageStorage,
        DigitalXRayImageStorageForPresentation,
        ExplicitVRLittleEndian,
    )

    from kellgren.imaging.dicom import mark_synthetic

    dataset = Dataset()
    dataset.SOPClassUID = (
        DigitalXRayImageStorageForPresentation
        if film.modality == "DX"
        else ComputedRadiographyImageStorage
    )
    inverse = film.photometric == "MONOCHROME1"
    stored = np.ascontiguousarray(TOP - pixels if inverse else pixels, dtype="<u2").tobytes()
    content = hashlib.sha256(stored).hexdigest()
    dataset.SOPInstanceUID = _uid("instance", patient, repr(film), content)
    _describe_study(dataset, patient)
    _describe_equipment(dataset, film)
    _describe_anatomy(dataset, film)
    _describe_picture(dataset, film)
    dataset.add_new("PixelData", "OW", stored)
    mark_synthetic(dataset)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.ImplementationClassUID = UID(_uid("implementation"))
    dataset.file_meta.ImplementationVersionName = "KELLGREN_PHANTOM"
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _describe_study(dataset: "Dataset", patient: str) -> None:
    number = patient.partition("-")[2] or patient
    # Patient
    dataset.PatientName = f"Phantom^{number}"
    dataset.PatientID = f"PHANTOM-{number}"
    dataset.PatientBirthDate = ""
    dataset.PatientSex = ""
    # General Study
    dataset.StudyInstanceUID = _uid("study", patient)
    dataset.StudyDate = _DATE
    dataset.StudyTime = _TIME
    dataset.ReferringPhysicianName = ""
    dataset.StudyID = "1"
    dataset.AccessionNumber = ""
    # General Series
    dataset.SeriesInstanceUID = _uid("series", patient)
    dataset.SeriesNumber = 1
    dataset.SeriesDate = _DATE
    dataset.SeriesTime = _TIME


def _describe_equipment(dataset: "Dataset", film: PhantomFilm) -> None:
    dataset.Modality = film.modality
    dataset.Manufacturer = "Kellgren"
    dataset.ManufacturerModelName = "Phantom"
    if film.modality == "DX":
        # DX Series, DX Detector, Acquisition Context, DX Positioning
        dataset.PresentationIntentType = "FOR PRESENTATION"
        dataset.DetectorType = ""
        dataset.AcquisitionContextSequence = []
        dataset.PositionerType = ""
    else:
        # CR Series, CR Image
        dataset.PlateType = ""
    dataset.ImagerPixelSpacing = [film.spacing_mm, film.spacing_mm]
    dataset.PixelSpacing = [film.spacing_mm, film.spacing_mm]


def _describe_anatomy(dataset: "Dataset", film: PhantomFilm) -> None:
    dataset.BodyPartExamined = "KNEE"
    dataset.ViewPosition = "PA"
    # Rows run to the patient's left, columns to the feet: the right knee is at the film's left.
    dataset.PatientOrientation = ["L", "F"]
    if len(film.knees) == 1:
        is_right = film.knees[0].laterality is Laterality.RIGHT
        dataset.ImageLaterality = "R" if is_right else "L"
    elif film.modality == "DX":
        # DX Anatomy Imaged requires it, and has a word for both.
        dataset.ImageLaterality = "B"
    else:
        # General Series has none: a CR film of both says nothing.
        dataset.Laterality = ""
    if film.modality == "DX":
        # DX Anatomy Imaged, DX Positioning
        dataset.AnatomicRegionSequence = [_code(*_KNEE)]
        dataset.ViewCodeSequence = [_code(*_POSTERO_ANTERIOR)]
        dataset.ViewCodeSequence[0].ViewModifierCodeSequence = []


def _describe_picture(dataset: "Dataset", film: PhantomFilm) -> None:
    inverse = film.photometric == "MONOCHROME1"
    # General Image
    dataset.InstanceNumber = 1
    dataset.ImageType = ["ORIGINAL", "PRIMARY", ""]
    dataset.AcquisitionDate = _DATE
    dataset.AcquisitionTime = _TIME
    dataset.ContentDate = _DATE
    dataset.ContentTime = _TIME
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"
    # Image Pixel
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = film.photometric
    dataset.Rows, dataset.Columns = film.size
    dataset.BitsAllocated = 16
    dataset.BitsStored = 12
    dataset.HighBit = 11
    dataset.PixelRepresentation = 0
    if film.modality == "DX":
        # DX Image; dense pixels got few rays
        dataset.PixelIntensityRelationship = "LOG"
        dataset.PixelIntensityRelationshipSign = 1 if inverse else -1
    dataset.RescaleIntercept = 0
    dataset.RescaleSlope = 1
    dataset.RescaleType = "US"
    dataset.PresentationLUTShape = "INVERSE" if inverse else "IDENTITY"
    # VOI LUT: all of it
    dataset.WindowCenter = (TOP + 1) // 2
    dataset.WindowWidth = TOP + 1


def _code(value: str, meaning: str) -> "Dataset":
    from pydicom.dataset import Dataset

    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = "SCT"
    item.CodeMeaning = meaning
    return item


def _uid(*parts: str) -> str:
    return f"2.25.{uuid.uuid5(_UIDS, ' '.join(parts)).int}"
