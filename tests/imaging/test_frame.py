"""Frames map there and back, and turning one round twice changes nothing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kellgren.imaging import Frame

PLACES = st.floats(-10_000.0, 10_000.0)
SIDES = st.floats(0.1, 10_000.0)
SHARES = st.floats(0.0, 1.0)


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    """Turned, stretched, mirrored and moved, one way or another."""
    angle = draw(st.floats(-math.pi, math.pi))
    x, y = draw(st.floats(0.05, 20.0)), draw(st.floats(0.05, 20.0))
    x *= draw(st.sampled_from((1.0, -1.0)))
    cos, sin = math.cos(angle), math.sin(angle)
    return Frame(
        ((x * cos, -y * sin, draw(PLACES)), (x * sin, y * cos, draw(PLACES))),
        draw(st.integers(1, 2048)),
    )


@st.composite
def boxes(draw: st.DrawFn) -> tuple[float, float, float, float]:
    x0, y0 = draw(PLACES), draw(PLACES)
    return x0, y0, x0 + draw(SIDES), y0 + draw(SIDES)


def points(frame: Frame, shares: tuple[float, float]) -> NDArray[np.float64]:
    """A point of the crop, from edge to edge."""
    return np.array(shares) * frame.size_px - 0.5


@given(frames(), st.tuples(SHARES, SHARES))
def test_a_point_of_the_crop_comes_back(frame: Frame, shares: tuple[float, float]) -> None:
    point = points(frame, shares)
    np.testing.assert_allclose(frame.to_crop(frame.to_film(point)), point, rtol=0, atol=1e-6)


@given(frames(), st.tuples(PLACES, PLACES))
def test_a_point_of_the_film_comes_back(frame: Frame, point: tuple[float, float]) -> None:
    np.testing.assert_allclose(frame.to_film(frame.to_crop(point)), point, rtol=0, atol=1e-6)


@given(frames(), st.integers(0, 5))
def test_many_points_move_like_each_alone(frame: Frame, rows: int) -> None:
    many = np.random.default_rng(rows).uniform(-50, 50, (rows, 3, 2))
    moved = frame.to_film(many)
    assert moved.shape == many.shape
    for index in np.ndindex(rows, 3):
        np.testing.assert_allclose(moved[index], frame.to_film(many[index]), rtol=0, atol=1e-9)


@given(boxes(), st.integers(1, 2048))
def test_a_box_is_what_its_frame_shows(box: tuple[float, float, float, float], size: int) -> None:
    frame = Frame.of_box(*box, size_px=size)
    assert frame.axis_aligned
    assert not frame.mirrored
    np.testing.assert_allclose(frame.edges, box, rtol=0, atol=1e-6)


def test_pixels_are_counted_by_their_centres() -> None:
    # Ten film pixels in five: the first crop pixel's centre is the edge of film pixels 0 and 1.
    frame = Frame.of_box(0.0, 0.0, 10.0, 20.0, size_px=5)
    np.testing.assert_allclose(frame.to_film([(0, 0), (4, 4)]), [(0.5, 1.5), (8.5, 17.5)])
    # At the film's own resolution the two grids are one.
    same = Frame.of_box(0.0, 0.0, 7.0, 7.0, size_px=7)
    np.testing.assert_allclose(same.to_film([(3, 5)]), [(3, 5)])


@given(frames())
def test_mirroring_twice_changes_nothing(frame: Frame) -> None:
    again = frame.mirror().mirror()
    assert again.size_px == frame.size_px
    np.testing.assert_allclose(again.matrix, frame.matrix, rtol=0, atol=1e-6)
    assert frame.mirror().mirrored is not frame.mirrored


@given(frames(), st.tuples(SHARES, SHARES))
def test_the_mirrored_crop_shows_the_same_place_on_its_other_side(
    frame: Frame, shares: tuple[float, float]
) -> None:
    x, y = points(frame, shares)
    np.testing.assert_allclose(
        frame.mirror().to_film((frame.size_px - 1 - x, y)), frame.to_film((x, y)), atol=1e-6
    )
    np.testing.assert_allclose(frame.mirror().edges, frame.edges, rtol=0, atol=1e-6)


@given(frames(), st.tuples(SHARES, SHARES))
def test_edges_enclose_the_crop(frame: Frame, shares: tuple[float, float]) -> None:
    x, y = frame.to_film(points(frame, shares)) + 0.5
    x0, y0, x1, y1 = frame.edges
    assert x0 - 1e-6 <= x <= x1 + 1e-6
    assert y0 - 1e-6 <= y <= y1 + 1e-6


@pytest.mark.parametrize(
    ("across", "down"),
    [
        ((-1.0, 0.0), (0.0, 1.0)),
        ((1.0, 0.0), (0.0, -1.0)),
        ((0.0, 1.0), (-1.0, 0.0)),
        ((1.0, 0.1), (0.0, 1.0)),
    ],
)
def test_a_turned_or_mirrored_crop_is_no_upright_box(
    across: tuple[float, float], down: tuple[float, float]
) -> None:
    frame = Frame(((across[0], down[0], 0.0), (across[1], down[1], 0.0)), 8)
    assert not frame.axis_aligned


@pytest.mark.parametrize(
    ("matrix", "size_px"),
    [
        (((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)), 0),
        (((1.0, 2.0, 0.0), (2.0, 4.0, 0.0)), 8),
        (((0.0, 0.0, 5.0), (0.0, 0.0, 5.0)), 8),
        (((math.nan, 0.0, 0.0), (0.0, 1.0, 0.0)), 8),
        (((1.0, 0.0, math.inf), (0.0, 1.0, 0.0)), 8),
    ],
)
def test_what_cannot_be_inverted_is_no_frame(
    matrix: tuple[tuple[float, float, float], tuple[float, float, float]], size_px: int
) -> None:
    with pytest.raises(ValueError, match=r"inverted|at least one pixel"):
        Frame(matrix, size_px)
