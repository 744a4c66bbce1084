"""The words of the knee: sides, compartments and what can be graded.

Every other room names its tasks with the constants below. A task is found by its name, never by
its position in an array.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Kind = Literal["ordinal", "nominal", "multilabel"]
Unit = Literal["knee", "image", "exam"]


class Laterality(StrEnum):
    """Which leg a knee belongs to, in the words of DICOM's Image Laterality (0020,0062)."""

    LEFT = "left"
    RIGHT = "right"
    UNKNOWN = "unknown"

    @property
    def mirrored(self) -> "Laterality":
        """The side that the same picture shows after it was flipped left to right."""
        return _MIRRORED[self]


_MIRRORED = {
    Laterality.LEFT: Laterality.RIGHT,
    Laterality.RIGHT: Laterality.LEFT,
    Laterality.UNKNOWN: Laterality.UNKNOWN,
}


class Compartment(StrEnum):
    """The two tibiofemoral compartments. Lateral is the side of the fibula."""

    LATERAL = "lateral"
    MEDIAL = "medial"


@dataclass(frozen=True, slots=True)
class Task:
    """Something that can be graded: its name, its scale and what it is a property of.

    Parameters
    ----------
    name
        The name used in code, ONNX outputs, JSON and tables, such as ``jsn_medial``.
    title
        The name that a reader of a report sees.
    kind
        ``ordinal`` grades have an order and an expected value, ``nominal`` ones have none,
        ``multilabel`` ones are present or absent.
    unit
        What is graded: a knee, one image, or a whole examination.
    classes
        The labels, in order. A grade is an index into them.
    """

    name: str
    title: str
    kind: Kind
    unit: Unit
    classes: tuple[str, ...]

    @property
    def ordinal(self) -> bool:
        """Whether the classes have an order."""
        return self.kind == "ordinal"


_OARSI = ("0", "1", "2", "3")
_ABSENT_PRESENT = ("absent", "present")


def _oarsi(name: str, title: str) -> Task:
    return Task(name, title, "ordinal", "knee", _OARSI)


KL = Task("kl", "Kellgren–Lawrence grade", "ordinal", "knee", ("0", "1", "2", "3", "4"))
"""Kellgren and Lawrence, Ann Rheum Dis 16:494 (1957), doi:10.1136/ard.16.4.494."""

OSTEOPHYTE_FEMORAL_LATERAL = _oarsi("osteophyte_femoral_lateral", "Femoral osteophyte, lateral")
OSTEOPHYTE_FEMORAL_MEDIAL = _oarsi("osteophyte_femoral_medial", "Femoral osteophyte, medial")
OSTEOPHYTE_TIBIAL_LATERAL = _oarsi("osteophyte_tibial_lateral", "Tibial osteophyte, lateral")
OSTEOPHYTE_TIBIAL_MEDIAL = _oarsi("osteophyte_tibial_medial", "Tibial osteophyte, medial")
JSN_LATERAL = _oarsi("jsn_lateral", "Joint-space narrowing, lateral")
JSN_MEDIAL = _oarsi("jsn_medial", "Joint-space narrowing, medial")

OARSI_FEATURES = (
    OSTEOPHYTE_FEMORAL_LATERAL,
    OSTEOPHYTE_TIBIAL_LATERAL,
    JSN_LATERAL,
    OSTEOPHYTE_FEMORAL_MEDIAL,
    OSTEOPHYTE_TIBIAL_MEDIAL,
    JSN_MEDIAL,
)
"""The six features graded 0–3 by the OARSI atlas, doi:10.1016/j.joca.2006.11.009."""

SCLEROSIS = tuple(
    _oarsi(f"sclerosis_{bone}_{side}", f"Sclerosis, {bone} {side}")
    for bone in ("femoral", "tibial")
    for side in Compartment
)
ATTRITION = tuple(_oarsi(f"attrition_{side}", f"Attrition, {side}") for side in Compartment)

VIEW = Task("view", "View", "nominal", "image", ("ap", "lateral", "oblique", "axial", "other"))
OA_SIDE = tuple(
    Task(f"oa_side_{part}", f"Osteoarthritis, {part}", "multilabel", "exam", _ABSENT_PRESENT)
    for part in ("medial", "lateral", "patellofemoral")
)
OSTEONECROSIS = Task("osteonecrosis", "Osteonecrosis", "multilabel", "exam", _ABSENT_PRESENT)

IMPLANT_TYPES = (
    "any",
    "tka",
    "uka",
    "plate",
    "im_nail",
    "cerclage",
    "k_wires",
    "staple",
    "external_fixation",
    "screws",
    "ligament",
)
"""The implants that the examinations of doi:10.1186/s12891-021-04722-7 were labelled with."""

IMPLANTS = tuple(
    Task(f"implant_{kind}", f"Implant: {kind}", "multilabel", "exam", _ABSENT_PRESENT)
    for kind in IMPLANT_TYPES
)

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        KL,
        *OARSI_FEATURES,
        *SCLEROSIS,
        *ATTRITION,
        VIEW,
        *OA_SIDE,
        OSTEONECROSIS,
        *IMPLANTS,
    )
}
"""Every task by name."""
