"""A film for a reader: never too large, always the same bytes, everything in its place."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from kellgren.anatomy import KL
from kellgren.imaging import Frame, Radiograph
from kellgren.imaging.raster import SYNTHETIC_KEY
from kellgren.records import RESEARCH_USE, FilmResult, Gate, Knee, Problem, RegionFrame
from kellgren.reporting import draw_film, write_overlay, write_report
from kellgren.reporting.film_overlay import LONGEST
from kellgren.reporting.overlay import DISCLAIMER_KEY

Make = Callable[..., Any]
Numbers = np.ndarray[Any, np.dtype[np.int64]]


def film(rows: int = 400, columns: int = 300) -> Radiograph:
    values = np.tile(np.linspace(0, 4000, columns).astype(np.uint16), (rows, 1))
    return Radiograph(values, "0" * 64)


def draw(result: FilmResult, picture: Radiograph, attention: object = None) -> Image.Image:
    return draw_film(picture, [attention] * len(result.knees), result, task=KL)  # type: ignore[list-item] # maps or None


def pixels(image: Image.Image) -> Numbers:
    return np.asarray(image).astype(np.int64)


@pytest.fixture
def placed(make_knee: Make) -> Callable[..., Knee]:
    """A knee whose region is a box."""

    def make(*box: float, **changes: object) -> Knee:
        knee: Knee = replace(make_knee(), box_px=box or (100.0, 150.0, 200.0, 250.0))
        return replace(knee, **changes)  # type: ignore[arg-type] # a factory of keywords

    return make


@pytest.mark.parametrize(
    "shape", [(400, 300), (4000, 3000), (3000, 4000), (33, 3000), (3000, 33), (64, 64)]
)
def test_no_side_is_longer_than_is_promised(
    make_film: Make, placed: Make, shape: tuple[int, int]
) -> None:
    many = Gate(False, ("REGION_CUT", "TOO_COARSE", "UNDEREXPOSED"))
    knees = (placed(), placed(kl=None, grades={}, gate=many, warnings=("A", "B")))
    image = draw(make_film(knees=knees, synthetic=True), film(*shape))
    assert max(image.size) <= LONGEST
    assert image.mode == "RGB"


def test_the_same_film_is_the_same_bytes(make_film: Make, placed: Make, tmp_path: Path) -> None:
    result = make_film(knees=(placed(),))
    attention = np.random.default_rng(0).random((64, 64), dtype=np.float32)
    for name in ("1.png", "2.png"):
        write_overlay(draw(result, film(), attention), tmp_path / name)
    assert (tmp_path / "1.png").read_bytes() == (tmp_path / "2.png").read_bytes()


@pytest.mark.parametrize("synthetic", [False, True])
def test_it_carries_its_marks(
    make_film: Make, placed: Make, tmp_path: Path, synthetic: bool
) -> None:
    image = draw(make_film(knees=(placed(),), synthetic=synthetic), film())
    write_overlay(image, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as written:
        assert written.info[DISCLAIMER_KEY] == RESEARCH_USE
        assert (written.info.get(SYNTHETIC_KEY) == "yes") is synthetic


def test_attention_lies_in_the_region_and_nowhere_else(make_film: Make, placed: Make) -> None:
    result = make_film(knees=(placed(),))
    plain = pixels(draw(result, film()))
    warm = pixels(draw(result, film(), np.ones((64, 64), np.float32)))
    changed = np.abs(warm - plain).sum(axis=-1) > 0
    scale = 900 / 400
    rows, columns = np.nonzero(changed)
    assert columns.min() >= 100 * scale - 2
    assert columns.max() <= 200 * scale + 2
    assert rows.min() >= 150 * scale - 2
    assert rows.max() <= 250 * scale + 2
    assert changed.sum() > 0.7 * (100 * scale) ** 2


def turned(knee: Knee, frame: Frame) -> Knee:
    return replace(knee, region=RegionFrame(frame.matrix, frame.size_px), box_px=frame.edges)


@pytest.mark.parametrize("degrees", [-60.0, 20.0, 45.0, 90.0])
def test_attention_of_a_turned_region_is_turned_with_it(
    make_film: Make, placed: Make, degrees: float
) -> None:
    """One corner of the attention is warm: it is where the frame says, inside the outline."""
    frame = Frame.of_box(100.0, 150.0, 200.0, 250.0, size_px=64).rotate(degrees)
    result = make_film(knees=(turned(placed(), frame),))
    attention = np.zeros((64, 64), np.float32)
    attention[2:14, 4:20] = 1.0
    plain, warm = pixels(draw(result, film())), pixels(draw(result, film(), attention))
    rows, columns = np.nonzero(np.abs(warm - plain).sum(axis=-1))
    scale = 900 / 400
    x, y = (frame.to_film((11.5, 7.5)) + 0.5) * scale
    assert (columns.mean(), rows.mean()) == pytest.approx((x, y), abs=2.0)
    area = 12 * 16 * (100 / 64 * scale) ** 2
    assert rows.size == pytest.approx(area, rel=0.25)


def test_a_turned_region_is_outlined_along_its_own_edges(make_film: Make, placed: Make) -> None:
    frame = Frame.of_box(100.0, 150.0, 200.0, 250.0, size_px=64).rotate(30.0)
    with_it = pixels(draw(make_film(knees=(turned(placed(kl=None, grades={}), frame),)), film()))
    grey = (np.abs(with_it - with_it[..., :1]).sum(axis=-1) == 0)[:900, :675]
    rows, columns = np.nonzero(~grey)
    places = np.stack([columns + 0.5, rows + 0.5], axis=1) / (900 / 400) - 0.5
    inside = np.abs(frame.to_crop(places) - 31.5).max(axis=1)
    edges = inside[rows > frame.edges[1] * 900 / 400 + 4]  # below the words
    assert edges.size > 400
    assert (np.abs(edges - 31.5) < 2.0).all()


@pytest.mark.parametrize("move", [-150.0, 0.0, 180.0, 5000.0])
def test_turned_regions_past_the_edge_stay_off_the_words(
    make_film: Make, placed: Make, move: float
) -> None:
    frame = Frame.of_box(100.0 + move, 150.0 + move, 200.0 + move, 250.0 + move, size_px=64)
    attention = np.ones((64, 64), np.float32)
    image = draw(make_film(knees=(turned(placed(), frame.rotate(33.0)),)), film(), attention)
    without = draw(make_film(knees=(placed(10.0, 60.0, 20.0, 70.0),)), film())
    assert np.array_equal(pixels(image)[905:], pixels(without)[905:])


def test_landmarks_are_crosses_where_they_lie(make_film: Make, placed: Make) -> None:
    plain = pixels(draw(make_film(knees=(placed(),)), film()))
    marked = placed(landmarks={"joint_middle": (150.0, 200.0), "fibula_head": (900.0, 9.0)})
    crossed = pixels(draw(make_film(knees=(marked,)), film()))
    rows, columns = np.nonzero(np.abs(crossed - plain).sum(axis=-1))
    scale = 900 / 400
    assert (columns.mean(), rows.mean()) == pytest.approx((150.5 * scale, 200.5 * scale), abs=1.5)
    assert np.ptp(columns) < 25


@pytest.mark.parametrize(
    "box",
    [(-50, -50, 50, 50), (250, 350, 400, 500), (-900, 0, -800, 100), (0, 900, 9, 909),
     (100.2, 100.2, 100.3, 100.3), (-500, -500, 900, 900)],
)  # fmt: skip
def test_regions_past_the_edge_can_be_drawn_and_stay_off_the_words(
    make_film: Make, placed: Make, box: tuple[float, ...]
) -> None:
    attention = np.ones((64, 64), np.float32)
    inside = make_film(knees=(placed(10.0, 60.0, 20.0, 70.0),))
    image = draw(make_film(knees=(placed(*box),)), film(), attention)
    # the words below the film are the same wherever the region is
    assert np.array_equal(pixels(image)[905:], pixels(draw(inside, film()))[905:])


def test_what_was_refused_says_so(make_film: Make) -> None:
    plain = draw(make_film(knees=()), film())
    none = draw(make_film(knees=(), gate=Gate(False, ("NO_KNEE",))), film())
    error = Problem("film.scale", "no spacing \u202e<b> 膝. Give --spacing-mm.")
    unread = draw(make_film(knees=(), error=error), film())
    assert none.height > plain.height
    assert unread.height > plain.height
    assert not np.array_equal(pixels(none), pixels(unread))


def test_the_report_shows_refused_films(make_film: Make, make_knee: Make, tmp_path: Path) -> None:
    refused = [
        make_film("none.dcm", knees=(), gate=Gate(False, ("NO_KNEE",)), film_png="films/none.png"),
        make_film("out.dcm", knees=(), gate=Gate(False, ("NO_KNEE",)), film_png="../out.png"),
        make_film("empty.dcm", knees=(), error=Problem("file.empty", "No bytes.")),
    ]
    graded = make_film("good.dcm", knees=(make_knee(),), film_png="films/good.png")
    for name in ("none", "good"):
        write_overlay(draw(make_film(knees=()), film()), tmp_path / "films" / f"{name}.png")
    page = write_report([graded, *refused], tmp_path, title="t").read_text("utf-8")
    assert page.count("<img ") == 1
    assert '<a href="films/none.png"><img class="thumbnail" src="films/none.png"' in page
    assert 'alt="none.dcm, not graded"' in page
    assert '<a class="film" href="films/good.png">' in page
    assert "../out.png" not in page
    assert "Give its place with <code>--boxes</code>" in page
