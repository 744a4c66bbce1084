"""The outlines of the bones, as curves over one coordinate, and where they lie in the picture.

Everything is in plateau widths of a right knee: u grows towards medial, v downwards, and the
margins of the tibial plateau are (±0.5, 0). All shapes are chosen: points read off healthy knees of
kneeKL299 (doi:10.17632/56rmx5bjcr.1) by eye, so that the drawing resembles them. Beyond those
pictures the bones go on as shafts, as wide as on films of whole legs.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kellgren.anatomy import Laterality
from kellgren.datasets.phantom.knee import PhantomKnee

Array = NDArray[np.float32]
Points = tuple[tuple[float, float], ...]

SIZE_PX: Final = 299
"""Side of a picture, as of the regions of kneeKL299."""

CONTACT: Final = 0.29
"""Where on each side the condyle is lowest and the joint space is measured."""

JOINT_LEVEL: Final = -0.03
"""The v in the middle of an unshifted picture: half a healthy joint space above the plateau."""

_NEAR: Final = 1.25
"""A region's corners are nearer than that. The axis below counts from there, and not from its own
ends, so that the pictures of regions do not depend on how far the shafts are known."""

_REACH: Final = 4.25
"""The curves are known from −4.25 to 4.25, half the length of the longest films."""

_STEPS: Final = 2501
_PER_UNIT: Final = (_STEPS - 1) / (2.0 * _NEAR)
_BEYOND: Final = np.arange(1, round((_REACH - _NEAR) * _PER_UNIT) + 1) / _PER_UNIT
_AXIS: Final = np.concatenate(
    (-_NEAR - _BEYOND[::-1], np.linspace(-_NEAR, _NEAR, _STEPS), _NEAR + _BEYOND)
)
_AXIS_OF_PIXELS: Final[Array] = _AXIS.astype(np.float32)

_FINE: Final = np.hanning(35) / np.hanning(35).sum()
_BROAD: Final = np.hanning(121) / np.hanning(121).sum()
"""They round the corners of a chain of points, over 0.02 and 0.06 plateau widths (5 and 15 px)."""

# Lateral margin to medial margin: concave plateaus, the lateral and the higher medial spine.
_PLATEAU_LATERAL: Final[Points] = (
    (-0.50, 0.000), (-0.42, 0.008), (-0.33, 0.013), (-0.25, 0.008), (-0.19, -0.012),
)  # fmt: skip
_SPINES: Final[Points] = (
    (-0.13, -0.062), (-0.095, -0.096), (-0.075, -0.104), (-0.04, -0.080), (0.00, -0.070),
    (0.04, -0.084), (0.07, -0.122), (0.085, -0.112), (0.115, -0.070),
)  # fmt: skip
_PLATEAU_MEDIAL: Final[Points] = (
    (0.18, -0.016), (0.25, 0.010), (0.33, 0.018), (0.42, 0.012), (0.50, 0.000),
)  # fmt: skip

# Heights above the condyles' contact with the tibia.
_CONDYLE_LATERAL: Final[Points] = (
    (-0.52, 0.250), (-0.505, 0.120), (-0.49, 0.075), (-0.46, 0.040), (-0.42, 0.018), (-0.36, 0.004),
    (-CONTACT, 0.000), (-0.23, 0.010), (-0.18, 0.036),
)  # fmt: skip
_NOTCH: Final[Points] = (
    (-0.13, 0.075),
    (-0.08, 0.125),
    (-0.04, 0.148),
    (0.02, 0.150),
    (0.07, 0.122),
)
_CONDYLE_MEDIAL: Final[Points] = (
    (0.12, 0.075), (0.17, 0.040), (0.22, 0.014), (CONTACT, 0.000), (0.36, 0.002), (0.42, 0.012),
    (0.46, 0.034), (0.49, 0.070), (0.505, 0.120), (0.52, 0.250),
)  # fmt: skip

# Half widths over the height (v, half width). The lateral condyle has the popliteal groove. The
# femur's shaft leans towards lateral by 6°, as the anatomical axis does against the mechanical one.
_FEMUR_LATERAL: Final[Points] = (
    (-4.25, 0.515), (-1.90, 0.262), (-1.60, 0.240), (-1.35, 0.238), (-1.15, 0.250), (-1.00, 0.270),
    (-0.90, 0.30), (-0.74, 0.37), (-0.62, 0.43), (-0.52, 0.482), (-0.42, 0.522), (-0.33, 0.524),
    (-0.25, 0.490), (-0.18, 0.478), (-0.11, 0.499), (-0.05, 0.504), (0.10, 0.50),
)  # fmt: skip
_FEMUR_MEDIAL: Final[Points] = (
    (-4.25, -0.180), (-1.90, 0.065), (-1.60, 0.100), (-1.35, 0.145), (-1.15, 0.200), (-1.00, 0.255),
    (-0.90, 0.30), (-0.78, 0.36), (-0.66, 0.43), (-0.56, 0.488), (-0.46, 0.528), (-0.37, 0.538),
    (-0.28, 0.524), (-0.19, 0.508), (-0.10, 0.500), (0.10, 0.495),
)  # fmt: skip
_TIBIA_LATERAL: Final[Points] = (
    (-0.20, 0.50), (0.00, 0.500), (0.06, 0.494), (0.14, 0.484), (0.24, 0.460), (0.36, 0.405),
    (0.50, 0.330), (0.70, 0.260), (1.00, 0.22), (1.25, 0.192), (1.60, 0.168), (2.50, 0.150),
)  # fmt: skip
_TIBIA_MEDIAL: Final[Points] = (
    (-0.20, 0.50), (0.00, 0.500), (0.06, 0.492), (0.14, 0.480), (0.24, 0.455), (0.36, 0.410),
    (0.50, 0.345), (0.70, 0.290), (1.00, 0.26), (1.25, 0.212), (1.60, 0.175), (2.50, 0.155),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """Where in a curve's table each of many coordinates falls; found once, used by many curves."""

    index: NDArray[np.int32]
    rest: Array

    @classmethod
    def of(cls, coordinates: Array) -> "Lookup":
        """The places of coordinates of any shape; beyond the table its ends are used."""
        clipped = np.clip(coordinates, -_REACH, _REACH)
        index = np.rint((clipped + np.float32(_NEAR)) * np.float32(_PER_UNIT)).astype(np.int32)
        index += len(_BEYOND)
        return cls(index, clipped - _AXIS_OF_PIXELS[index])


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A smooth function of one coordinate, as a fine table of values and slopes."""

    values: Array
    slopes: Array

    @classmethod
    def through(cls, values: NDArray[np.float64]) -> "Curve":
        """The curve with these values along the table's axis."""
        slopes = np.gradient(values, 1.0 / _PER_UNIT)
        return cls(values.astype(np.float32), slopes.astype(np.float32))

    def height(self, at: Lookup) -> Array:
        """Values at the coordinates looked up."""
        return self.values[at.index] + self.slopes[at.index] * at.rest

    def distance(self, across: Array, at: Lookup) -> Array:
        """How far points lie beyond the curve, measured at right angles to it (to first order)."""
        slope = self.slopes[at.index]
        gap = across - self.values[at.index] - slope * at.rest
        return np.asarray(gap / np.sqrt(1.0 + slope * slope), dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Bones:
    """The outlines of one knee.

    Parameters
    ----------
    plateau, condyles
        v over u: the top of the tibia and the bottom of the femur.
    tibia_lateral, tibia_medial, femur_lateral, femur_medial
        Distance from the middle over v; the femur's over v − ``femur_level``.
    femur_level
        v of the point halfway between the condyles' contacts.
    """

    plateau: Curve
    condyles: Curve
    tibia_lateral: Curve
    tibia_medial: Curve
    femur_lateral: Curve
    femur_medial: Curve
    femur_level: float

    @classmethod
    def of(cls, knee: PhantomKnee) -> "Bones":
        """The outlines that follow from a knee's parameters."""
        plateau = _plateau(knee)
        condyles, level = _condyles(knee, plateau)
        tibia = (knee.osteophyte_tibial_lateral, knee.osteophyte_tibial_medial)
        femur = (knee.osteophyte_femoral_lateral, knee.osteophyte_femoral_medial)
        return cls(
            Curve.through(plateau),
            Curve.through(condyles),
            _side(_TIBIA_LATERAL, knee.flare, spur=tibia[0], at=0.012, width=0.035),
            _side(_TIBIA_MEDIAL, knee.flare, spur=tibia[1], at=0.012, width=0.035),
            _side(_FEMUR_LATERAL, knee.flare, spur=femur[0], at=-0.055, width=0.050),
            _side(_FEMUR_MEDIAL, knee.flare, spur=femur[1], at=-0.055, width=0.050),
            level,
        )


@dataclass(frozen=True, slots=True)
class Landmark:
    """A named point of a picture: (x, y), pixel centres at integers.

    ``visible`` is whether the picture shows the place; a film may end before it.
    """

    name: str
    x: float
    y: float
    visible: bool = True


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a knee lies in a picture.

    Parameters
    ----------
    origin
        (x, y) of the middle between the plateau's margins, pixel centres at integers.
    width_px
        Of the plateau.
    tilt_deg
        Turn of the whole leg, towards the medial side at its upper end.
    laterality
        In a right knee, medial is to the picture's right.
    """

    origin: tuple[float, float]
    width_px: float
    tilt_deg: float
    laterality: Laterality

    @classmethod
    def in_region(cls, knee: PhantomKnee, size_px: int) -> "Placement":
        """Where a phantom lies in the picture of its region."""
        cos, sin = _turn(knee.tilt_deg)
        below = JOINT_LEVEL * knee.scale
        x = (sin * below + knee.shift[0] + 0.5) * size_px - 0.5
        y = (-cos * below + knee.shift[1] + 0.5) * size_px - 0.5
        if knee.laterality is Laterality.LEFT:
            x = size_px - 1 - x
        return cls((x, y), knee.scale * size_px, knee.tilt_deg, knee.laterality)

    @property
    def medial(self) -> int:
        """The direction of medial along a row: 1 in a right knee, −1 in a left one."""
        return 1 if self.laterality is Laterality.RIGHT else -1

    def pixel(self, u: float, v: float) -> tuple[float, float]:
        """(x, y) of a point of the knee."""
        cos, sin = _turn(self.tilt_deg)
        across, down = (cos * u - sin * v) * self.width_px, (sin * u + cos * v) * self.width_px
        return self.origin[0] + self.medial * across, self.origin[1] + down

    def coordinates(self, x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
        """(u, v) of pixels; x and y may be a row and a column, which are broadcast."""
        cos, sin = _turn(self.tilt_deg)
        across = self.medial * (np.asarray(x, np.float64) - self.origin[0]) / self.width_px
        down = (np.asarray(y, np.float64) - self.origin[1]) / self.width_px
        turned = [np.asarray(part, np.float32) for part in (across, down)]
        return (
            np.asarray(np.float32(cos) * turned[0] + np.float32(sin) * turned[1]),
            np.asarray(np.float32(cos) * turned[1] - np.float32(sin) * turned[0]),
        )


def coordinates(knee: PhantomKnee, *, size_px: int) -> tuple[Array, Array]:
    """(u, v) of every pixel of the region's picture of a right knee, each (size_px, size_px)."""
    pixels = ((np.arange(size_px) + 0.5) / size_px - 0.5).astype(np.float32)
    x, y = np.meshgrid(pixels - knee.shift[0], pixels - knee.shift[1])
    cos, sin = _turn(knee.tilt_deg)
    return (
        np.asarray((cos * x + sin * y) / knee.scale, dtype=np.float32),
        np.asarray((cos * y - sin * x) / knee.scale + JOINT_LEVEL, dtype=np.float32),
    )


def landmarks(knee: PhantomKnee, *, size_px: int = SIZE_PX) -> tuple[Landmark, ...]:
    """The exact landmarks of a phantom's region.

    Returns
    -------
    tuple of Landmark
        ``tibial_plateau_image_left`` and ``…_image_right`` (the margins),
        ``femoral_condyle_image_left`` and ``…_image_right`` (the outermost points of the condyles'
        contour), ``joint_middle`` (half a mean joint space above the middle of the line between the
        margins) and ``fibula_head`` (its tip); the image's sides, whatever the knee's. Margins and
        condyles are those of the bone without its osteophytes. By name.
    """
    return placed_landmarks(knee, Placement.in_region(knee, size_px))


def placed_landmarks(knee: PhantomKnee, placement: Placement) -> tuple[Landmark, ...]:
    """The landmarks of a knee that lies anywhere in a picture, as `landmarks` names them."""
    found = (
        Landmark(_image_side(name, placement.laterality), *placement.pixel(u, v))
        for name, (u, v) in _places(knee).items()
    )
    return tuple(sorted(found, key=lambda landmark: landmark.name))


def _places(knee: PhantomKnee) -> dict[str, tuple[float, float]]:
    space = (knee.joint_space_lateral + knee.joint_space_medial) / 2.0
    lateral, medial = (_outermost(side) for side in (_FEMUR_LATERAL, _FEMUR_MEDIAL))
    level = Bones.of(knee).femur_level
    return {
        "tibial_plateau_lateral": (-0.5, 0.0),
        "tibial_plateau_medial": (0.5, 0.0),
        "femoral_condyle_lateral": (-lateral[0], level + lateral[1]),
        "femoral_condyle_medial": (medial[0], level + medial[1]),
        "joint_middle": (0.0, -space / 2.0),
        "fibula_head": fibula_tip(knee),
    }


def _outermost(points: Points) -> tuple[float, float]:
    """(half width, height) where a femur's side is widest between its shaft and the joint."""
    half = np.where(np.abs(_AXIS) < _NEAR, _half_widths(points), 0.0)
    widest = int(np.argmax(half))
    return float(half[widest]), float(_AXIS[widest])


def fibula_tip(knee: PhantomKnee) -> tuple[float, float]:
    """(u, v) of the fibula's tip; the bone runs down from it, close behind the tibia's edge."""
    return -0.45, knee.fibula


def _image_side(name: str, laterality: Laterality) -> str:
    # A right knee has its lateral side on the image's left.
    left, right = ("lateral", "medial") if laterality is Laterality.RIGHT else ("medial", "lateral")
    return name.replace(left, "image_left").replace(right, "image_right")


def _turn(degrees: float) -> tuple[float, float]:
    angle = np.deg2rad(degrees)
    return float(np.cos(angle)), float(np.sin(angle))


def _chain(points: Points, rounding: NDArray[np.float64]) -> NDArray[np.float64]:
    places, heights = zip(*points, strict=True)
    straight = np.interp(_AXIS, places, heights)
    margin = len(rounding) // 2
    return np.convolve(np.pad(straight, margin, mode="edge"), rounding, mode="valid")


def _plateau(knee: PhantomKnee) -> NDArray[np.float64]:
    spines = tuple((u, v * knee.spines) for u, v in _SPINES)
    plateau = _chain((*_PLATEAU_LATERAL, *spines, *_PLATEAU_MEDIAL), _FINE)
    # A spur points outwards and a little up, towards the femur.
    lipping = np.where(_AXIS < 0.0, knee.osteophyte_tibial_lateral, knee.osteophyte_tibial_medial)
    beyond = np.clip((np.abs(_AXIS) - 0.46) / (0.04 + lipping), 0.0, 1.0)
    return plateau - 0.35 * lipping * beyond**2


def _condyles(knee: PhantomKnee, plateau: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    notch = tuple((u, height * knee.notch) for u, height in _NOTCH)
    heights = _chain((*_CONDYLE_LATERAL, *notch, *_CONDYLE_MEDIAL), _FINE)
    # Spurs stretch the rounded outer corner of their condyle.
    size = np.where(_AXIS < 0.0, knee.osteophyte_femoral_lateral, knee.osteophyte_femoral_medial)
    corner = 0.42
    squeezed = corner + (np.abs(_AXIS) - corner) * 0.10 / (0.10 + size)
    source = np.where(np.abs(_AXIS) > corner, np.sign(_AXIS) * squeezed, _AXIS)
    heights = np.interp(source, _AXIS, heights)
    # The femur is placed, and turned, so that both joint spaces are exactly as wide as asked.
    at = np.array((-CONTACT, CONTACT))
    spaces = np.array((knee.joint_space_lateral, knee.joint_space_medial))
    offsets = np.interp(at, _AXIS, plateau) - spaces + np.interp(at, _AXIS, heights)
    turn = (offsets[1] - offsets[0]) / (2.0 * CONTACT)
    level = float(offsets.mean())
    return level + turn * _AXIS - heights, level


@cache
def _half_widths(points: Points) -> NDArray[np.float64]:
    half = _chain(points, _BROAD)
    half.setflags(write=False)
    return half


def _side(points: Points, flare: float, *, spur: float, at: float, width: float) -> Curve:
    half = _half_widths(points)
    # Taper acts on what is narrower than the joint, so that the plateau keeps its width, and not on
    # shafts.
    shaft = np.clip((np.abs(_AXIS) - 0.9) / 0.7, 0.0, 1.0)
    taper = flare + (1.0 - flare) * shaft
    half = np.where(half < 0.5, 0.5 - (0.5 - half) * taper, half)
    return Curve.through(half + spur * np.exp(-(((_AXIS - at) / width) ** 2)))
