"""Knees on whole films: one look at the film, then a close look at every knee."""

import math
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.bundles.runtime import OnnxRuntime, available_cores
from kellgren.bundles.store import MODEL
from kellgren.imaging import Frame, Radiograph, RegionSpec, cut_region
from kellgren.localise.bundle import MULTIPLE, LocaliserBundle
from kellgren.localise.gate import knee_gate
from kellgren.localise.landmarks import (
    MIDDLE,
    STRIDE,
    Joint,
    Point,
    central_joint,
    distinct,
    joints,
)
from kellgren.localise.localiser import Found
from kellgren.localise.sides import sides
from kellgren.records import BundleReference, ScaleSource

OPEN_REGION_WIDTHS = 1.25
"""Plateau widths a side of a region that comes cut, as kneeKL299's: what ``whole_picture`` means
on a whole film."""


class Graph(Protocol):
    """What makes heat maps: ``film`` (1, 1, H, W) → ``heatmap`` (1, K, H/4, W/4)."""

    def run(self, **inputs: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Every output by name for the graph's inputs by name."""
        ...


class LearnedLocaliser:
    """Finds knees with a bundle's heat maps.

    Parameters
    ----------
    bundle
        From `load_localiser`.
    graph
        What runs instead of the bundle's graph.
    threads
        Of one inference; None means all cores.

    Raises
    ------
    BundleInvalid
        The graph does not give one map for each landmark.
    """

    def __init__(
        self, bundle: LocaliserBundle, *, graph: Graph | None = None, threads: int | None = None
    ) -> None:
        self.bundle = bundle
        self._graph = graph or OnnxRuntime(
            bundle.contents[MODEL], threads=threads or available_cores()
        )
        self._refuse_other_maps()

    @property
    def reference(self) -> BundleReference:
        """Which bundle looked."""
        return self.bundle.reference

    @property
    def synthetic(self) -> bool:
        """Whether it learned from phantoms only."""
        return self.bundle.record.synthetic

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
        told = sides(
            [joint.places[MIDDLE] for joint in found],
            film.header,
            laterality,
            fibulas=[joint.fibula_side for joint in found],
        )
        knees = []
        for joint, side in zip(found, told, strict=True):
            frame, scale_source = self._region(joint, film, spec)
            gate, warnings = knee_gate(film, frame, joint)
            knees.append(
                Found(
                    frame=frame,
                    laterality=side.laterality,
                    laterality_source=side.source,
                    scale_source=scale_source,
                    confidence=round(joint.confidence, 4),
                    gate=gate,
                    warnings=(*warnings, *side.warnings),
                    landmarks=joint.places,
                    half_seen=joint.half_seen,
                )
            )
        return tuple(knees)

    def joints(self, film: Radiograph) -> tuple[Joint, ...]:
        """The landmarks of every knee in film pixels, from the film's left to its right."""
        record = self.bundle.record
        rows, columns = film.shape
        longest = float(max(rows, columns))
        whole = Frame.of_box(0.0, 0.0, longest, longest, size_px=record.film.size_px)
        seen = joints(
            self._look(film, whole),
            record.landmarks,
            threshold=record.first_look,
            film=_across(film, whole),
        )
        closer = (self._closer(film, _onto_film(candidate, whole)) for candidate in seen)
        found = distinct([joint for joint in closer if joint is not None])
        sure = [joint for joint in found if joint.confidence >= record.accepted]
        beside = [
            joint
            for joint in found
            if joint.confidence < record.accepted
            and joint.confidence >= record.beside
            and any(_alike(joint, other) for other in sure)
        ]
        return tuple(sorted((*sure, *beside), key=lambda joint: joint.places[MIDDLE][0]))

    def _closer(self, film: Radiograph, candidate: Joint) -> Joint | None:
        """The same knee, looked at closely; None if there is none on the film after all."""
        record = self.bundle.record
        x, y = candidate.places[MIDDLE]
        half = record.zoom * candidate.width / 2.0
        if not _shows(film, (x, y)):
            return None
        frame = Frame.of_box(
            x + 0.5 - half, y + 0.5 - half, x + 0.5 + half, y + 0.5 + half,
            size_px=record.film.size_px,
        )  # fmt: skip
        middle = (record.film.size_px / STRIDE - 1.0) / 2.0
        found = central_joint(
            self._look(film, frame),
            record.landmarks,
            centre=(middle, middle),
            film=_across(film, frame),
        )
        joint = None if found is None else _onto_film(found, frame)
        return joint if joint is not None and _shows(film, joint.places[MIDDLE]) else None

    def _look(self, film: Radiograph, frame: Frame) -> NDArray[np.float32]:
        """Heat maps (K, h, w) of a part of a film, from the part's upper left corner."""
        record = self.bundle.record
        region = cut_region(film, frame, record.film)
        rows, columns = film.shape
        x0, y0, x1, y1 = frame.edges
        # beyond the film's right and lower edge there is nothing to look at
        needed = [
            _up_to_multiple(min(1.0, (edge - start) / (end - start)) * record.film.size_px)
            for edge, start, end in ((rows, y0, y1), (columns, x0, x1))
        ]
        pixels = region.pixels[: needed[0], : needed[1]]
        heat: NDArray[np.float32] = self._graph.run(film=pixels[None, None])["heatmap"][0]
        return heat

    def _refuse_other_maps(self) -> None:
        """One small empty picture shows what the graph gives."""
        sides = (MULTIPLE, 2 * MULTIPLE)
        wanted = (1, len(self.bundle.record.landmarks), sides[0] // STRIDE, sides[1] // STRIDE)
        outputs = self._graph.run(film=np.zeros((1, 1, *sides), dtype=np.float32))
        if "heatmap" not in outputs or outputs["heatmap"].shape != wanted:
            raise errors.BundleInvalid(
                f"{self.bundle.record.name}: its graph does not give one heat map for each "
                "landmark of its record. Export it again."
            )

    def _region(
        self, joint: Joint, film: Radiograph, spec: RegionSpec
    ) -> tuple[Frame, ScaleSource]:
        source: ScaleSource = "plateau_width"
        # pixels need not be square: lengths are in widths of a pixel
        high, wide = film.detector_spacing_mm or film.pixel_spacing_mm or (1.0, 1.0)
        aspect = high / wide
        bone = joint.on_square_pixels(aspect)
        side = OPEN_REGION_WIDTHS * bone.width
        if spec.side_unit == "plateau_width" and spec.side is not None:
            side = spec.side * bone.width
        elif spec.side_unit == "mm_detector" and spec.side is not None:
            if film.detector_spacing_mm is None:
                raise errors.ScaleUnknown(
                    "this bundle's region is in millimetres and the film has no pixel spacing. "
                    "Give --spacing-mm."
                )
            side = spec.side / wide
            source = "spacing"
        x, y = self._centre(bone, aspect)
        half_x, half_y = side / 2.0, side / aspect / 2.0
        frame = Frame.of_box(x - half_x, y - half_y, x + half_x, y + half_y, size_px=spec.size_px)
        if spec.align_plateau:
            frame = frame.rotate(bone.tilt_deg, pixel_aspect=aspect)
        return frame, source

    def _centre(self, bone: Joint, aspect: float) -> Point:
        """Of a region, in film edges: from the joint's middle, along and across the plateau."""
        angle = np.deg2rad(bone.tilt_deg)
        cos, sin = float(np.cos(angle)), float(np.sin(angle))
        along, across = self.bundle.record.centre
        x, y = bone.places[MIDDLE]
        return (
            x + 0.5 + (cos * along - sin * across) * bone.width,
            (y + 0.5 * aspect + (sin * along + cos * across) * bone.width) / aspect,
        )


def _across(film: Radiograph, frame: Frame) -> tuple[float, float]:
    """Between which columns of the heat map of a frame the film lies; infinite where it goes on."""
    (x0, _, x1, _), columns = frame.edges, film.shape[1]
    cell = STRIDE * (x1 - x0) / frame.size_px
    first = -x0 / cell - 0.5 if x0 <= 0.0 else -math.inf
    return first, (columns - x0) / cell - 0.5 if x1 >= columns else math.inf


def _shows(film: Radiograph, place: Point) -> bool:
    """Whether a place lies on a film."""
    rows, columns = film.shape
    return 0.0 <= place[0] + 0.5 <= columns and 0.0 <= place[1] + 0.5 <= rows


def _alike(joint: Joint, other: Joint) -> bool:
    """Whether two knees of one film can be one person's: nearly as wide, and side by side."""
    (x0, y0), (x1, y1) = joint.places[MIDDLE], other.places[MIDDLE]
    wider = max(joint.width, other.width)
    return min(joint.width, other.width) > 0.75 * wider and abs(x1 - x0) > max(
        abs(y1 - y0), 0.8 * wider
    )


def _onto_film(joint: Joint, frame: Frame) -> Joint:
    """Heat-map cells → film pixels."""
    moved = {}
    for name, (column, row) in joint.places.items():
        in_crop = ((column + 0.5) * STRIDE - 0.5, (row + 0.5) * STRIDE - 0.5)
        x, y = frame.to_film(in_crop).tolist()
        moved[name] = (float(x), float(y))
    return replace(joint, places=moved)


def _up_to_multiple(pixels: float) -> int:
    return max(int(np.ceil(pixels / MULTIPLE)), 1) * MULTIPLE
