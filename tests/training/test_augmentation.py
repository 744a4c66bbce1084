"""A distortion is drawn once, can be drawn again, and does what its record says."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from torch import Tensor

from kellgren.systems import SYSTEMS
from kellgren.systems.system import Augmentation
from kellgren.training.augmentation import Distortion, apply, sample_distortion, stream

pytestmark = pytest.mark.usefixtures("one_thread")

SIDE = 32
few = settings(max_examples=25, deadline=None)
SEEDS = st.integers(0, 2**31 - 1)
RANGES = {
    f"{each.name}-{fidelity}": recipe.augmentation
    for each in SYSTEMS.values()
    for fidelity, recipe in each.recipes.items()
} | {"noisy": Augmentation(noise_sd=0.1, flip=0.5, scale=(0.5, 2.0), blur_px=3.0)}


def regions(n: int = 1, *, seed: int = 0) -> Tensor:
    return torch.rand(n, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


def distorted(region: Tensor, *, fill: float = 0.0, **changes: Any) -> Tensor:  # noqa: ANN401 – any field
    return apply(region, [Distortion(**changes)] * len(region), fill=fill)


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


class TestSampling:
    @pytest.mark.parametrize("ranges", RANGES.values(), ids=RANGES)
    def test_within_the_ranges_and_all_over_them(self, ranges: Augmentation) -> None:
        drawn = [sample_distortion(ranges, stream(21, 3, index)) for index in range(300)]
        spans = {
            "brightness": ranges.brightness,
            "contrast": ranges.contrast,
            "gamma": ranges.gamma,
            "scale": ranges.scale,
            "rotation_deg": (-ranges.rotation_deg, ranges.rotation_deg),
            "noise_sd": (0.0, ranges.noise_sd),
            "blur_px": (0.0, ranges.blur_px),
            "detail": ranges.detail,
        }
        values = {name: [getattr(d, name) for d in drawn] for name in spans}
        values |= {f"shift {axis}": [d.shift[axis] for d in drawn] for axis in (0, 1)}
        spans |= {f"shift {axis}": (-ranges.shift, ranges.shift) for axis in (0, 1)}
        for name, (low, high) in spans.items():
            assert low <= min(values[name]) <= max(values[name]) <= high, name
            assert np.ptp(values[name]) >= 0.9 * (high - low), name
        share = float(np.mean([d.flip for d in drawn]))
        assert share == pytest.approx(ranges.flip, abs=0.15)

    @given(st.permutations(range(6)), SEEDS, st.integers(0, 1000))
    @few
    def test_a_sample_does_not_depend_on_the_others(
        self, order: list[int], seed: int, epoch: int
    ) -> None:
        ranges = RANGES["tiulpin2018-modern"]
        expected = {i: sample_distortion(ranges, stream(seed, epoch, i)) for i in range(6)}
        assert {i: sample_distortion(ranges, stream(seed, epoch, i)) for i in order} == expected

    def test_seed_epoch_and_index_each_name_another(self) -> None:
        ranges = RANGES["tiulpin2018-modern"]
        names = [(s, e, i) for s in (21, 42) for e in (0, 1, 2) for i in (0, 1, 2)]
        drawn = {sample_distortion(ranges, stream(*name)) for name in names}
        assert len(drawn) == len(names)

    def test_no_ranges_leave_a_knee_as_it_is(self) -> None:
        found = sample_distortion(Augmentation(), stream(21, 0, 0))
        assert dataclasses.replace(found, noise_seed=0) == Distortion()


class TestApplying:
    def test_no_distortion_changes_nothing(self) -> None:
        close(distorted(regions(3)), regions(3))
        # Nor on the way through the affine map, which a neighbour in the batch may ask for.
        both = apply(regions(2), [Distortion(), Distortion(flip=True)], fill=0.3)
        close(both[0], regions(2)[0])

    @given(st.lists(SEEDS, min_size=1, max_size=4))
    @few
    def test_a_batch_is_its_elements_and_stays_in_range(self, seeds: list[int]) -> None:
        drawn = [
            sample_distortion(ranges, np.random.default_rng(seed))
            for seed in seeds
            for ranges in (RANGES["tiulpin2018-paper"], RANGES["noisy"])
        ]
        batch = regions(len(drawn), seed=seeds[0])
        before = batch.clone()
        together = apply(batch, drawn, fill=0.5)
        assert together.shape == batch.shape
        assert together.dtype == torch.float32
        assert torch.equal(batch, before)
        assert together.min() >= 0.0
        assert together.max() <= 1.0
        for index, distortion in enumerate(drawn):
            alone = apply(batch[index : index + 1], [distortion], fill=0.5)
            torch.testing.assert_close(alone[0], together[index], rtol=0, atol=1e-4)

    def test_what_was_recorded_can_be_replayed(self) -> None:
        drawn = [sample_distortion(RANGES["noisy"], stream(21, 0, index)) for index in range(3)]
        replayed = [Distortion(**dataclasses.asdict(distortion)) for distortion in drawn]
        first, second = (apply(regions(3), record, fill=0.0) for record in (drawn, replayed))
        assert torch.equal(first, second)

    @given(st.integers(-9, 9), st.integers(-9, 9), st.floats(0.0, 1.0))
    @few
    def test_a_shift_moves_by_known_pixels(self, right: int, down: int, fill: float) -> None:
        region = regions()
        found = distorted(region, shift=(right / SIDE, down / SIDE), fill=fill)
        expected = torch.full_like(region, fill)
        rows = slice(max(down, 0), SIDE + min(down, 0))
        columns = slice(max(right, 0), SIDE + min(right, 0))
        expected[..., rows, columns] = torch.roll(region, (down, right), (-2, -1))[
            ..., rows, columns
        ]
        close(found, expected)

    @pytest.mark.parametrize("quarters", [1, 2, 3])
    def test_rotation_turns_about_the_centre(self, quarters: int) -> None:
        found = distorted(regions(), rotation_deg=90.0 * quarters)
        turned = [torch.rot90(regions(), k * quarters, (-2, -1)) for k in (1, -1)]
        assert any(torch.allclose(found, each, atol=1e-4) for each in turned)

    @given(st.floats(-40.0, 40.0))
    @few
    def test_turning_back_brings_a_smooth_picture_back(self, angle: float) -> None:
        y, x = torch.meshgrid(*[torch.linspace(-1, 1, SIDE)] * 2, indexing="ij")
        spot = torch.exp(-(((x - 0.3) / 0.4) ** 2) - ((y + 0.2) / 0.3) ** 2)[None, None]
        there = distorted(spot, rotation_deg=angle)
        back = distorted(there, rotation_deg=-angle)
        assert (back - spot).abs().max() < 0.08
        if abs(angle) > 20.0:
            assert (there - spot).abs().max() > 0.1

    def test_a_flip_mirrors(self) -> None:
        close(distorted(regions(), flip=True), regions().flip(-1))

    def test_a_larger_scale_shows_less(self) -> None:
        region = torch.zeros(1, 1, SIDE, SIDE)
        region[..., 12:20, 12:20] = 1.0
        larger, smaller = (distorted(region, scale=scale).sum() for scale in (2.0, 0.5))
        assert larger == pytest.approx(4 * 64, rel=0.02)
        assert smaller == pytest.approx(64 / 4, rel=0.02)

    def test_intensities(self) -> None:
        region = regions()
        close(distorted(region, brightness=0.7), region * 0.7)
        close(distorted(region, brightness=1.3), (region * 1.3).clamp(max=1.0))
        close(distorted(region, gamma=2.0), region**2)
        mean = region.mean()
        close(distorted(region, contrast=0.5), (region - mean) * 0.5 + mean)
        close(distorted(region, contrast=1.3), ((region - mean) * 1.3 + mean).clamp(0, 1))

    @pytest.mark.parametrize("sds", [(1.0, 0.4), (2.0, 0.0)])
    def test_detail_is_what_a_gaussian_takes_away(self, sds: tuple[float, float]) -> None:
        batch = regions(2) * 0.5 + 0.25
        blurred = torch.from_numpy(
            np.stack(
                [
                    gaussian_filter(
                        region, (0, sd, sd), mode="nearest", radius=math.ceil(3 * sds[0])
                    )
                    for region, sd in zip(batch.numpy(), sds, strict=True)
                ]
            )
        )
        for detail in (0.0, 0.5, 1.0, 1.3):
            found = apply(batch, [Distortion(blur_px=sd, detail=detail) for sd in sds], fill=0.0)
            close(found, (blurred + detail * (batch - blurred)).clamp(0.0, 1.0))

    def test_clear_is_all_but_blur_and_noise(self) -> None:
        region = regions()
        drawn = Distortion(brightness=0.7, shift=(0.1, 0.0), noise_sd=0.1, blur_px=2.0, detail=0.0)
        cleared = distorted(region, **dataclasses.asdict(drawn.clear))
        close(cleared, distorted(region, brightness=0.7, shift=(0.1, 0.0)))

    def test_noise_is_white_and_its_own(self) -> None:
        grey = torch.full((2, 1, 64, 64), 0.5)
        found = apply(grey, [Distortion(noise_sd=0.05, noise_seed=s) for s in (1, 2)], fill=0.0)
        assert (found - grey).std().item() == pytest.approx(0.05, rel=0.05)
        assert (found - grey).mean().item() == pytest.approx(0.0, abs=0.003)
        assert not torch.equal(found[0], found[1])
        again = apply(grey[:1], [Distortion(noise_sd=0.05, noise_seed=1)], fill=0.0)
        assert torch.equal(again[0], found[0])
