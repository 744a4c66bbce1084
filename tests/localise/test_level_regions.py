"""Leaning legs on phantom films, found by the localiser that ships and cut with a level plateau."""

from dataclasses import replace

import numpy as np
import pytest

from kellgren.anatomy import Laterality
from kellgren.datasets.phantom import (
    Leg,
    PhantomFilm,
    draw_film,
    film_landmarks,
    sample_knee,
)
from kellgren.imaging import Radiograph, RegionSpec, cut_region
from kellgren.localise import Found, LearnedLocaliser, load_localiser
from kellgren.localise.landmarks import LEFT, RIGHT

SPEC = RegionSpec(side=110.0, side_unit="mm_detector", size_px=128)
LEVEL = replace(SPEC, align_plateau=True)
SPACING_MM = 0.42

TOLERANCE_DEG = 2.5
"""Chosen: the error of a turn known from two landmarks, each off by 1.5 % of their distance."""


@pytest.fixture(scope="module")
def localiser() -> LearnedLocaliser:
    return LearnedLocaliser(load_localiser(), threads=1)


def leaning(tilt_deg: float) -> PhantomFilm:
    """A right knee on a small film."""
    knee = sample_knee(np.random.default_rng(5), kl=1, laterality=Laterality.RIGHT)
    leg = Leg(knee, origin=(290.0, 350.0), plateau_mm=80.0, tilt_deg=tilt_deg)
    return PhantomFilm((leg,), size=(720, 576), spacing_mm=SPACING_MM, seed=3)


def drawn(film: PhantomFilm) -> Radiograph:
    spacing = (SPACING_MM, SPACING_MM)
    return Radiograph(draw_film(film), "0" * 64, spacing, "imager_pixel_spacing", synthetic=True)


def turn_in(found: Found, film: PhantomFilm) -> float:
    """Degrees by which the true plateau falls to the right in the region that was found."""
    ((*places,),) = film_landmarks(film)
    true = {place.name: (place.x, place.y) for place in places}
    (x0, y0), (x1, y1) = found.frame.to_crop([true[LEFT], true[RIGHT]])
    return float(np.degrees(np.arctan2(y1 - y0, x1 - x0)))


@pytest.mark.parametrize("tilt_deg", [-12.0, -6.0, 0.0, 6.0, 12.0])
def test_the_true_plateau_is_level_however_the_leg_leans(
    localiser: LearnedLocaliser, tilt_deg: float
) -> None:
    film = leaning(tilt_deg)
    radiograph = drawn(film)
    (level,) = localiser.find(radiograph, LEVEL, laterality=None)
    (upright,) = localiser.find(radiograph, SPEC, laterality=None)
    assert abs(turn_in(level, film)) < TOLERANCE_DEG
    # a leg that leans without being turned back would be seen
    level_if_upright = abs(turn_in(upright, film)) < TOLERANCE_DEG
    assert level_if_upright is (abs(tilt_deg) < TOLERANCE_DEG)
    region = cut_region(radiograph, level.frame, LEVEL)
    assert region.on_film == 1.0
    assert level.scale_source == "spacing"


def test_turned_back_two_leaning_legs_look_alike(localiser: LearnedLocaliser) -> None:
    """As pictures, and more than the same two regions cut upright."""
    regions = []
    for spec in (LEVEL, SPEC):
        for tilt_deg in (-10.0, 10.0):
            film = drawn(leaning(tilt_deg))
            (found,) = localiser.find(film, spec, laterality=None)
            regions.append(cut_region(film, found.frame, spec).pixels)
    one, other, leaning_one, leaning_other = regions
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.93
    apart = np.corrcoef(leaning_one.ravel(), leaning_other.ravel())[0, 1]
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > apart + 0.05
