"""Drawing the parameters of a phantom film from a stream of random numbers.

Every range is chosen, so that sheets of phantom films vary as those of doi:10.17632/fxjm8fb6mw do.
"""

from dataclasses import replace
from typing import Final, Literal, NamedTuple

import numpy as np

from kellgren.anatomy import Laterality
from kellgren.datasets.phantom.film import Collimation, Leg, Marker, PhantomFilm
from kellgren.datasets.phantom.knee import PhantomKnee
from kellgren.datasets.phantom.sampling import sample_knee

TWO_SHARE: Final = 0.6
"""Of films show both knees."""

MONOCHROME1_SHARE: Final = 0.3
CR_SHARE: Final = 0.35


class _Format(NamedTuple):
    """A detector or cassette, in mm; where both knees have room, how far apart they are."""

    height: float
    width: float
    apart: tuple[float, float] = (0.0, 0.0)


_FOR_ONE: Final = (_Format(420.0, 336.0), _Format(300.0, 240.0))
_FOR_TWO: Final = (
    _Format(420.0, 336.0, apart=(165.0, 190.0)),
    _Format(336.0, 420.0, apart=(165.0, 235.0)),
)

_PLATEAU_MM: Final = (75.0, 85.0)
"""In the detector's plane, so a little more than the bone's own 70 to 80."""

_SPACINGS_MM: Final = (0.139, 0.140, 0.143, 0.148)


def sample_film(rng: np.random.Generator, two: bool | None = None) -> PhantomFilm:
    """Draw a phantom film's parameters.

    Parameters
    ----------
    rng
        Where the randomness comes from.
    two
        Whether it shows both knees; without it, `TWO_SHARE` of films do.
    """
    if two is None:
        two = bool(rng.random() < TWO_SHARE)
    formats = _FOR_TWO if two else _FOR_ONE
    chosen = formats[int(rng.integers(len(formats)))]
    spacing = float(rng.choice(_SPACINGS_MM))
    size = (round(chosen.height / spacing), round(chosen.width / spacing))
    legs = _legs(rng, chosen, size, spacing)
    collimation = _collimation(rng, size, narrow=not two) if rng.random() < 0.7 else None
    modality: Literal["DX", "CR"] = "CR" if rng.random() < CR_SHARE else "DX"
    inverted = rng.random() < MONOCHROME1_SHARE
    return PhantomFilm(
        legs=legs,
        size=size,
        spacing_mm=spacing,
        collimation=collimation,
        markers=_markers(rng, legs, collimation, size, spacing),
        exposure=rng.uniform(1.0, 1.9),
        contrast=rng.uniform(1.0, 1.6),
        noise_sd=rng.uniform(0.003, 0.012),
        gradient=(rng.uniform(-0.15, 0.15), rng.uniform(-0.25, 0.25)),
        modality=modality,
        photometric="MONOCHROME1" if inverted else "MONOCHROME2",
        seed=int(rng.integers(2**31)),
    )


def _legs(
    rng: np.random.Generator, chosen: _Format, size: tuple[int, int], spacing: float
) -> tuple[Leg, ...]:
    rows, columns = size
    # What a person's two legs have in common.
    plateau_mm, soft_tissue = rng.uniform(*_PLATEAU_MM), rng.uniform(0.62, 0.85)
    lean = rng.normal(0.0, 1.0)
    y = rng.uniform(0.36, 0.62) * rows
    if chosen in _FOR_ONE:
        knee = sample_knee(rng)
        x = columns / 2 + rng.uniform(-20.0, 20.0) / spacing
        return (_leg(rng, knee, soft_tissue, (x, y), plateau_mm, lean),)
    apart = rng.uniform(*chosen.apart) / spacing
    middle = columns / 2 + rng.uniform(-5.0, 5.0) / spacing
    legs = []
    for laterality, way in ((Laterality.RIGHT, -1), (Laterality.LEFT, 1)):
        knee = sample_knee(rng, laterality=laterality)
        origin = (middle + way * apart / 2.0, y + rng.uniform(-6.0, 6.0) / spacing)
        own_mm = plateau_mm * rng.uniform(0.985, 1.015)
        legs.append(_leg(rng, knee, soft_tissue, origin, own_mm, lean))
    return tuple(legs)


def _leg(
    rng: np.random.Generator,
    knee: PhantomKnee,
    soft_tissue: float,
    origin: tuple[float, float],
    plateau_mm: float,
    lean: float,
) -> Leg:
    own = replace(knee, soft_tissue=soft_tissue * rng.uniform(0.98, 1.02))
    tilt = float(np.clip(rng.normal(lean, 2.5), -7.0, 7.0))
    return Leg(own, origin, plateau_mm, tilt)


def _collimation(rng: np.random.Generator, size: tuple[int, int], *, narrow: bool) -> Collimation:
    """Borders that leave a knee's region free wherever it is placed."""
    rows, columns = size
    beside, beyond = (0.12, 0.10) if narrow else (0.035, 0.10)
    left, right = (float(rng.uniform(0.0, beside)) * columns for _ in range(2))
    top, bottom = (float(rng.uniform(0.0, beyond)) * rows for _ in range(2))
    turn = float(rng.normal(0.0, 0.7)) if rng.random() < 0.5 else 0.0
    return Collimation(left, top, right, bottom, turn, shutter=bool(rng.random() < 0.75))


def _markers(
    rng: np.random.Generator,
    legs: tuple[Leg, ...],
    collimation: Collimation | None,
    size: tuple[int, int],
    spacing: float,
) -> tuple[Marker, ...]:
    """Letters of lead beside the legs, on their lateral sides; now and then one is missing."""
    beam = collimation or Collimation(0.0, 0.0, 0.0, 0.0)
    found = []
    for leg in legs:
        right = leg.knee.laterality is Laterality.RIGHT
        height = rng.uniform(14.0, 22.0) / spacing
        width = leg.plateau_mm / spacing
        x = leg.origin[0] + (-width if right else width) * rng.uniform(0.85, 1.15)
        margin = 0.03 * size[1] + 0.5 * height
        x = float(np.clip(x, beam.left + margin, size[1] - beam.right - margin))
        # Where there is no room beside the knee, it lies over the thigh, clear of the bone.
        room = abs(x - leg.origin[0]) > 0.8 * width
        y = leg.origin[1] + rng.uniform(*((-0.9, 0.5) if room else (-1.5, -1.1))) * width
        turn = float(rng.normal(0.0, 4.0))
        if rng.random() < 0.85:
            found.append(Marker("R" if right else "L", (x, y), height, turn))
    return tuple(found)
