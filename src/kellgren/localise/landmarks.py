"""From heat maps to knees: peaks, put together by the joint's own proportions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
Peak = tuple[float, float, float]
"""(x, y, height) of a heat map's local maximum, in map cells."""

LEFT: Final = "tibial_plateau_image_left"
RIGHT: Final = "tibial_plateau_image_right"
MIDDLE: Final = "joint_middle"
FIBULA: Final = "fibula_head"

LANDMARKS: Final = (
    LEFT,
    RIGHT,
    "femoral_condyle_image_left",
    "femoral_condyle_image_right",
    MIDDLE,
    FIBULA,
)
"""In the words of the landmarks table, see docs/contracts.md."""

STRIDE: Final = 4
"""Pixels of the network's picture that a heat-map cell is wide."""

_REACH: Final = 0.25
"""Chosen: how far from its expected place, in plateau widths, a landmark's peak is looked for."""

_MOST: Final = 24
"""Chosen: peaks of a map that are looked at, so that a noisy one costs no more than others."""

_APART: Final = 0.6
"""Chosen: plateau widths between the middles of two knees; legs that touch are one apart."""


@dataclass(frozen=True, slots=True)
class Joint:
    """The landmarks of one knee.

    Parameters
    ----------
    places
        Landmark name → (x, y), for those that were found; `LEFT`, `RIGHT` and `MIDDLE` always are.
    certainty
        Landmark name → height of its peak, in [0, 1].
    """

    places: dict[str, Point]
    certainty: dict[str, float]

    @property
    def width(self) -> float:
        """Of the tibial plateau, in pixels."""
        (x0, y0), (x1, y1) = self.places[LEFT], self.places[RIGHT]
        return float(np.hypot(x1 - x0, y1 - y0))

    @property
    def tilt_deg(self) -> float:
        """Of the tibial plateau against the picture's rows; positive falls to the right."""
        (x0, y0), (x1, y1) = self.places[LEFT], self.places[RIGHT]
        return float(np.degrees(np.arctan2(y1 - y0, x1 - x0)))

    def on_square_pixels(self, pixel_aspect: float) -> "Joint":
        """The joint as it would lie on pixels that are as high as they are wide.

        There its width and tilt are those of the bone. ``pixel_aspect`` is the height of a film
        pixel over its width; y is then in widths.
        """
        places = {name: (x, y * pixel_aspect) for name, (x, y) in self.places.items()}
        return replace(self, places=places)

    @property
    def confidence(self) -> float:
        """The geometric mean of the three landmarks that a region needs."""
        heights = [self.certainty[name] for name in (LEFT, RIGHT, MIDDLE)]
        return float(np.prod(heights) ** (1.0 / 3.0))

    @property
    def fibula_side(self) -> float:
        """How far the fibula lies to the image's right, −1 to 1; 0 where it was not found."""
        if FIBULA not in self.places:
            return 0.0
        offset = (self.places[FIBULA][0] - self.places[MIDDLE][0]) / self.width
        return float(np.clip(2.0 * offset, -1.0, 1.0)) * self.certainty[FIBULA]


def peaks(heat: NDArray[np.float32], threshold: float) -> list[Peak]:
    """Local maxima of one map (h, w), highest first, placed between cells by their neighbours."""
    # mirrored, so that a maximum at the border is placed on it and not beyond
    padded = np.pad(heat, 1, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    rows, columns = np.nonzero((heat >= windows.max((-2, -1))) & (heat >= threshold))
    found = []
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        logs = np.log(np.maximum(windows[row, column], 1e-6))
        dx, dy = _vertex(*logs[1]), _vertex(*logs[:, 1])
        found.append((column + dx, row + dy, float(heat[row, column])))
    return sorted(found, key=lambda peak: -peak[2])[:_MOST]


def _vertex(before: float, at: float, after: float) -> float:
    """Where the parabola through three logarithms is highest: exact for a Gaussian."""
    bend = before - 2.0 * at + after
    return float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend < 0.0 else 0.0


def joints(
    heat: NDArray[np.float32], names: Sequence[str], *, threshold: float
) -> tuple[Joint, ...]:
    """Every knee of a heat map (K, h, w), in map cells, most certain first.

    A joint's middle needs a plateau end on either side of it, alike in distance and level.
    """
    by_name = {name: peaks(heat[k], threshold) for k, name in enumerate(names)}
    found = []
    for middle in by_name[MIDDLE]:
        pairs = [
            (score, left, right)
            for left in by_name[LEFT]
            for right in by_name[RIGHT]
            if (score := _fit(middle, left, right)) > 0.0
        ]
        if pairs:
            _, left, right = max(pairs)
            found.append(_joint(middle, left, right, by_name))
    return distinct(found)


def distinct(found: Iterable[Joint]) -> tuple[Joint, ...]:
    """The joints, most certain first, without those that lie where a more certain one does."""
    kept: list[Joint] = []
    for joint in sorted(found, key=lambda each: -each.confidence):
        if all(_apart(joint, other) for other in kept):
            kept.append(joint)
    return tuple(kept)


def central_joint(
    heat: NDArray[np.float32], names: Sequence[str], *, centre: Point
) -> Joint | None:
    """The most certain knee around a map's cell ``centre``, however uncertain; None without any."""
    for joint in joints(heat, names, threshold=0.05):
        x, y = joint.places[MIDDLE]
        if np.hypot(x - centre[0], y - centre[1]) < 0.5 * joint.width:
            return joint
    return None


def _fit(middle: Peak, left: Peak, right: Peak) -> float:
    """How well two plateau ends go with a middle; 0 where they cannot."""
    x0, y0, _ = left
    x1, y1, _ = right
    width = float(np.hypot(x1 - x0, y1 - y0))
    if x1 <= x0 or abs(y1 - y0) > 0.6 * width:
        return 0.0
    off = np.hypot((x0 + x1) / 2.0 - middle[0], (y0 + y1) / 2.0 - middle[1]) / width
    if off > _REACH:
        return 0.0
    return float(left[2] * right[2] * np.exp(-((off / 0.1) ** 2)))


def _joint(middle: Peak, left: Peak, right: Peak, by_name: dict[str, list[Peak]]) -> Joint:
    places: dict[str, Point] = {}
    certainty: dict[str, float] = {}

    def put(name: str, peak: Peak) -> None:
        places[name] = (peak[0], peak[1])
        certainty[name] = min(peak[2], 1.0)

    put(LEFT, left)
    put(RIGHT, right)
    put(MIDDLE, middle)
    width = right[0] - left[0]
    level = (left[1] + right[1]) / 2.0
    expected = {
        # the condyles end a little above the plateau, the fibula's tip a third below it
        "femoral_condyle_image_left": ((left[0], level - 0.35 * width),),
        "femoral_condyle_image_right": ((right[0], level - 0.35 * width),),
        FIBULA: (
            (left[0] + 0.05 * width, level + 0.25 * width),
            (right[0] - 0.05 * width, level + 0.25 * width),
        ),
    }
    for name, spots in expected.items():
        near = [
            peak
            for peak in by_name.get(name, ())
            if any(np.hypot(peak[0] - x, peak[1] - y) < 1.4 * _REACH * width for x, y in spots)
        ]
        if near:
            put(name, near[0])
    return Joint(places, certainty)


def _apart(joint: Joint, other: Joint) -> bool:
    (x0, y0), (x1, y1) = joint.places[MIDDLE], other.places[MIDDLE]
    return float(np.hypot(x1 - x0, y1 - y0)) > _APART * max(joint.width, other.width)
