"""What is refused, and what only looks as if it should be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kellgren.imaging import Frame, Radiograph, RegionSpec, cut_region
from kellgren.localise.gate import cut_gate, knee_gate, on_film
from kellgren.localise.landmarks import LEFT, MIDDLE, RIGHT, Joint

FRAME = Frame.of_box(100, 100, 250, 250, size_px=64)


def joint(width: float = 120.0) -> Joint:
    places = {LEFT: (175 - width / 2, 175.0), RIGHT: (175 + width / 2, 175.0), MIDDLE: (175, 175)}
    return Joint(places, dict.fromkeys(places, 0.9))


def film(top: int = 4000) -> NDArray[np.uint16]:
    """A bright leg on a dark ground, with noise."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:400, :350]
    leg = np.exp(-(((x - 175) / 60.0) ** 2)) * (0.6 + 0.3 * np.sin(y / 15.0))
    values = np.clip(0.05 + leg + rng.normal(0, 0.01, leg.shape), 0.0, 1.0)
    return np.asarray(np.rint(values * top), dtype=np.uint16)


def reasons(pixels: NDArray[np.uint16] | NDArray[np.uint8], width: float = 120.0) -> list[str]:
    gate, _ = knee_gate(Radiograph(pixels.copy(), "0" * 64), FRAME, joint(width))
    assert gate.graded is (not gate.reasons)
    return list(gate.reasons)


def test_a_good_knee_is_graded() -> None:
    assert reasons(film()) == []
    assert reasons((film() // 16).astype(np.uint8)) == []


def test_bones_without_detail_are_overexposed() -> None:
    pixels = film()
    pixels[90:260, 90:260] = 4000
    assert reasons(pixels) == ["OVEREXPOSED"]
    # as a lossy file has it
    noisy = pixels.astype(np.int64) - np.random.default_rng(1).integers(0, 30, pixels.shape)
    assert reasons(np.clip(noisy, 0, 4000).astype(np.uint16)) == ["OVEREXPOSED"]


def test_a_knee_in_the_dark_is_underexposed() -> None:
    pixels = film()
    pixels[90:260, 90:260] //= 80
    assert reasons(pixels) == ["UNDEREXPOSED"]
    pixels[90:260, 90:260] = 0
    assert reasons(pixels) == ["UNDEREXPOSED"]


def test_a_broken_pixel_or_a_marker_makes_no_knee_dark() -> None:
    pixels = film()
    pixels[5, 5] = 65535
    assert reasons(pixels) == []
    pixels[110:118, 110:130] = 65535
    assert reasons(pixels) == []


def test_a_marker_in_the_region_does_not_hide_that_it_is_white() -> None:
    pixels = film()
    pixels[90:260, 90:260] = 4000
    pixels[110:116, 110:124] = 6000
    assert reasons(pixels) == ["OVEREXPOSED"]


@pytest.mark.parametrize(("width", "code"), [(47.0, ["TOO_COARSE"]), (49.0, [])])
def test_few_pixels_across_the_plateau(width: float, code: list[str]) -> None:
    assert reasons(film(), width) == code


@pytest.mark.parametrize(
    ("shift", "share", "graded", "warned"),
    [(0, 1.0, True, False), (90, 0.9, True, False), (120, 0.7, True, True), (135, 0.6, True, True),
     (150, 0.5, False, False), (-300, 0.0, False, False), (400, 0.0, False, False)],
)  # fmt: skip
def test_the_share_on_the_film_decides(
    shift: int, share: float, graded: bool, warned: bool
) -> None:
    picture = Radiograph(film()[:, :325].copy(), "0" * 64)
    frame = Frame.of_box(100 + shift, 100, 250 + shift, 250, size_px=64)
    assert on_film(picture, frame) == pytest.approx(share)
    gate, warnings = cut_gate(picture, frame)
    assert (gate.graded, "REGION_CUT" in warnings) == (graded, warned)
    assert gate.reasons == (() if graded else ("REGION_CUT",))
    assert knee_gate(picture, frame, joint())[0].graded is graded


@settings(max_examples=40, deadline=None)
@given(
    degrees=st.floats(-180.0, 180.0),
    x=st.floats(40.0, 300.0),
    y=st.floats(40.0, 350.0),
    side=st.floats(60.0, 260.0),
)
def test_the_share_of_a_turned_region_is_what_a_cut_shows(
    degrees: float, x: float, y: float, side: float
) -> None:
    picture = Radiograph(film(), "0" * 64)
    half = side / 2.0
    frame = Frame.of_box(x - half, y - half, x + half, y + half, size_px=128).rotate(degrees)
    spec = RegionSpec(side=None, side_unit="whole_picture", size_px=128)
    # counted in 128 × 128 pixels
    assert on_film(picture, frame) == pytest.approx(
        cut_region(picture, frame, spec).on_film, abs=0.02
    )
    assert on_film(picture, frame.mirror()) == pytest.approx(on_film(picture, frame), abs=1e-5)


def test_a_turned_region_whose_corners_alone_lie_off_the_film_is_graded() -> None:
    picture = Radiograph(film(), "0" * 64)
    # of the upright box around it a third lies off the film
    frame = Frame.of_box(-20, 100, 100, 220, size_px=64).rotate(45.0)
    assert cut_gate(picture, frame)[0].graded
    x0, _, x1, _ = frame.edges
    assert -x0 / (x1 - x0) > 0.25
    assert on_film(picture, frame) > 0.85
