"""A region is the film's pixels, normalised by what is on film, wherever its frame lies."""

from typing import Literal

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from kellgren.anatomy import Laterality
from kellgren.datasets.phantom import draw_knee, sample_knee
from kellgren.imaging import (
    Frame,
    Radiograph,
    Region,
    RegionSpec,
    cut_region,
    standardise,
    whole_picture,
)

SEEDS = st.integers(0, 2**31 - 1)
few = settings(max_examples=40, deadline=None)

Pixels = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]


def spec(
    size_px: int,
    *,
    levels: Literal[256] | None = None,
    percentiles: tuple[float, float] = (5.0, 99.0),
    fill: float = 0.0,
) -> RegionSpec:
    return RegionSpec(
        side=None,
        side_unit="whole_picture",
        size_px=size_px,
        percentiles=percentiles,
        levels=levels,
        fill=fill,
    )


def film(pixels: Pixels) -> Radiograph:
    return Radiograph(pixels, "0" * 64)


def noise(seed: int, rows: int, columns: int, *, bits: Literal[8, 16] = 8) -> Radiograph:
    values = np.random.default_rng(seed).integers(0, 2**bits, (rows, columns))
    return film(values.astype(np.uint8) if bits == 8 else values.astype(np.uint16))


def whole(picture: Radiograph, how: RegionSpec) -> Region:
    return cut_region(picture, whole_picture(picture, how), how)


def phantom(seed: int, laterality: Laterality = Laterality.RIGHT) -> NDArray[np.uint8]:
    return draw_knee(sample_knee(np.random.default_rng(seed), laterality=laterality))


class TestWholePicture:
    @given(SEEDS, st.integers(32, 64), st.sampled_from([None, 256]))
    @few
    def test_at_its_own_size_nothing_but_the_intensity_changes(
        self, seed: int, size: int, levels: Literal[256] | None
    ) -> None:
        picture = noise(seed, size, size)
        region = whole(picture, spec(size, levels=levels))
        low, high = np.percentile(picture.pixels, (5.0, 99.0))
        expected = np.clip((picture.pixels - low) / (high - low), 0.0, 1.0)
        # A rounded value may fall to either side of a tie.
        step = 1e-6 if levels is None else 0.5 / 255 + 1e-6
        np.testing.assert_allclose(region.pixels, expected, rtol=0, atol=step)
        assert region.pixels.dtype == np.float32
        assert region.on_film == 1.0
        assert region.frame.edges == pytest.approx((0.0, 0.0, size, size))

    @given(SEEDS, st.integers(32, 90), st.integers(32, 90), st.integers(32, 64))
    @few
    def test_any_shape_becomes_the_square(
        self, seed: int, rows: int, columns: int, size: int
    ) -> None:
        picture = noise(seed, rows, columns)
        region = whole(picture, spec(size))
        assert region.pixels.shape == (size, size)
        assert region.on_film == 1.0
        assert region.frame.edges == pytest.approx((0.0, 0.0, columns, rows), abs=1e-9)

    @pytest.mark.parametrize(("rows", "columns"), [(60, 120), (120, 60), (77, 299)])
    def test_a_stretched_picture_keeps_its_places(self, rows: int, columns: int) -> None:
        pixels = np.full((rows, columns), 10, np.uint8)
        pixels[20:28, 30:38] = 200
        region = whole(film(pixels), spec(64, percentiles=(0.0, 100.0)))
        y, x = np.average(
            np.indices(region.pixels.shape).reshape(2, -1), axis=1, weights=region.pixels.ravel()
        )
        np.testing.assert_allclose(region.frame.to_film((x, y)), (33.5, 23.5), rtol=0, atol=0.5)

    def test_half_the_resolution_looks_alike(self) -> None:
        large = phantom(1)[:298, :298]
        small = np.asarray(Image.fromarray(large).reduce(2))
        assert small.shape == (149, 149)
        how = spec(96, levels=256)
        seen = whole(film(large), how).pixels
        same = np.abs(whole(film(small), how).pixels - seen).mean()
        other = np.abs(whole(film(phantom(2)), how).pixels - seen).mean()
        assert same < 0.01
        assert same < other / 5

    @given(SEEDS, st.integers(32, 64), st.integers(32, 64))
    @few
    def test_eight_bits_and_sixteen_give_the_same(self, seed: int, rows: int, columns: int) -> None:
        short = noise(seed, rows, columns)
        long = film(short.pixels.astype(np.uint16) * np.uint16(257))
        exact = spec(48)
        np.testing.assert_allclose(
            whole(short, exact).pixels, whole(long, exact).pixels, rtol=0, atol=1e-5
        )
        rounded = spec(48, levels=256)
        difference = np.abs(whole(short, rounded).pixels - whole(long, rounded).pixels)
        assert difference.max() <= 1 / 255 + 1e-6
        assert (difference > 1e-6).mean() < 0.01  # ties


