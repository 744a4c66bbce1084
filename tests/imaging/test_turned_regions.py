"""A region that is not upright shows what its frame says, as sharp as an upright one."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kellgren.imaging import Frame, Radiograph, RegionSpec, cut_region

SEEDS = st.integers(0, 2**31 - 1)
few = settings(max_examples=40, deadline=None)


def spec(
    size_px: int, *, percentiles: tuple[float, float] = (5.0, 99.0), fill: float = 0.0
) -> RegionSpec:
    return RegionSpec(
        side=None,
        side_unit="whole_picture",
        size_px=size_px,
        percentiles=percentiles,
        levels=None,
        fill=fill,
    )


def film(pixels: NDArray[Any]) -> Radiograph:
    return Radiograph(pixels, "0" * 64)


def noise(seed: int, rows: int, columns: int) -> Radiograph:
    values = np.random.default_rng(seed).integers(0, 256, (rows, columns))
    return film(values.astype(np.uint8))


def waves(rows: int = 90, columns: int = 110) -> Radiograph:
    """A smooth film, of which every place looks different."""
    y, x = np.mgrid[:rows, :columns]
    shade = np.sin(x / 13.0) + np.cos(y / 11.0 + x / 40.0) + x / 50.0
    return film(((shade - shade.min()) * 15_000).astype(np.uint16))


EXACT = spec(64, percentiles=(0.0, 100.0))


@given(*[st.floats(-20.0, 60.0)] * 2, st.floats(30.0, 120.0), st.integers(24, 64))
@few
def test_nearly_upright_is_nearly_the_same(x: float, y: float, side: float, size: int) -> None:
    picture, how = waves(), spec(size, percentiles=(0.0, 100.0))
    upright = Frame.of_box(x, y, x + side, y + side, size_px=size)
    turned = upright.rotate(0.01)
    assert not turned.axis_aligned
    one, other = cut_region(picture, upright, how), cut_region(picture, turned, how)
    # The upright way counts whole target pixels at the film's edge.
    assert abs(one.on_film - other.on_film) <= 2.5 / size
    both = (one.pixels > 0) & (other.pixels > 0)
    # And it moves what lies past an edge by up to half of one.
    inside = min(x, y) >= 0.0 and x + side <= 110.0 and y + side <= 90.0
    assert np.abs(one.pixels - other.pixels)[both].mean() < (0.01 if inside else 0.05)


@given(SEEDS, st.integers(1, 3), *[st.floats(5.0, 34.0)] * 2, st.floats(20.0, 45.0))
@few
def test_turning_film_and_frame_by_a_right_angle_changes_nothing(
    seed: int, quarters: int, x: float, y: float, side: float
) -> None:
    smooth = waves(80, 90).pixels
    grain = np.random.default_rng(seed).integers(0, 500, smooth.shape)
    picture = film((smooth + grain).astype(np.uint16))
    frame = Frame.of_box(x, y, x + side, y + side, size_px=32)
    turned, other = picture.pixels, frame
    for _ in range(quarters):
        # Counter-clockwise: (x, y) of the film becomes (y, columns − 1 − x).
        last = turned.shape[1] - 1
        (a, b, tx), (c, d, ty) = other.matrix
        other = Frame(((c, d, ty), (-a, -b, last - tx)), other.size_px)
        turned = np.rot90(turned)
    how = spec(32)
    one = cut_region(picture, frame, how)
    two = cut_region(film(turned.copy()), other, how)
    np.testing.assert_allclose(one.pixels, two.pixels, rtol=0, atol=0.03)
    assert np.abs(one.pixels - two.pixels).mean() < 0.005


@given(st.floats(-180.0, 180.0), st.integers(0, 10), st.booleans())
@few
def test_what_a_region_shows_is_where_its_frame_says(
    degrees: float, shift: int, mirrored: bool
) -> None:
    pixels = np.full((160, 180), 10, np.uint8)
    pixels[70 + shift : 78 + shift, 90:98] = 200
    frame = Frame.of_box(40.0, 30.0, 140.0, 130.0, size_px=64).rotate(degrees)
    if mirrored:
        frame = frame.mirror()
    region = cut_region(film(pixels), frame, EXACT)
    y, x = np.average(
        np.indices(region.pixels.shape).reshape(2, -1), axis=1, weights=region.pixels.ravel()
    )
    np.testing.assert_allclose(
        region.frame.to_film((x, y)), (93.5, 73.5 + shift), rtol=0, atol=0.35
    )


@given(SEEDS, st.floats(-90.0, 90.0))
@few
def test_a_mirrored_frame_is_the_mirrored_region(seed: int, degrees: float) -> None:
    picture, how = noise(seed, 60, 70), spec(32)
    frame = Frame.of_box(15.0, 10.0, 50.0, 45.0, size_px=32).rotate(degrees)
    region = cut_region(picture, frame, how)
    facing = cut_region(picture, frame.mirror(), how)
    np.testing.assert_array_equal(facing.pixels, region.mirror().pixels)
    np.testing.assert_allclose(facing.frame.matrix, frame.mirror().matrix, atol=1e-9)


@pytest.mark.parametrize("degrees", [0.0, 7.0, 45.0])
def test_fine_stripes_are_averaged_not_aliased(degrees: float) -> None:
    # One pixel black, one white, ten to a target pixel; above them a white field for the scale.
    stripes = np.tile(np.array([0, 200], np.uint8), (400, 200))
    stripes[:200] = 200
    frame = Frame.of_box(120.0, 100.0, 320.0, 300.0, size_px=20).rotate(degrees)
    values = cut_region(film(stripes), frame, spec(20, percentiles=(0.0, 100.0))).pixels
    grey = values[values < 0.5]
    assert grey.size > 100
    assert grey.std() < 0.08


@given(SEEDS, st.floats(-180.0, 180.0), *[st.floats(-40.0, 90.0)] * 2)
@few
def test_the_share_on_film_is_that_of_its_pixels(
    seed: int, degrees: float, x: float, y: float
) -> None:
    picture, how = noise(seed, 70, 80), spec(48, fill=0.25)
    frame = Frame.of_box(x, y, x + 40.0, y + 40.0, size_px=48).rotate(degrees)
    assume(not frame.axis_aligned)
    centres = frame.to_film(np.indices((48, 48))[::-1].reshape(2, -1).T)
    inside = ((centres > -0.5) & (centres < (79.5, 69.5))).all(axis=1).reshape(48, 48)
    if not inside.any():
        with pytest.raises(ValueError, match="off the film"):
            cut_region(picture, frame, how)
        return
    region = cut_region(picture, frame, how)
    # Pixels whose centre falls on the very edge may go either way.
    assert abs(region.on_film - inside.mean()) <= 48 / 48**2
    assert (region.pixels[~inside] != np.float32(0.25)).sum() <= 48


def test_the_films_edge_is_made_of_film_alone() -> None:
    bright = film(np.full((60, 60), 200, np.uint8) + np.eye(60, dtype=np.uint8))
    frame = Frame.of_box(-20.0, -20.0, 40.0, 40.0, size_px=30).rotate(20.0)
    region = cut_region(bright, frame, spec(30, percentiles=(0.0, 100.0), fill=0.0))
    raw = region.pixels[region.pixels > 0]
    assert 0.3 < region.on_film < 0.8
    # Without the mask pixels at the edge would be halfway to black, and everything else 1.
    assert raw.mean() < 0.5


def test_a_far_too_large_frame_costs_no_memory() -> None:
    frame = Frame.of_box(-1e6, -1e6, 1e6, 1e6, size_px=64).rotate(10.0)
    with pytest.raises(ValueError, match="off the film"):
        cut_region(waves(), frame, EXACT)
    frame = Frame.of_box(-1500.0, -1500.0, 1500.0, 1500.0, size_px=64).rotate(10.0)
    assert cut_region(waves(), frame, EXACT).on_film < 0.01
