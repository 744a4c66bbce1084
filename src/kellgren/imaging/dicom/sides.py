"""Which side a DICOM file says it shows, from every place that may say so."""

import re
from collections.abc import Iterator

from pydicom.dataset import Dataset

from kellgren.imaging.dicom.elements import items, text
from kellgren.imaging.header import Side, StatedSide

_VALUES: dict[str, Side] = {
    "R": "right",
    "L": "left",
    "B": "both",
    "RIGHT": "right",
    "LEFT": "left",
    "BOTH": "both",
}
"""Of the three laterality attributes, and what stands there though it should not."""

_TAGS = ("ImageLaterality", "FrameLaterality", "Laterality")
"""Of the picture, of its frame, and of the series: the narrower knows better."""

_CODES: dict[str, Side] = {
    "24028007": "right",
    "7771000": "left",
    "51440002": "both",
    "G-A100": "right",
    "G-A101": "left",
    "G-A102": "both",
}
"""DICOM PS3.16, CID 244 Laterality: SNOMED CT, and the SNOMED RT codes of older files."""
_SCHEMES = frozenset({"SCT", "SRT", "SNM3", "99SDM"})

_MODIFIERS = (
    ("AnatomicRegionSequence", "AnatomicRegionModifierSequence"),
    ("PrimaryAnatomicStructureSequence", "PrimaryAnatomicStructureModifierSequence"),
    ("ViewCodeSequence", "ViewModifierCodeSequence"),
)
"""Sequences whose items hold a sequence of modifiers. The meaning of a view itself is no side: in a
left lateral view the left side lies on the detector."""

_REGIONS = ("AnatomicRegionSequence", "PrimaryAnatomicStructureSequence")

_TEXTS = (
    "SeriesDescription",
    "ProtocolName",
    "AcquisitionDeviceProcessingDescription",
    "BodyPartExamined",
    "PerformedProcedureStepDescription",
    "RequestedProcedureDescription",
    "StudyDescription",
)
"""What a person or a console typed, from the narrow to the wide."""

_EDGE = r"[\s,;:_()\[\]^.+&-]"
"""A slash is no edge of a single letter: R/O means rule out."""
_BOTH = re.compile(
    r"\b(?:both|bilat(?:eral)?|beide|beidseits|bds|ambas|ambos)\b"
    r"|(?<![^\W_])(?:[rl]\s*[/+&]\s*[rl]|b/l|r\s+and\s+l|l\s+and\s+r)(?![^\W_])",
    re.IGNORECASE,
)
_RIGHT = re.compile(
    r"(?<![^\W_])(?:right|rt|rechts?|droite?|derech[ao]|destr[ao]|direit[ao])(?![^\W_])"
    rf"|(?:(?<={_EDGE})|^)r(?=(?:{_EDGE}|$))",
    re.IGNORECASE,
)
_LEFT = re.compile(
    r"(?<![^\W_])(?:left|lt|links?|gauche|izquierd[ao]|sinistr[ao]|esquerd[ao])(?![^\W_])"
    rf"|(?:(?<={_EDGE})|^)l(?=(?:{_EDGE}|$))",
    re.IGNORECASE,
)


def stated_sides(dataset: Dataset) -> Iterator[StatedSide]:
    """Every statement, the most trustworthy first: attributes, codes, then descriptions."""
    for tag in _TAGS:
        side = _VALUES.get((_attribute(dataset, tag) or "").upper())
        if side is not None:
            yield StatedSide(side, tag, coded=True)
    for sequence, modifiers in _MODIFIERS:
        sides = {
            _CODES[code]
            for item in items(dataset, sequence)
            for modifier in items(item, modifiers)
            if (code := text(modifier, "CodeValue")) in _CODES
            and (text(modifier, "CodingSchemeDesignator") or "") in _SCHEMES
        }
        if sides:
            yield StatedSide(_joined(sides), modifiers, coded=True)
    for sequence in _REGIONS:
        for item in items(dataset, sequence):
            side = side_in(text(item, "CodeMeaning") or "")
            if side is not None:
                yield StatedSide(side, sequence, coded=True)
    for tag in _TEXTS:
        side = side_in(text(dataset, tag) or "")
        if side is not None:
            yield StatedSide(side, tag, coded=False)


def side_in(words: str) -> Side | None:
    """The side that a description names in whole words: ``LT KNEE``, ``Knee R``, ``Knie rechts``.

    English, French, German, Italian, Portuguese and Spanish. Both words are both sides.
    """
    right, left = _RIGHT.search(words), _LEFT.search(words)
    if _BOTH.search(words) or (right and left):
        return "both"
    if right:
        return "right"
    return "left" if left else None


def _joined(sides: set[Side]) -> Side:
    return sides.pop() if len(sides) == 1 else "both"


def _attribute(dataset: Dataset, tag: str) -> str | None:
    """Of the data set, or of the functional groups of an enhanced object's only frame."""
    if tag != "FrameLaterality":
        return text(dataset, tag)
    for groups in ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"):
        for group in items(dataset, groups):
            for item in items(group, "FrameAnatomySequence"):
                found = text(item, tag)
                if found:
                    return found
    return text(dataset, tag)