class TestIntensity:
    @given(SEEDS, st.floats(0.0, 30.0), st.floats(70.0, 100.0))
    @few
    def test_percentiles_become_zero_and_one(self, seed: int, low: float, high: float) -> None:
        # 64 × 64 different values: the share below a percentile is exact to one pixel.
        values = np.random.default_rng(seed).permutation(64 * 64).reshape(64, 64)
        region = whole(film(values.astype(np.uint16)), spec(64, percentiles=(low, high)))
        assert region.pixels.min() == 0.0
        assert region.pixels.max() == 1.0
        assert (region.pixels == 0.0).mean() == pytest.approx(low / 100, abs=2 / 64**2)
        assert (region.pixels == 1.0).mean() == pytest.approx(1 - high / 100, abs=2 / 64**2)

    def test_levels_are_256_or_all(self) -> None:
        picture = noise(3, 64, 64, bits=16)
        steps = whole(picture, spec(64, levels=256)).pixels * 255
        np.testing.assert_allclose(steps, np.rint(steps), rtol=0, atol=1e-4)
        assert len(np.unique(whole(picture, spec(64)).pixels)) > 3000

    def test_order_is_kept(self) -> None:
        values = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
        assert (np.diff(whole(film(values), spec(64, levels=256)).pixels.ravel()) >= 0).all()

    @given(SEEDS, st.integers(0, 64 * 64 - 1), st.sampled_from([1, 255, 65535]))
    @few
    def test_a_nearly_blank_picture_gives_finite_values(
        self, seed: int, place: int, value: int
    ) -> None:
        pixels = np.full(64 * 64, seed % 50, np.uint16)
        pixels[place] = value
        region = whole(film(pixels.reshape(64, 64)), spec(48, levels=256))
        assert np.isfinite(region.pixels).all()
        assert region.pixels.min() >= 0.0
        assert region.pixels.max() <= 1.0

    def test_the_last_step_is_the_networks(self) -> None:
        how = spec(4)
        pixels = np.linspace(0.0, 1.0, 16, dtype=np.float32).reshape(1, 1, 4, 4)
        done = standardise(pixels, how)
        assert done.dtype == np.float32
        np.testing.assert_allclose(done * how.sd + how.mean, pixels, rtol=0, atol=1e-6)
        assert abs(float(done.mean())) < 1e-6
        assert (how.mean, how.sd) == (0.5, 0.25)


class TestPastTheEdges:
    @given(SEEDS, *[st.integers(0, 20)] * 3, st.floats(0.0, 1.0))
    @few
    def test_what_is_on_film_does_not_care_what_is_not(
        self, seed: int, left: int, top: int, more: int, fill: float
    ) -> None:
        # At the film's own resolution, so that the two grids are one.
        picture, side = noise(seed, 40, 40), 40 + max(left, top) + more
        how = spec(side, fill=fill)
        frame = Frame.of_box(-left, -top, side - left, side - top, size_px=side)
        region = cut_region(picture, frame, how)
        inner = np.zeros((side, side), np.bool_)
        inner[top : top + 40, left : left + 40] = True
        alone = whole(picture, spec(40)).pixels
        np.testing.assert_allclose(region.pixels[inner], alone.ravel(), rtol=0, atol=1e-6)
        assert (region.pixels[~inner] == np.float32(fill)).all()
        assert region.on_film == pytest.approx(40 * 40 / side**2)

    @given(SEEDS, *[st.floats(-60.0, 60.0)] * 2, st.floats(10.0, 150.0))
    @few
    def test_the_share_on_film_is_that_of_the_areas(
        self, seed: int, x: float, y: float, side: float
    ) -> None:
        picture = noise(seed, 50, 70)
        width = min(x + side, 70.0) - max(x, 0.0)
        height = min(y + side, 50.0) - max(y, 0.0)
        frame = Frame.of_box(x, y, x + side, y + side, size_px=64)
        if min(width, height) <= 0.0:
            with pytest.raises(ValueError, match="off the film"):
                cut_region(picture, frame, spec(64))
            return
        region = cut_region(picture, frame, spec(64))
        # Whole pixels are counted: up to one off at either axis.
        assert abs(region.on_film - width * height / side**2) < 2.5 / 64
        assert region.on_film > 0.0

    @pytest.mark.parametrize(
        "box",
        [
            (63.9, 0.0, 163.9, 64.0),
            (-99.9, 0.0, 0.1, 64.0),
            (0.0, 63.9, 64.0, 163.9),
            (0.0, -99.9, 64.0, 0.1),
        ],
    )
    def test_a_sliver_of_film_is_still_film(self, box: tuple[float, float, float, float]) -> None:
        frame = Frame.of_box(*box, size_px=32)
        assert cut_region(noise(4, 64, 64), frame, spec(32)).on_film == pytest.approx(1 / 32)

    def test_the_film_keeps_its_place_in_the_region(self) -> None:
        pixels = np.full((50, 70), 10, np.uint8)
        pixels[20:28, 30:38] = 200
        frame = Frame.of_box(-31.3, -12.7, 68.7, 87.3, size_px=80)
        region = cut_region(film(pixels), frame, spec(80, percentiles=(0.0, 100.0)))
        y, x = np.average(
            np.indices(region.pixels.shape).reshape(2, -1), axis=1, weights=region.pixels.ravel()
        )
        # Up to half a pixel of the region (here 0.6 of the film) is lost to whole pixels.
        np.testing.assert_allclose(frame.to_film((x, y)), (33.5, 23.5), rtol=0, atol=0.65)


