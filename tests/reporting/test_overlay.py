from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from kellgren.anatomy import JSN_MEDIAL, KL, OSTEONECROSIS, VIEW, Laterality, Task
from kellgren.imaging.raster import SYNTHETIC_KEY
from kellgren.records import RESEARCH_USE, BundleReference, Gate, Knee, Prediction
from kellgren.reporting import draw_overlay, write_overlay
from kellgren.reporting.canvas import ACCENT, ACCENT_DIM
from kellgren.reporting.overlay import (
    COLUMN,
    GAP,
    HEIGHT,
    MARGIN,
    PICTURE,
    PICTURE_TOP,
    RIGHT,
    WIDTH,
)

SIDE = 224
PICTURE_PIXELS = np.random.default_rng(1).integers(20, 200, (SIDE, SIDE), dtype=np.uint8)
SLOW = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def draw(
    knee: Knee,
    *,
    picture: NDArray[np.uint8] = PICTURE_PIXELS,
    attention: NDArray[np.float32] | None = None,
    task: Task = KL,
    source: str = "a.png",
    synthetic: bool = False,
) -> Image.Image:
    bundle = BundleReference("kl-tiulpin2018", "1.0.0", "9f" * 32)
    return draw_overlay(
        picture, attention, knee, task=task, bundle=bundle, source=source, synthetic=synthetic
    )


def panel(image: Image.Image, index: int) -> NDArray[np.int64]:
    """The pixels of the first or second region, without the rows that marks stand in."""
    left = MARGIN + index * (PICTURE + GAP)
    pixels = np.asarray(image).astype(np.int64)
    return pixels[PICTURE_TOP + 60 : PICTURE_TOP + PICTURE - 60, left : left + PICTURE]


