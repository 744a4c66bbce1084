"""Films with dark bone, of which no tag says so, are graded as their negatives and say so."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from typer.testing import CliRunner

import kellgren
from kellgren.anatomy import Laterality
from kellgren.cli import app
from kellgren.datasets.phantom import Leg, PhantomFilm, draw_film, sample_knee
from kellgren.imaging.raster import SYNTHETIC_KEY
from kellgren.localise.polarity import INVERTED
from kellgren.records import FilmResult

pytestmark = pytest.mark.usefixtures("fixed_time")


@pytest.fixture
def pixels() -> NDArray[np.uint8]:
    rng = np.random.default_rng(5)
    legs = tuple(
        Leg(sample_knee(rng, laterality=side), (130.0 + 200.0 * place, 240.0), 80.0)
        for place, side in enumerate((Laterality.RIGHT, Laterality.LEFT))
    )
    drawn = draw_film(PhantomFilm(legs=legs, size=(480, 460), spacing_mm=0.8, seed=5))
    # from 0 to 255, so that the negative of its negative is the film to the bit
    drawn = drawn.astype(np.float64) - drawn.min()
    return np.asarray(np.rint(drawn * (255.0 / drawn.max())), dtype=np.uint8)


def save(pixels: NDArray[np.uint8], path: Path) -> None:
    mark = PngInfo()
    mark.add_text(SYNTHETIC_KEY, "yes")
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(path, pnginfo=mark)


@pytest.fixture
def films(pixels: NDArray[np.uint8], tmp_path: Path) -> Path:
    save(pixels, tmp_path / "films" / "bright.png")
    save(255 - pixels, tmp_path / "films" / "dark.png")
    return tmp_path / "films"


def about(result: FilmResult) -> list[object]:
    """What must be the same of a film whichever way its grey levels run."""
    return [replace(knee, warnings=(), attention_png=None) for knee in result.knees]


def test_grades_boxes_and_pictures_are_those_of_the_film_with_bright_bone(
    films: Path, tmp_path: Path
) -> None:
    results = {result.source: result for result in kellgren.grade(films, output=tmp_path / "out")}
    bright, dark = results["bright.png"], results["dark.png"]
    assert len(bright.knees) == 2
    assert bright.complete
    assert about(dark) == about(bright)
    assert all(knee.warnings == () for knee in bright.knees)
    assert all(knee.warnings == (INVERTED,) for knee in dark.knees)
    assert bright.sha256 != dark.sha256
    first, second = (_film_part(tmp_path / "out" / str(r.film_png)) for r in (bright, dark))
    np.testing.assert_array_equal(first, second)
    assert "Its negative was graded" in (tmp_path / "out" / "report.html").read_text("utf-8")
    rows = (tmp_path / "out" / "grades.csv").read_text("utf-8").splitlines()
    assert [INVERTED in row for row in rows] == ["dark.png" in row for row in rows]


def test_regions_to_learn_from_have_bright_bone(films: Path, tmp_path: Path) -> None:
    prepared = tmp_path / "prepared"
    assert CliRunner().invoke(app, ["prepare", str(films), "-o", str(prepared)]).exit_code == 0
    regions = sorted((prepared / "regions").glob("*.png"))
    assert len(regions) == 4
    bright, dark = (
        [np.asarray(Image.open(path)) for path in regions if path.name.startswith(name)]
        for name in ("bright", "dark")
    )
    np.testing.assert_array_equal(bright, dark)


def _film_part(path: Path) -> NDArray[np.uint8]:
    """What of a film's overlay is above the words below it."""
    picture = np.asarray(Image.open(path).convert("L"))
    return picture[:400]
