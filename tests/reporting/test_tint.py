import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kellgren.reporting import tint
from kellgren.reporting.tint import STOPS, colour_table

RAMP = np.linspace(0.0, 1.0, 256, dtype=np.float32)[None]


def spread(picture: NDArray[np.uint8], attention: NDArray[np.float32] | None) -> NDArray[np.int64]:
    pixels = np.asarray(tint(picture, attention)).astype(np.int64)
    return np.asarray(pixels.max(axis=2) - pixels.min(axis=2))


def test_without_attention_the_picture_stays_as_it_is() -> None:
    picture = np.arange(256, dtype=np.uint8).reshape(16, 16)
    for attention in (None, np.zeros((16, 16), dtype=np.float32)):
        pixels = np.asarray(tint(picture, attention))
        np.testing.assert_array_equal(pixels, np.repeat(picture[..., None], 3, axis=2))


@given(st.integers(0, 255))
def test_hotter_is_more_saturated_on_every_grey(grey: int) -> None:
    found = spread(np.full(RAMP.shape, grey, dtype=np.uint8), RAMP)[0]
    # One level of slack for Pillow's rounding in each channel.
    assert (np.diff(found) >= -2).all()
    assert (np.diff(found[::16]) > 0).all()


def test_bone_stays_visible_under_the_hottest_spot() -> None:
    attention = np.ones((1, 2), dtype=np.float32)
    dark, bright = np.asarray(tint(np.array([[60, 180]], dtype=np.uint8), attention))[0]
    assert (bright.astype(int) - dark.astype(int) >= 0.4 * (180 - 60)).all()


def test_the_colours_are_those_of_inferno() -> None:
    matplotlib = pytest.importorskip("matplotlib", reason="the extra 'stats' is not installed")
    inferno = matplotlib.colormaps["inferno"]
    stops = [tuple(round(255 * c) for c in inferno(at / 10)[:3]) for at in range(3, 9)]
    assert tuple(stops) == STOPS
    luminance = colour_table() @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(luminance) >= -0.5).all()


@pytest.mark.parametrize("bad", [np.nan, -0.01, 1.01])
def test_attention_outside_its_range_is_refused(bad: float) -> None:
    attention = np.full((4, 4), bad, dtype=np.float32)
    with pytest.raises(ValueError, match="normalise"):
        tint(np.zeros((4, 4), dtype=np.uint8), attention)


def test_attention_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        tint(np.zeros((4, 4), dtype=np.uint8), np.zeros((4, 5), dtype=np.float32))