def saturation(pixels: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray(pixels.max(axis=-1) - pixels.min(axis=-1))


def bars(image: Image.Image) -> list[int]:
    """Lengths of the filled parts, from the top."""
    pixels = np.asarray(image)[PICTURE_TOP + 110 :, COLUMN : RIGHT - 78]
    filled = ((pixels == ACCENT) | (pixels == ACCENT_DIM)).all(axis=2).sum(axis=1)
    starts = [row for row in range(1, len(filled)) if filled[row] and not filled[row - 1]]
    return [int(filled[row]) for row in starts]


def test_only_the_second_region_is_coloured(make_knee: Callable[..., Knee]) -> None:
    image = draw(make_knee(), attention=np.ones((SIDE, SIDE), dtype=np.float32))
    assert saturation(panel(image, 0)).max() == 0
    assert saturation(panel(image, 1)).min() > 60


def test_without_attention_nothing_is_coloured(make_knee: Callable[..., Knee]) -> None:
    image = draw(make_knee())
    assert saturation(panel(image, 0)).max() == 0
    # The place says so in the theme's own, all but neutral, colours.
    assert saturation(panel(image, 1)).max() <= 13


def test_hotter_attention_is_more_saturated_where_it_is_hot(
    make_knee: Callable[..., Knee],
) -> None:
    attention = np.tile(np.linspace(0.0, 1.0, SIDE, dtype=np.float32), (SIDE, 1))
    picture = np.full((SIDE, SIDE), 120, dtype=np.uint8)
    across = saturation(panel(draw(make_knee(), picture=picture, attention=attention), 1)).mean(0)
    assert (np.diff(across[:: PICTURE // 10]) > 0).all()


@SLOW
@given(st.permutations([0.02, 0.08, 0.15, 0.3, 0.45]), st.sets(st.integers(0, 4), min_size=1))
def test_bars_are_as_long_as_their_probabilities(
    make_knee: Callable[..., Knee],
    predict: Callable[..., Prediction],
    shares: list[float],
    members: set[int],
) -> None:
    answer = predict(*shares, members=tuple(sorted(members)))
    lengths = bars(draw(make_knee(kl=answer)))
    assert len(lengths) == 5
    track = lengths[shares.index(0.45)] / 0.45
    assert lengths == [pytest.approx(share * track, abs=2) for share in shares]


def test_a_bar_of_a_member_is_brighter(
    make_knee: Callable[..., Knee], predict: Callable[..., Prediction]
) -> None:
    pixels = np.asarray(draw(make_knee(kl=predict(1, 1, 2, 1, 1, members=(1, 2)))))
    pixels = pixels[PICTURE_TOP + 110 :, COLUMN : RIGHT - 78]
    rows = {
        colour: np.flatnonzero((pixels == colour).all(axis=2).sum(axis=1) > 10)
        for colour in (ACCENT, ACCENT_DIM)
    }
    # Members are the second and third of five.
    assert rows[ACCENT_DIM].min() < rows[ACCENT].min() < rows[ACCENT].max() < rows[ACCENT_DIM].max()


@pytest.mark.parametrize(
    ("laterality", "mirrored", "left"),
    [
        (Laterality.RIGHT, False, True),
        (Laterality.LEFT, False, False),
        (Laterality.RIGHT, True, False),
        (Laterality.LEFT, True, True),
        (Laterality.UNKNOWN, False, True),
    ],
)
def test_the_letter_stands_on_the_lateral_side(
    make_knee: Callable[..., Knee], laterality: Laterality, *, mirrored: bool, left: bool
) -> None:
    black = np.zeros((SIDE, SIDE), dtype=np.uint8)
    image = draw(make_knee(laterality=laterality, mirrored=mirrored), picture=black)
    corner = np.asarray(image)[PICTURE_TOP : PICTURE_TOP + 60, MARGIN : MARGIN + PICTURE].max(
        axis=2
    )
    assert bool(corner[:, : PICTURE // 2].max() > 200) is left
    assert bool(corner[:, PICTURE // 2 :].max() > 200) is not left


@pytest.mark.parametrize("task", [KL, JSN_MEDIAL, VIEW, OSTEONECROSIS], ids=lambda task: task.name)
@pytest.mark.parametrize("laterality", Laterality)
@pytest.mark.parametrize("synthetic", [False, True])
def test_every_overlay_has_the_same_size_and_its_marks(
    make_knee: Callable[..., Knee],
    predict: Callable[..., Prediction],
    task: Task,
    laterality: Laterality,
    *,
    synthetic: bool,
) -> None:
    answer = predict(*range(1, len(task.classes) + 1), ordinal=task.ordinal)
    knee = make_knee(laterality=laterality, kl=None, grades={task.name: answer})
    image = draw(knee, task=task, synthetic=synthetic)
    assert (image.mode, image.size) == ("RGB", (WIDTH, HEIGHT))
    assert image.info["Disclaimer"] == RESEARCH_USE
    assert (SYNTHETIC_KEY in image.info) is synthetic


def test_a_refused_knee_says_why(make_knee: Callable[..., Knee]) -> None:
    refused = make_knee(kl=None, gate=Gate(False, ("REGION_CUT", "TOO_COARSE")))
    other = make_knee(kl=None, gate=Gate(False, ("OVEREXPOSED",)))
    assert bars(draw(refused)) == []
    assert draw(refused).tobytes() != draw(other).tobytes()


def test_synthetic_is_written_on_header_and_regions(make_knee: Callable[..., Knee]) -> None:
    real, synthetic = draw(make_knee()), draw(make_knee(), synthetic=True)
    changed = (np.asarray(real) != np.asarray(synthetic)).any(axis=2)
    assert changed[:PICTURE_TOP].sum() > 1000
    assert changed[PICTURE_TOP:, MARGIN : MARGIN + PICTURE].sum() > 300


def test_warnings_are_drawn_however_many(make_knee: Callable[..., Knee]) -> None:
    pictures = {
        draw(make_knee(warnings=tuple(f"WARNING_{i} " * 8 for i in range(count)))).tobytes()
        for count in (0, 1, 2, 5, 50)
    }
    assert len(pictures) == 5


@SLOW
@given(st.text(), st.text())
def test_any_name_and_any_warning_can_be_drawn(
    make_knee: Callable[..., Knee], source: str, warning: str
) -> None:
    assert draw(make_knee(warnings=(warning,)), source=source).size == (WIDTH, HEIGHT)


def test_hostile_names_can_be_drawn(make_knee: Callable[..., Knee], hostile: str) -> None:
    draw(make_knee(), source="long/" * 60 + hostile)


@pytest.mark.parametrize("shape", [(40, 40), (600, 600), (300, 200), (1, 50)])
def test_pictures_of_any_shape_are_shown(
    make_knee: Callable[..., Knee], shape: tuple[int, int]
) -> None:
    attention = np.full(shape, 0.5, dtype=np.float32)
    image = draw(make_knee(), picture=np.full(shape, 90, dtype=np.uint8), attention=attention)
    assert image.size == (WIDTH, HEIGHT)


def test_attention_of_another_region_is_refused(make_knee: Callable[..., Knee]) -> None:
    with pytest.raises(ValueError, match="shape"):
        draw(make_knee(), attention=np.zeros((8, 8), dtype=np.float32))
    with pytest.raises(ValueError, match="normalise"):
        draw(make_knee(), attention=np.full((SIDE, SIDE), 2.0, dtype=np.float32))


def test_the_same_knee_gives_the_same_file(make_knee: Callable[..., Knee], tmp_path: Path) -> None:
    attention = np.random.default_rng(2).random((SIDE, SIDE), dtype=np.float32)
    for name in ("one.png", "two.png"):
        image = draw(make_knee(), attention=attention, synthetic=True)
        write_overlay(image, tmp_path / "sub" / name)
    one, two = (tmp_path / "sub" / name for name in ("one.png", "two.png"))
    assert one.read_bytes() == two.read_bytes()
    with Image.open(one) as picture:
        assert picture.info == {"Disclaimer": RESEARCH_USE, SYNTHETIC_KEY: "yes"}
        np.testing.assert_array_equal(np.asarray(picture), np.asarray(image))
    assert [path.name for path in sorted((tmp_path / "sub").iterdir())] == ["one.png", "two.png"]
