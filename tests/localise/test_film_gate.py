"""What cannot be a radiograph, and what only looks as if it could not."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.datasets.phantom import draw_knee, sample_knee
from kellgren.datasets.phantom.film_drawing import draw_film
from kellgren.datasets.phantom.film_sampling import sample_film
from kellgren.imaging import Radiograph, read_film
from kellgren.localise.gate import MOST_ROUGHNESS, film_gate, roughness

Pixels = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]

WORDS = "The joint space is narrowed and there are osteophytes at both margins of the tibia. " * 200


def film(pixels: Pixels) -> Radiograph:
    return Radiograph(pixels.copy(), "0" * 64)


def refused(pixels: Pixels) -> bool:
    gate = film_gate(film(pixels))
    assert gate.reasons == (() if gate.graded else ("NOT_A_RADIOGRAPH",))
    return not gate.graded


def knee(seed: int = 0) -> NDArray[np.uint8]:
    return draw_knee(sample_knee(np.random.default_rng(seed), laterality=Laterality.RIGHT))


def page(size: int = 18, shape: tuple[int, int] = (1100, 800)) -> NDArray[np.uint8]:
    """Black letters on white paper, with margins, two thirds of the page."""
    paper = Image.new("L", shape[::-1], 255)
    pen, font = ImageDraw.Draw(paper), ImageFont.load_default(size=size)
    a_line = max(int(0.8 * shape[1] / pen.textlength("n", font=font)), 1)
    for number, y in enumerate(range(shape[0] // 12, 2 * shape[0] // 3, int(1.4 * size))):
        text = WORDS[number * a_line : (number + 1) * a_line]
        pen.text((shape[1] // 10, y), text, fill=0, font=font)
    return np.asarray(paper)


class TestRefused:
    @pytest.mark.parametrize("size", [10, 18, 32])
    def test_pages_of_text(self, size: int) -> None:
        text = page(size)
        assert refused(text)
        assert refused(255 - text)
        assert refused(np.where(text > 128, 65535, 0).astype(np.uint16))

    def test_a_scanned_page(self) -> None:
        rng = np.random.default_rng(0)
        light = np.linspace(1.0, 0.8, 1100)[:, None]
        scan = page() * light + rng.normal(0.0, 6.0, (1100, 800))
        assert refused(np.clip(scan, 0, 255).astype(np.uint8))

    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
    def test_noise(self, dtype: type) -> None:
        noise = np.random.default_rng(0).uniform(0, 255, (900, 700))
        assert refused(noise.astype(dtype))

    def test_a_drawing_of_lines(self) -> None:
        paper = Image.new("L", (800, 600), 255)
        pen = ImageDraw.Draw(paper)
        for x in range(0, 800, 12):
            pen.line((x, 0, 800 - x, 600), fill=0, width=2)
        assert refused(np.asarray(paper))

    def test_nothing_but_specks_or_grain(self) -> None:
        blank = np.full((900, 700), 40, dtype=np.uint8)
        assert refused(blank)
        blank[5, 5], blank[400:404, 300:304] = 0, 255
        assert refused(blank)
        grain = np.random.default_rng(0).integers(0, 2, blank.shape, dtype=np.uint8)
        assert refused(blank + grain)


class TestNotRefused:
    @pytest.mark.parametrize("seed", range(2))
    def test_phantoms_of_one_knee_and_of_whole_films(self, seed: int) -> None:
        assert not refused(knee(seed))
        assert not refused(draw_film(sample_film(np.random.default_rng(seed))))

    def test_a_film_made_worse(self) -> None:
        """Grain, equalisation, few levels, a wide black border, a letter of lead, few pixels."""
        pixels = knee()
        rng = np.random.default_rng(0)
        grainy = pixels + rng.normal(0.0, 0.2 * pixels.std(), pixels.shape)
        assert not refused(np.clip(grainy, 0, 255).astype(np.uint8))
        ranks = np.bincount(pixels.ravel(), minlength=256).cumsum() / pixels.size
        assert not refused((255 * ranks[pixels]).astype(np.uint8))
        assert not refused(pixels // 16)
        bordered = np.zeros((900, 900), dtype=np.uint8)
        bordered[:299, 300:599] = pixels
        assert not refused(bordered)
        bordered[700:720, 100:140] = 255
        assert not refused(bordered)
        assert not refused(np.kron(pixels, np.ones((4, 4), dtype=np.uint8)))
        assert not refused(np.asarray(Image.fromarray(pixels).resize((40, 40))))

    def test_what_is_smooth_is_left_to_the_localiser(self) -> None:
        y, x = np.mgrid[:600, :500]
        assert not refused(((x + y) // 5).astype(np.uint8))


class TestRoughness:
    def test_white_noise_has_one_and_a_slope_hardly_any(self) -> None:
        noise = np.random.default_rng(0).normal(1000.0, 50.0, (600, 500)).astype(np.float32)
        assert roughness(film(noise)) == pytest.approx(1.0, abs=0.02)
        slope = np.tile(np.arange(500, dtype=np.uint16), (600, 1))
        assert roughness(film(slope)) < 1e-3

    @settings(max_examples=12, deadline=None)
    @given(seed=st.integers(0, 2), gain=st.integers(1, 200), offset=st.integers(0, 5000))
    def test_exposure_polarity_and_turning_do_not_matter(
        self, seed: int, gain: int, offset: int
    ) -> None:
        pixels = knee(seed).astype(np.uint16)
        one = pytest.approx(roughness(film(pixels)), rel=1e-3)  # in single precision
        assert roughness(film(pixels * np.uint16(gain) + np.uint16(offset))) == one
        assert roughness(film(np.uint16(60000) - pixels)) == one
        assert roughness(film(pixels.T)) == one


@pytest.mark.data
@pytest.mark.skipif(
    "KELLGREN_DATA" not in os.environ,
    reason="the real films are not public to commit; set KELLGREN_DATA to their folder",
)
@pytest.mark.parametrize(
    ("pattern", "every"),
    [
        ("whole_films/*.jpg", 1),
        ("dicom/*.dcm", 1),
        ("digital_knee_xray/images/*.png", 10),
        ("kneeKL299/val/*/*.jpg", 10),
    ],
)
def test_no_radiograph_of_any_body_part_comes_near_the_limit(pattern: str, every: int) -> None:
    paths = sorted(Path(os.environ["KELLGREN_DATA"]).glob(pattern))[::every]
    found = {path.name: found for path in paths if (found := _roughness(path)) is not None}
    assert len(found) > 0.8 * len(paths) > 0
    assert max(found.values()) < 0.25 * MOST_ROUGHNESS, max(found, key=lambda name: found[name])


def _roughness(path: Path) -> float | None:
    try:
        return roughness(read_film(path))
    except errors.InputError:
        return None
