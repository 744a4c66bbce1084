"""Landmarks come back from the heat maps that they are drawn into."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kellgren.localise.landmarks import (
    FIBULA,
    LANDMARKS,
    LEFT,
    MIDDLE,
    RIGHT,
    STRIDE,
    Joint,
    central_joint,
    joints,
    peaks,
)

FEW = settings(max_examples=40, deadline=None)
Places = dict[str, tuple[float, float]]


def knee(x: float, y: float, width: float = 16.0, tilt: float = 0.0) -> Places:
    """Where the landmarks of a right knee lie, in cells."""
    half = width / 2
    return {
        LEFT: (x - half, y + tilt * half),
        RIGHT: (x + half, y - tilt * half),
        "femoral_condyle_image_left": (x - half, y - 0.35 * width),
        "femoral_condyle_image_right": (x + half, y - 0.35 * width),
        MIDDLE: (x, y),
        FIBULA: (x - 0.45 * width, y + 0.28 * width),
    }


def maps(
    knees: Sequence[tuple[Places, float]], shape: tuple[int, int] = (64, 64), sigma: float = 1.2
) -> NDArray[np.float32]:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    heat = np.zeros((len(LANDMARKS), *shape), dtype=np.float32)
    for places, height in knees:
        for name, (x, y) in places.items():
            k = LANDMARKS.index(name)
            off = (columns - x) ** 2 + (rows - y) ** 2
            np.maximum(heat[k], height * np.exp(-off / 2 / sigma**2), out=heat[k])
    return heat


def found(heat: NDArray[np.float32], threshold: float = 0.3) -> tuple[Joint, ...]:
    return joints(heat, LANDMARKS, threshold=threshold)


inside = st.floats(12.0, 51.0)


@FEW
@given(x=inside, y=inside, sigma=st.floats(0.9, 2.0), height=st.floats(0.35, 1.0))
def test_a_gaussian_comes_back_within_a_twentieth_of_a_cell(
    x: float, y: float, sigma: float, height: float
) -> None:
    (heat,) = maps([({LEFT: (x, y)}, height)], sigma=sigma)[:1]
    at_x, at_y, high = peaks(heat, 0.1)[0]
    assert (at_x, at_y) == pytest.approx((x, y), abs=0.05)
    assert 0.7 * height < high <= height + 1e-6


@pytest.mark.parametrize("corner", [(0.0, 0.0), (63.0, 63.0), (0.0, 30.0), (30.0, 63.0)])
def test_a_place_on_the_border_is_not_pushed_beyond_it(corner: tuple[float, float]) -> None:
    (heat,) = maps([({LEFT: corner}, 0.9)])[:1]
    assert peaks(heat, 0.1)[0][:2] == pytest.approx(corner, abs=0.05)


def test_nothing_is_found_where_nothing_is_or_noise_is_low() -> None:
    assert found(np.zeros((len(LANDMARKS), 16, 16), dtype=np.float32)) == ()
    noise = np.random.default_rng(0).uniform(0.0, 0.29, (len(LANDMARKS), 64, 64))
    assert found(noise.astype(np.float32)) == ()


def test_a_noisy_map_has_no_more_peaks_than_are_looked_at() -> None:
    noise = np.random.default_rng(0).uniform(0.3, 1.0, (128, 128)).astype(np.float32)
    few = peaks(noise, 0.1)
    assert len(few) == 24
    assert few[0][2] == noise.max()


@FEW
@given(
    x=st.floats(20.0, 43.0), y=st.floats(20.0, 43.0), width=st.floats(8.0, 26.0),
    tilt=st.floats(-0.3, 0.3),
)  # fmt: skip
def test_one_knee_has_its_width_tilt_and_side(
    x: float, y: float, width: float, tilt: float
) -> None:
    (joint,) = found(maps([(knee(x, y, width, tilt), 0.8)]))
    assert joint.width == pytest.approx(width * np.hypot(1.0, tilt), abs=0.1)
    assert joint.tilt_deg == pytest.approx(np.degrees(np.arctan(-tilt)), abs=1.5)
    for name, place in knee(x, y, width, tilt).items():
        assert joint.places[name] == pytest.approx(place, abs=0.05)
    assert joint.fibula_side < -0.5
    assert 0.5 < joint.confidence < 0.801


def test_two_knees_are_two_and_the_surer_one_is_first() -> None:
    left, right = knee(16.0, 30.0), knee(46.0, 33.0)
    first, second = found(maps([(left, 0.6), (right, 0.9)]))
    assert first.places[MIDDLE] == pytest.approx(right[MIDDLE], abs=0.05)
    assert second.places[MIDDLE] == pytest.approx(left[MIDDLE], abs=0.05)
    assert first.confidence > second.confidence


@pytest.mark.parametrize("absent", [LEFT, RIGHT, MIDDLE])
def test_a_knee_without_an_end_or_a_middle_is_none(absent: str) -> None:
    places = knee(30.0, 30.0)
    del places[absent]
    assert found(maps([(places, 0.9)])) == ()


@pytest.mark.parametrize(("absent", "x"), [(RIGHT, 59.0), (LEFT, 4.0)])
@pytest.mark.parametrize("beside", [False, True])
def test_an_end_beyond_the_film_is_the_others_mirror_image(
    absent: str, x: float, *, beside: bool
) -> None:
    cut = knee(x, 30.0)
    expected = cut.pop(absent)
    heat = maps([(cut, 0.8), *([(knee(32.0, 33.0), 0.9)] if beside else [])])
    seen = joints(heat, LANDMARKS, threshold=0.3, film=(-0.5, 63.5))
    assert [joint.half_seen for joint in seen] == [*([False] if beside else []), True]
    assert seen[-1].places[absent] == pytest.approx(expected, abs=0.1)
    assert seen[-1].width == pytest.approx(16.0, abs=0.1)
    assert all(not joint.half_seen for joint in found(heat))
    central = central_joint(heat, LANDMARKS, centre=(x, 30.0), film=(-0.5, 63.5))
    assert central is not None
    assert central.half_seen


@pytest.mark.parametrize(("end", "x", "edge"), [(RIGHT, 57.0, 63.0), (LEFT, 6.0, 0.0)])
def test_a_faint_end_at_the_films_edge_gives_way_to_the_others_mirror_image(
    end: str, x: float, edge: float
) -> None:
    cut = knee(x, 30.0)
    beyond = cut.pop(end)
    seen = {end: (edge, 30.5)}
    for height, half_seen, place in ((0.15, True, beyond), (0.9, False, seen[end])):
        heat = maps([(cut, 0.9), (seen, height)])
        (joint,) = joints(heat, LANDMARKS, threshold=0.05, film=(-0.5, 63.5))
        assert joint.half_seen is half_seen
        assert joint.places[end] == pytest.approx(place, abs=0.3)


def test_a_faint_end_well_inside_the_film_stays() -> None:
    cut = knee(40.0, 30.0)
    beyond = cut.pop(RIGHT)
    heat = maps([(cut, 0.9), ({RIGHT: (46.0, 30.0)}, 0.1)])
    # the other's mirror image would lie at the film's edge, and make a better joint
    (joint,) = joints(heat, LANDMARKS, threshold=0.05, film=(-0.5, beyond[0] + 0.2))
    assert not joint.half_seen
    assert joint.places[RIGHT] == pytest.approx((46.0, 30.0), abs=0.1)


def test_an_end_that_is_missing_on_the_film_is_not_made_up() -> None:
    places = knee(30.0, 30.0)
    del places[RIGHT]
    heat = maps([(places, 0.9)])
    assert joints(heat, LANDMARKS, threshold=0.3, film=(-0.5, 63.5)) == ()
    assert joints(heat, LANDMARKS, threshold=0.3, film=(-math.inf, math.inf)) == ()


def test_a_false_middle_beside_a_knee_does_not_take_its_place() -> None:
    heat = maps([(knee(30.0, 30.0), 0.7)])
    heat = np.maximum(heat, maps([({MIDDLE: (26.8, 30.0)}, 0.9)]))
    (joint,) = found(heat)
    assert joint.places[MIDDLE][0] == pytest.approx(30.0, abs=0.3)


@pytest.mark.parametrize("absent", [FIBULA, "femoral_condyle_image_left"])
def test_other_landmarks_may_be_missing(absent: str) -> None:
    places = knee(30.0, 30.0)
    del places[absent]
    (joint,) = found(maps([(places, 0.9)]))
    assert joint.places.keys() == places.keys()
    assert (joint.fibula_side == 0.0) is (absent == FIBULA)


@pytest.mark.parametrize("moved", [(9.0, 0.0), (0.0, 9.0)])
def test_a_middle_far_from_between_the_ends_is_of_no_knee(moved: tuple[float, float]) -> None:
    places = knee(30.0, 30.0)
    places[MIDDLE] = (30.0 + moved[0], 30.0 + moved[1])
    assert found(maps([(places, 0.9)])) == ()


@pytest.mark.parametrize("width", [16.0, 8.0])
def test_of_two_that_lie_on_each_other_the_weaker_is_dropped(width: float) -> None:
    (joint,) = found(maps([(knee(30.0, 30.0), 0.9), (knee(34.0, 33.0, width), 0.5)]))
    assert joint.places[MIDDLE] == pytest.approx((30.0, 30.0), abs=0.1)


def test_the_central_knee_is_that_around_the_centre_however_unsure() -> None:
    heat = maps([(knee(20.0, 30.0), 0.9), (knee(46.0, 30.0), 0.1)])
    for x in (20.0, 46.0):
        joint = central_joint(heat, LANDMARKS, centre=(x, 30.0))
        assert joint is not None
        assert joint.places[MIDDLE][0] == pytest.approx(x, abs=0.05)
    assert central_joint(heat, LANDMARKS, centre=(33.0, 55.0)) is None


def test_mirrored_maps_are_the_mirrored_knee() -> None:
    heat = maps([(knee(24.3, 30.0, tilt=0.2), 0.9)])
    names = (RIGHT, LEFT, *reversed(LANDMARKS[2:4]), MIDDLE, FIBULA)
    mirrored = np.stack([heat[LANDMARKS.index(name)][:, ::-1] for name in names])
    (one,), (other,) = found(heat), found(mirrored)
    assert other.width == pytest.approx(one.width, abs=0.01)
    assert other.tilt_deg == pytest.approx(-one.tilt_deg, abs=0.1)
    assert other.fibula_side == pytest.approx(-one.fibula_side, abs=0.01)
    assert other.places[MIDDLE][0] == pytest.approx(63.0 - one.places[MIDDLE][0], abs=0.01)


def test_the_network_and_the_decoder_mean_the_same_cells() -> None:
    from kellgren.localise.bundle import MULTIPLE
    from kellgren.networks import landmarks as network

    assert (network.STRIDE, network.MULTIPLE) == (STRIDE, MULTIPLE)
