"""Frames map there and back, and turning one round twice changes nothing."""

import math
from typing import Any

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


Steps = st.lists(
    st.one_of(
        st.tuples(st.just("rotate"), st.floats(-720.0, 720.0)),
        st.tuples(st.just("mirror"), st.just(0)),
        st.tuples(st.just("pad"), st.integers(0, 300)),
        st.tuples(st.just("resize"), st.integers(1, 1024)),
        st.tuples(
            st.just("part"),
            st.tuples(st.integers(-50, 300), st.integers(-50, 300), st.integers(1, 400)),
        ),
    ),
    max_size=6,
)


class TestSteps:
    @given(boxes(), st.integers(1, 512), Steps, st.tuples(SHARES, SHARES))
    def test_any_way_there_is_a_way_back(
        self,
        box: tuple[float, float, float, float],
        size: int,
        steps: list[tuple[str, Any]],
        shares: tuple[float, float],
    ) -> None:
        frame = Frame.of_box(*box, size_px=size)
        for step, value in steps:
            match step:
                case "mirror":
                    frame = frame.mirror()
                case "part":
                    frame = frame.part(*value)
                case _:
                    frame = getattr(frame, step)(value)
        point = points(frame, shares)
        # Far from the middle a film pixel is a large number: 1e-6 of the crop's side.
        back = frame.to_crop(frame.to_film(point))
        np.testing.assert_allclose(back, point, rtol=0, atol=1e-6 * max(frame.size_px, 1))

    @given(
        st.floats(0.0, 4000.0),
        st.floats(0.0, 4000.0),
        st.floats(100.0, 2000.0),
        st.integers(64, 512),
        st.floats(-180.0, 180.0),
        st.integers(0, 100),
        st.tuples(SHARES, SHARES),
    )
    def test_crop_rotate_mirror_pad_and_back(
        self,
        x: float,
        y: float,
        side: float,
        size: int,
        degrees: float,
        margin: int,
        shares: tuple[float, float],
    ) -> None:
        crop = Frame.of_box(x, y, x + side, y + side, size_px=size)
        whole = crop.rotate(degrees).mirror().pad(margin)
        point = points(whole, shares)
        film = whole.to_film(point)
        np.testing.assert_allclose(whole.to_crop(film), point, rtol=0, atol=1e-6)
        # Undone one by one, the frames are those that were left.
        undone = whole.pad(-margin).mirror().rotate(-degrees)
        assert undone.size_px == crop.size_px
        np.testing.assert_allclose(undone.matrix, crop.matrix, rtol=0, atol=1e-6)
        np.testing.assert_allclose(undone.to_crop(film), crop.to_crop(film), rtol=0, atol=1e-6)

    @given(frames(), st.floats(-360.0, 360.0))
    def test_a_turn_keeps_the_middle(self, frame: Frame, degrees: float) -> None:
        middle = ((frame.size_px - 1) / 2,) * 2
        turned = frame.rotate(degrees)
        assert turned.mirrored is frame.mirrored
        np.testing.assert_allclose(turned.to_film(middle), frame.to_film(middle), rtol=0, atol=1e-6)

    def test_a_turn_is_clockwise_as_the_film_is_seen(self) -> None:
        frame = Frame.of_box(0.0, 0.0, 100.0, 100.0, size_px=101).rotate(30.0)
        across = np.subtract(frame.to_film((100, 50)), frame.to_film((0, 50)))
        # y counts downwards.
        assert math.degrees(math.atan2(across[1], across[0])) == pytest.approx(30.0)
        down = np.subtract(frame.to_film((50, 100)), frame.to_film((50, 0)))
        assert float(across @ down) == pytest.approx(0.0, abs=1e-9)

    @given(st.floats(-180.0, 180.0), st.floats(0.3, 3.0))
    def test_a_square_stays_one_in_millimetres(self, degrees: float, aspect: float) -> None:
        # 100 mm across at 1 mm a column, and so many columns a row.
        square = Frame.of_box(0.0, 0.0, 100.0, 100.0 / aspect, size_px=10)
        turned = square.rotate(degrees, pixel_aspect=aspect)
        (a, b, _), (c, d, _) = turned.matrix
        across, down = np.array((a, c * aspect)), np.array((b, d * aspect))
        assert math.hypot(*across) == pytest.approx(10.0)
        assert math.hypot(*down) == pytest.approx(10.0)
        assert float(across @ down) == pytest.approx(0.0, abs=1e-9)

    @given(frames(), st.integers(1, 600), st.tuples(SHARES, SHARES))
    def test_a_resized_frame_shows_the_same_square(
        self, frame: Frame, size: int, shares: tuple[float, float]
    ) -> None:
        other = frame.resize(size)
        assert other.size_px == size
        assert other.mirrored is frame.mirrored
        np.testing.assert_allclose(
            other.to_film(points(other, shares)),
            frame.to_film(points(frame, shares)),
            rtol=0,
            atol=1e-6,
        )

    @given(frames(), *[st.integers(-300, 300)] * 2, st.integers(1, 300))
    def test_a_part_is_where_it_was(self, frame: Frame, x: int, y: int, size: int) -> None:
        part = frame.part(x, y, size)
        np.testing.assert_allclose(
            part.to_film([(0, 0), (7, 3)]),
            frame.to_film([(x, y), (x + 7, y + 3)]),
            rtol=0,
            atol=1e-6,
        )

    @given(frames(), st.integers(0, 100))
    def test_padding_is_a_larger_part(self, frame: Frame, margin: int) -> None:
        padded = frame.pad(margin)
        assert padded.size_px == frame.size_px + 2 * margin
        np.testing.assert_allclose(
            padded.to_film((margin, margin)), frame.to_film((0, 0)), rtol=0, atol=1e-6
        )
        assert padded.pad(-margin).size_px == frame.size_px

    def test_nothing_is_left_of_a_crop_that_is_padded_away(self) -> None:
        with pytest.raises(ValueError, match="at least one pixel"):
            Frame.of_box(0.0, 0.0, 9.0, 9.0, size_px=9).pad(-5)
