"""Knees on whole films: one look at the film, then a close look at every knee."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.bundles.runtime import OnnxRuntime, available_cores
from kellgren.bundles.store import MODEL
from kellgren.imaging import Frame, Radiograph, RegionSpec, cut_region
from kellgren.localise.bundle import LocaliserBundle
from kellgren.localise.gate import knee_gate
from kellgren.localise.landmarks import MIDDLE, Joint, central_joint, joints
from kellgren.localise.localiser import Found
from kellgren.records import BundleReference, LateralitySource, ScaleSource

OPEN_REGION_WIDTHS = 1.25
"""Plateau widths a side of a region that comes cut, as kneeKL299's: what ``whole_picture`` means
on a whole film."""

_MULTIPLE = 32
"""Sides of the graph's input are multiples of this."""

_SURE = 0.25
"""Chosen: certainty × place of the fibula from which it decides the side."""


@dataclass(frozen=True, slots=True)
class _Side:
    laterality: Laterality
    source: LateralitySource
    conflict: bool = False


class LearnedLocaliser:
    """Finds knees with a bundle's heat maps.

    Parameters
    ----------
    bundle
        From `load_localiser`.
    threads
        Of one inference; None means all cores.
    """

    def __init__(self, bundle: LocaliserBundle, *, threads: int | None = None) -> None:
        self.bundle = bundle
        self._graph = OnnxRuntime(bundle.contents[MODEL], threads=threads or available_cores())

    @property
    def reference(self) -> BundleReference:
        """Which bundle looked."""
        return self.bundle.reference

    def find(
        self, film: Radiograph, spec: RegionSpec, *, laterality: Laterality | None
    ) -> tuple[Found, ...]:
        """Every knee, from the film's left to its right.

        Raises
        ------
        ScaleUnknown
            The specification is in millimetres and the film has no spacing.
        """
        found = self.joints(film)
        sides = _sides(found, film, laterality)
        knees = []
        for joint, side in zip(found, sides, strict=True):
            frame, scale_source = self._region(joint, film, spec)
            gate, warnings = knee_gate(film, frame, joint)
            if side.conflict:
                warnings = (*warnings, "LATERALITY_CONFLICT")
            knees.append(
                Found(
                    frame=frame,
                    laterality=side.laterality,
                    laterality_source=side.source,
                    scale_source=scale_source,
                    confidence=round(joint.confidence, 4),
                    gate=gate,
                    warnings=warnings,
                    landmarks=joint.places,
                )
            )
        return tuple(knees)

    def joints(self, film: Radiograph) -> tuple[Joint, ...]:
        """The landmarks of every knee in film pixels, from the film's left to its right."""
        record = self.bundle.record
        rows, columns = film.shape
        longest = float(max(rows, columns))
        whole = Frame.of_box(0.0, 0.0, longest, longest, size_px=record.film.size_px)
        seen = joints(self._look(film, whole), record.landmarks, threshold=record.first_look)
        accepted: list[Joint] = []
        for candidate in seen:
            joint = self._closer(film, _onto_film(candidate, whole))
            if joint is None or joint.confidence < record.accepted:
                continue
            if all(_apart(joint, other) for other in accepted):
                accepted.append(joint)
        return tuple(sorted(accepted, key=lambda joint: joint.places[MIDDLE][0]))

    def _closer(self, film: Radiograph, candidate: Joint) -> Joint | None:
        """The same knee, looked at closely; None if there is none after all."""
        record = self.bundle.record
        x, y = candidate.places[MIDDLE]
        half = record.zoom * candidate.width / 2.0
        rows, columns = film.shape
        if not (-half < x < columns + half and -half < y < rows + half):
            return None
        frame = Frame.of_box(
            x + 0.5 - half, y + 0.5 - half, x + 0.5 + half, y + 0.5 + half,
            size_px=record.film.size_px,
        )  # fmt: skip
        joint = central_joint(self._look(film, frame), record.landmarks)
        return None if joint is None else _onto_film(joint, frame)

    def _look(self, film: Radiograph, frame: Frame) -> NDArray[np.float32]:
        """Heat maps (K, h, w) of a part of a film."""
        record = self.bundle.record
        region = cut_region(film, frame, record.film)
        rows, columns = film.shape
        _, _, x1, y1 = frame.edges
        # beyond the film's right and lower edge there is nothing to look at
        needed = [
            _up_to_multiple(min(1.0, (edge - start) / (end - start)) * record.film.size_px)
            for edge, start, end in (
                (rows, frame.edges[1], y1),
                (columns, frame.edges[0], x1),
            )
        ]
        pixels = region.pixels[: needed[0], : needed[1]]
        heat: NDArray[np.float32] = self._graph.run(film=pixels[None, None])["heatmap"][0]
        return heat

    def _region(
        self, joint: Joint, film: Radiograph, spec: RegionSpec
    ) -> tuple[Frame, ScaleSource]:
        source: ScaleSource = "plateau_width"
        side = OPEN_REGION_WIDTHS * joint.width
        if spec.side_unit == "plateau_width" and spec.side is not None:
            side = spec.side * joint.width
        elif spec.side_unit == "mm_detector" and spec.side is not None:
            if film.detector_spacing_mm is None:
                raise errors.ScaleUnknown(
                    "this bundle's region is in millimetres and the film has no pixel spacing. "
                    "Give --spacing-mm."
                )
            side, source = spec.side / film.detector_spacing_mm[1], "spacing"
        angle = np.deg2rad(joint.tilt_deg)
        across, down = self.bundle.record.centre
        x, y = joint.places[MIDDLE]
        x += float(np.cos(angle) * across - np.sin(angle) * down) * joint.width + 0.5
        y += float(np.sin(angle) * across + np.cos(angle) * down) * joint.width + 0.5
        half = side / 2.0
        return (
            Frame.of_box(x - half, y - half, x + half, y + half, size_px=spec.size_px),
            source,
        )


