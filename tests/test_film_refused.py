"""A film that is refused as a whole: through the pipeline, forced, and in words."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from PIL import Image

from kellgren.anatomy import KL, Laterality
from kellgren.grading import Grader
from kellgren.imaging import Frame, Radiograph, RegionSpec
from kellgren.localise import Box, Found, WholePicture
from kellgren.pipeline import FORCED, Film, GradedFilm, Options, grade_film
from kellgren.records import BundleReference, FilmResult, Gate
from kellgren.reporting import from_json, to_json
from kellgren.reporting.entries import entries
from kellgren.reporting.film_overlay import draw_film
from kellgren.reporting.wording import GATE_WORDS, in_words

NO_FILM: Final = "NOT_A_RADIOGRAPH"


@dataclass
class Finder:
    """Finds a knee wherever it looks, or none; and counts how often it was asked."""

    places: tuple[float, ...] = (200.0,)
    asked: list[tuple[int, int]] = field(default_factory=list)
    reference: BundleReference | None = None
    synthetic: bool = False

    def find(
        self, film: Radiograph, spec: RegionSpec, *, laterality: Laterality | None
    ) -> tuple[Found, ...]:
        self.asked.append(film.shape)
        return tuple(
            Found(
                frame=Frame.of_box(x - 100, 100, x + 100, 300, size_px=spec.size_px),
                laterality=laterality or Laterality.RIGHT,
                laterality_source="user",
                scale_source="plateau_width",
            )
            for x in self.places
        )


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """A picture of noise."""
    pixels = np.random.default_rng(0).integers(0, 256, (400, 400), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "noise.png")
    return tmp_path / "noise.png"


@pytest.fixture
def grade(grader: Grader) -> Callable[..., GradedFilm]:
    """One file through the pipeline."""

    def one(
        path: Path,
        finder: Finder | WholePicture,
        *,
        force: bool = False,
        boxes: tuple[Box, ...] = (),
    ) -> GradedFilm:
        graded = grade_film(
            Film(path, path.name, boxes=boxes),
            grader,
            localiser=finder,
            clock=lambda: datetime(2026, 1, 2, tzinfo=UTC),
            options=Options(force=force),
        )
        assert from_json(to_json(graded.result)) == graded.result
        return graded

    return one


def status(result: FilmResult) -> tuple[str, str]:
    (entry,) = entries([result])
    return entry.status, entry.message


def test_it_is_not_searched_and_says_what_to_do(
    noise: Path, grade: Callable[..., GradedFilm]
) -> None:
    finder = Finder()
    graded = grade(noise, finder)
    result = graded.result
    assert (result.gate, result.error) == (Gate(False, (NO_FILM,)), None)
    assert (result.knees, finder.asked) == ((), [])
    assert not result.complete
    assert status(result) == (NO_FILM, GATE_WORDS[NO_FILM])
    assert in_words(result) == f"noise.png: not graded: {NO_FILM}: {GATE_WORDS[NO_FILM]}"
    # its thumbnail stands in the report
    assert graded.radiograph is not None
    assert draw_film(graded.radiograph, (), result, task=KL).size[0] >= 400


def test_a_picture_that_is_said_to_be_a_region_is_refused_too(
    noise: Path, grade: Callable[..., GradedFilm]
) -> None:
    assert grade(noise, WholePicture()).result.gate == Gate(False, (NO_FILM,))


def test_force_grades_what_is_found_and_says_so(
    noise: Path, grade: Callable[..., GradedFilm]
) -> None:
    result = grade(noise, Finder(), force=True).result
    (knee,) = result.knees
    assert knee.kl is not None
    assert result.gate == Gate(True, (NO_FILM,))
    # of the knee itself nothing was amiss
    assert (knee.gate, knee.warnings) == (Gate(), (FORCED,))
    (entry,) = entries([result])
    assert entry.graded
    assert entry.warnings == (FORCED, NO_FILM)


def test_where_no_knee_is_found_either_there_is_nothing_to_force(
    noise: Path, grade: Callable[..., GradedFilm]
) -> None:
    result = grade(noise, Finder(()), force=True).result
    assert result.gate == Gate(False, (NO_FILM, "NO_KNEE"))
    assert status(result)[0] == NO_FILM


def test_who_marked_a_knee_is_believed(noise: Path, grade: Callable[..., GradedFilm]) -> None:
    finder = Finder()
    result = grade(noise, finder, boxes=(Box(100, 100, 300, 300, Laterality.LEFT),)).result
    assert (result.gate, finder.asked) == (Gate(), [])
    assert result.complete
    assert result.knees[0].warnings == ()


def test_a_film_is_searched(tmp_path: Path, grade: Callable[..., GradedFilm]) -> None:
    y, x = np.mgrid[:400, :400]
    Image.fromarray(((x + y) // 4).astype(np.uint8)).save(tmp_path / "smooth.png")
    finder = Finder(())
    result = grade(tmp_path / "smooth.png", finder).result
    # as it is, and as a negative
    assert (result.gate, finder.asked) == (Gate(False, ("NO_KNEE",)), [(400, 400)] * 2)
