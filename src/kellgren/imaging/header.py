"""What a file says about its film beside the pixels."""

from dataclasses import dataclass, field
from typing import Literal

from kellgren.anatomy import Laterality

Side = Literal["left", "right", "both"]


@dataclass(frozen=True, slots=True)
class StatedSide:
    """One statement about the side.

    Parameters
    ----------
    side
        ``both`` for a film of two knees.
    tag
        The keyword of the DICOM attribute that says so, such as ``ImageLaterality``.
    coded
        Said in a coded value, not read out of a description that a person typed.
    """

    side: Side
    tag: str
    coded: bool


@dataclass(frozen=True, slots=True)
class Header:
    """Tags of a DICOM file, checked and in our words; empty for ordinary pictures.

    Texts are those of the peer, without control characters and cut to 64: they may be shown, and
    are never a path, a query or a format. Names of persons are not read at all.

    Parameters
    ----------
    sides
        Every statement about the side, the most trustworthy first.
    view
        Such as ``AP`` or ``PA``.
    body_part, modality
        Such as ``KNEE`` and ``DX``.
    patient_orientation
        Anatomical directions of the rows and columns, such as ``("R", "F")``; empty if not said.
    study_uid, sop_uid
        Digits and dots only.
    pixel_spacing_mm
        (row, column) of Pixel Spacing: in the detector's plane unless ``spacing_calibration`` says
        that it was corrected.
    spacing_calibration
        ``GEOMETRY`` or ``FIDUCIAL``: Pixel Spacing is that of a plane in the patient.
    imager_pixel_spacing_mm
        (row, column) of Imager Pixel Spacing, in the detector's plane.
    magnification
        Estimated Radiographic Magnification Factor. Recorded, never assumed.
    patient_id
        An identifier of a person. None unless the reader was told to keep it, and not in ``repr``.
    """

    sides: tuple[StatedSide, ...] = ()
    view: str | None = None
    body_part: str | None = None
    modality: str | None = None
    patient_orientation: tuple[str, ...] = ()
    study_uid: str | None = None
    sop_uid: str | None = None
    pixel_spacing_mm: tuple[float, float] | None = None
    spacing_calibration: str | None = None
    imager_pixel_spacing_mm: tuple[float, float] | None = None
    magnification: float | None = None
    patient_id: str | None = field(default=None, repr=False)

    @property
    def laterality(self) -> Laterality:
        """What the most trustworthy statement says; unknown without any, and for two knees."""
        if self.sides and self.sides[0].side != "both":
            return Laterality(self.sides[0].side)
        return Laterality.UNKNOWN

    @property
    def bilateral(self) -> bool:
        """Whether the most trustworthy statement is that both knees are on the film."""
        return bool(self.sides) and self.sides[0].side == "both"

    @property
    def sides_contradict(self) -> bool:
        """Whether one statement says left and another right."""
        return {"left", "right"} <= {stated.side for stated in self.sides}
