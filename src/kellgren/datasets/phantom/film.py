"""What one phantom film is: the legs on it, how it was exposed, and where its landmarks lie."""

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from kellgren.anatomy import Laterality
from kellgren.datasets.phantom.geometry import Landmark, Placement, placed_landmarks
from kellgren.datasets.phantom.knee import PhantomKnee
from kellgren.imaging.raster import MIN_SIDE_PX

TOP: Final = 4095
"""The highest value: detectors have 12 significant bits."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg on a film.

    Parameters
    ----------
    knee
        Its anatomy. What a `PhantomKnee` says of its region's picture (scale, tilt, shift,
        exposure, contrast, noise) does not count here; ``noise_seed`` names its texture.
    origin
        (x, y) of the middle between the margins of the plateau, in pixels.
    plateau_mm
        Width of the plateau, in the detector's plane.
    tilt_deg
        Turn of the whole leg, towards the medial side at its upper end.
    """

    knee: PhantomKnee
    origin: tuple[float, float]
    plateau_mm: float
    tilt_deg: float = 0.0


@dataclass(frozen=True, slots=True)
class Collimation:
    """What the beam was narrowed to: a rectangle, perhaps turned about the film's middle.

    Parameters
    ----------
    left, top, right, bottom
        Width of each border, in pixels.
    turn_deg
        Clockwise.
    shutter
        The borders were made black afterwards; otherwise they are as bright as lead.
    """

    left: float
    top: float
    right: float
    bottom: float
    turn_deg: float = 0.0
    shutter: bool = True

    def corners(self, size: tuple[int, int]) -> tuple[tuple[float, float], ...]:
        """(x, y) of the rectangle's corners on a film of so many rows and columns, in order."""
        rows, columns = size
        x0, x1 = self.left - 0.5, columns - 0.5 - self.right
        y0, y1 = self.top - 0.5, rows - 0.5 - self.bottom
        middle_x, middle_y = (columns - 1) / 2.0, (rows - 1) / 2.0
        cos, sin = np.cos(np.deg2rad(self.turn_deg)), np.sin(np.deg2rad(self.turn_deg))
        return tuple(
            (
                float(middle_x + cos * (x - middle_x) - sin * (y - middle_y)),
                float(middle_y + sin * (x - middle_x) + cos * (y - middle_y)),
            )
            for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
        )


@dataclass(frozen=True, slots=True)
class Marker:
    """A letter of lead on the detector.

    Parameters
    ----------
    letter
        ``R`` or ``L``.
    middle
        (x, y), in pixels.
    height_px
        Of its plate of plastic, two thirds of which the letter fills.
    turn_deg
        Counterclockwise.
    """

    letter: Literal["R", "L"]
    middle: tuple[float, float]
    height_px: float
    turn_deg: float = 0.0


@dataclass(frozen=True, slots=True)
class PhantomFilm:
    """A whole film of one or two knees, completely described.

    Parameters
    ----------
    legs
        From the film's left; of two, the patient's right one is there.
    size
        (rows, columns).
    spacing_mm
        Distance of pixels, in the detector's plane.
    collimation
        None where the beam covers the whole film.
    markers
        Letters of lead.
    exposure, contrast, noise_sd
        As in `PhantomKnee`, of the film as a whole; noise in shares of the range of values.
    gradient
        By which share the exposure changes from the film's left to its right, and from its top to
        its bottom.
    modality
        Digital (DX) or computed radiography (CR): how the file is written.
    photometric
        Whether the file has dense pixels high (MONOCHROME2) or low.
    seed
        Names noise, clouds and, in the file, the patient.

    Raises
    ------
    ValueError
        There are other than one or two legs, two of them are not a right and a left one in that
        order, or a size is too small.
    """

    legs: tuple[Leg, ...]
    size: tuple[int, int] = (3000, 2400)
    spacing_mm: float = 0.14
    collimation: Collimation | None = None
    markers: tuple[Marker, ...] = ()
    exposure: float = 1.0
    contrast: float = 1.3
    noise_sd: float = 0.005
    gradient: tuple[float, float] = (0.0, 0.0)
    modality: Literal["DX", "CR"] = "DX"
    photometric: Literal["MONOCHROME1", "MONOCHROME2"] = "MONOCHROME2"
    seed: int = 0

    def __post_init__(self) -> None:
        sides = [leg.knee.laterality for leg in self.legs]
        if len(sides) != 1 and sides != [Laterality.RIGHT, Laterality.LEFT]:
            raise ValueError(
                f"legs are {', '.join(sides) or 'none'}; a film shows one, or a right and a left"
            )
        if len(sides) == 2 and self.legs[0].origin[0] >= self.legs[1].origin[0]:
            raise ValueError("the patient's right leg is not at the film's left")
        if min(self.size) < MIN_SIDE_PX:
            raise ValueError(f"size is {self.size}; pictures under {MIN_SIDE_PX} px are not read")
        if self.spacing_mm <= 0.0:
            raise ValueError(f"spacing_mm is {self.spacing_mm}; a distance is positive")

    @property
    def knees(self) -> tuple[PhantomKnee, ...]:
        """From the film's left."""
        return tuple(leg.knee for leg in self.legs)

    def placement(self, leg: Leg) -> Placement:
        """Where one of the legs lies."""
        width_px = leg.plateau_mm / self.spacing_mm
        return Placement(leg.origin, width_px, leg.tilt_deg, leg.knee.laterality)

    def shows(self, x: float, y: float) -> bool:
        """Whether a place lies on the film and within the beam."""
        beam = self.collimation or Collimation(0.0, 0.0, 0.0, 0.0)
        corners = beam.corners(self.size)
        rows, columns = self.size
        return (
            -0.5 <= x <= columns - 0.5
            and -0.5 <= y <= rows - 0.5
            and all(
                (x1 - x0) * (y - y0) >= (y1 - y0) * (x - x0)
                for (x0, y0), (x1, y1) in zip(corners, (*corners[1:], corners[0]), strict=True)
            )
        )


def film_landmarks(film: PhantomFilm) -> tuple[tuple[Landmark, ...], ...]:
    """The exact landmarks of every knee of a film.

    Returns
    -------
    tuple of tuple of Landmark
        For each knee, from the film's left, what `kellgren.datasets.phantom.landmarks` gives of a
        region, in the film's pixels. Those beyond the film or the beam are not visible.
    """
    return tuple(
        tuple(
            replace(landmark, visible=film.shows(landmark.x, landmark.y))
            for landmark in placed_landmarks(leg.knee, film.placement(leg))
        )
        for leg in film.legs
    )
