"""From heat maps to knees: peaks, put together by the joint's own proportions."""

import math
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

_LEAST_EVEN: Final = 0.1
"""Chosen: plateau widths from the joint's middle to that of its ends; hardly a knee's is more."""

_EDGE: Final = 0.05
"""Chosen: plateau widths from the film's edge within which an end shows too little to be seen."""

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
    half_seen
        One plateau end lies beyond the film and is the other's mirror image about the middle.
    """

    places: dict[str, Point]
    certainty: dict[str, float]
    half_seen: bool = False

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
    def evenness(self) -> float:
        """How near the joint's middle lies to that of the plateau ends: 1 in it, 0 far from it.

        A knee that is half seen is even by construction; it counts as the least even of whole ones.
        """
        if self.half_seen:
            return _evenness(_LEAST_EVEN)
        (x0, y0), (x1, y1), (x, y) = (self.places[name] for name in (LEFT, RIGHT, MIDDLE))
        return _evenness(float(np.hypot((x0 + x1) / 2.0 - x, (y0 + y1) / 2.0 - y)) / self.width)

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
    heat: NDArray[np.float32],
    names: Sequence[str],
    *,
    threshold: float,
    film: tuple[float, float] | None = None,
) -> tuple[Joint, ...]:
    """Every knee of a heat map (K, h, w), in map cells, most certain first.

    A joint's middle needs a plateau end on either side of it, alike in distance and level. Where
    one would lie beyond the film, the other's mirror image about the middle stands for it; so it
    does for a faint one just at the film's edge, if that makes a better joint.

    Parameters
    ----------
    film
        Where the film begins and ends across the map; None if it shows nothing of an edge.
    """
    by_name = {name: peaks(heat[k], threshold) for k, name in enumerate(names)}
    found = []
    for middle in by_name[MIDDLE]:
        pair = _ends(middle, by_name)
        ways = [] if pair is None else [_joint(middle, *pair, by_name)]
        if film is not None and (pair is None or _at_edge(*pair, film)):
            mirrored = _half_seen(middle, by_name, film)
            if mirrored is not None:
                ways.append(replace(_joint(middle, *mirrored, by_name), half_seen=True))
        found += sorted(ways, key=_worth)[-1:]
    return distinct(found)


def distinct(found: Iterable[Joint]) -> tuple[Joint, ...]:
    """The joints, most certain first, without those that lie where a better one does.

    Better is more certain and more even: a false middle beside a knee finds a pair of ends too.
    """
    kept: list[Joint] = []
    for joint in sorted(found, key=_worth, reverse=True):
        if all(_apart(joint, other) for other in kept):
            kept.append(joint)
    return tuple(sorted(kept, key=lambda each: -each.confidence))


def _worth(joint: Joint) -> float:
    """By which one of two joints in a place is better."""
    return joint.confidence * joint.evenness


def central_joint(
    heat: NDArray[np.float32],
    names: Sequence[str],
    *,
    centre: Point,
    film: tuple[float, float] | None = None,
) -> Joint | None:
    """The most certain knee around a map's cell ``centre``, however uncertain; None without any."""
    for joint in joints(heat, names, threshold=0.05, film=film):
        x, y = joint.places[MIDDLE]
        if np.hypot(x - centre[0], y - centre[1]) < 0.5 * joint.width:
            return joint
    return None


def _ends(middle: Peak, by_name: dict[str, list[Peak]]) -> tuple[Peak, Peak] | None:
    """The plateau ends that go best with a middle; None if none do."""
    fits = [
        (score, left, right)
        for left in by_name[LEFT]
        for right in by_name[RIGHT]
        if (score := _fit(middle, left, right)) > 0.0
    ]
    return max(fits)[1:] if fits else None


def _half_seen(
    middle: Peak, by_name: dict[str, list[Peak]], film: tuple[float, float]
) -> tuple[Peak, Peak] | None:
    """An end, and its mirror image beyond the film's edge: of all such, the surest for its width.

    Of two knees on a film, the end of the one that is seen whole would make a wider pair.
    """
    first, last = film
    pairs = []
    for name in (LEFT, RIGHT):
        for end in by_name[name]:
            x, y = 2.0 * middle[0] - end[0], 2.0 * middle[1] - end[1]
            width = abs(end[0] - x)
            if first + _EDGE * width <= x <= last - _EDGE * width:
                continue
            mirrored = (x, y, end[2])
            left, right = (end, mirrored) if name == LEFT else (mirrored, end)
            if _fit(middle, left, right) > 0.0:
                pairs.append((end[2] / width, left, right))
    return max(pairs)[1:] if pairs else None


def _at_edge(left: Peak, right: Peak, film: tuple[float, float]) -> bool:
    """Whether one of two ends lies so near the film's edge that it hardly shows."""
    margin = _EDGE * (right[0] - left[0])
    return left[0] < film[0] + margin or right[0] > film[1] - margin


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
    return float(left[2] * right[2]) * _evenness(float(off))


def _evenness(off: float) -> float:
    """Of a middle so many plateau widths from that of the ends."""
    return math.exp(-((off / _LEAST_EVEN) ** 2))


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