class TestMirroring:
    @given(
        SEEDS,
        st.integers(32, 60),
        st.integers(32, 60),
        st.integers(16, 49),
        *[st.floats(-30.0, 25.0)] * 2,
        st.floats(10.0, 90.0),
    )
    @few
    def test_mirroring_the_film_mirrors_the_region(
        self, seed: int, rows: int, columns: int, size: int, x: float, y: float, side: float
    ) -> None:
        x, y = max(x, 1.0 - side), max(y, 1.0 - side)
        # A target pixel whose centre is the very edge is on film on one side and not on the other.
        ends = np.array((x, y, x - columns, y - rows)) / side * size + 0.5
        assume((np.abs(ends - np.rint(ends)) > 1e-6).all())
        picture = noise(seed, rows, columns)
        frame = Frame.of_box(x, y, x + side, y + side, size_px=size)
        turned = film(np.fliplr(picture.pixels).astype(np.uint8))
        facing = Frame.of_box(columns - x - side, y, columns - x, y + side, size_px=size)
        region = cut_region(picture, frame, spec(size)).mirror()
        other = cut_region(turned, facing, spec(size))
        np.testing.assert_allclose(region.pixels, other.pixels, rtol=0, atol=1e-4)
        assert region.on_film == other.on_film

    def test_a_mirrored_region_says_where_it_was(self) -> None:
        picture = noise(5, 40, 60)
        region = whole(picture, spec(32))
        mirrored = region.mirror()
        assert mirrored.frame.mirrored
        np.testing.assert_array_equal(mirrored.pixels[:, 3], region.pixels[:, -4])
        np.testing.assert_allclose(mirrored.frame.to_film((3, 7)), region.frame.to_film((28, 7)))
        np.testing.assert_array_equal(mirrored.mirror().pixels, region.pixels)

    def test_a_knee_and_its_mirror_image_are_one_region(self) -> None:
        how = spec(96, levels=256)
        right = whole(film(phantom(6, Laterality.RIGHT)), how)
        left = whole(film(phantom(6, Laterality.LEFT)), how)
        assert np.abs(right.pixels - left.mirror().pixels).max() <= 1 / 255 + 1e-6
        assert np.abs(right.pixels - left.pixels).max() > 0.5


class TestRefusals:
    def test_a_frame_of_another_size(self) -> None:
        picture = noise(7, 40, 40)
        with pytest.raises(ValueError, match="64"):
            cut_region(picture, whole_picture(picture, spec(32)), spec(64))

    def test_pixels_of_three_axes(self) -> None:
        with pytest.raises(ValueError, match="two axes"):
            film(np.zeros((40, 40, 3), np.uint8))

    def test_a_film_cannot_be_written_on(self) -> None:
        picture = noise(9, 40, 40)
        before = picture.pixels.copy()
        whole(picture, spec(40))
        np.testing.assert_array_equal(picture.pixels, before)
        with pytest.raises(ValueError, match="read-only"):
            picture.pixels[0, 0] = 1