def _onto_film(joint: Joint, frame: Frame) -> Joint:
    """Heat-map cells → film pixels."""
    cells_to_crop = {
        name: ((x + 0.5) * 4.0 - 0.5, (y + 0.5) * 4.0 - 0.5)
        for name, (x, y) in joint.places.items()
    }
    moved = {}
    for name, place in cells_to_crop.items():
        x, y = frame.to_film(place).tolist()
        moved[name] = (float(x), float(y))
    return replace(joint, places=moved)


def _up_to_multiple(pixels: float) -> int:
    return max(int(np.ceil(pixels / _MULTIPLE)), 1) * _MULTIPLE


def _apart(joint: Joint, other: Joint) -> bool:
    (x0, y0), (x1, y1) = joint.places[MIDDLE], other.places[MIDDLE]
    return float(np.hypot(x1 - x0, y1 - y0)) > 0.6 * min(joint.width, other.width)


def _sides(found: Sequence[Joint], film: Radiograph, given: Laterality | None) -> tuple[_Side, ...]:
    """Given by the user > tag > place in a two-knee film > the fibula > unknown."""
    known = given is not None and given is not Laterality.UNKNOWN
    tag = film.header.laterality
    if len(found) == 1 and given is not None and known:
        conflict = tag not in {Laterality.UNKNOWN, given}
        return (_Side(given, "user", conflict),)
    if len(found) == 1 and tag is not Laterality.UNKNOWN:
        return (_Side(tag, "tag"),)
    if len(found) == 2:
        # the patient's right knee is shown at the film's left
        conflict = known or tag is not Laterality.UNKNOWN
        return (
            _Side(Laterality.RIGHT, "place", conflict),
            _Side(Laterality.LEFT, "place", conflict),
        )
    return tuple(_by_fibula(joint) for joint in found)


def _by_fibula(joint: Joint) -> _Side:
    evidence = joint.fibula_side
    if abs(evidence) < _SURE:
        return _Side(Laterality.UNKNOWN, "unknown")
    # the fibula is lateral: at the image's left of a right knee
    return _Side(Laterality.RIGHT if evidence < 0.0 else Laterality.LEFT, "landmarks")
