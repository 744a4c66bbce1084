"""A knee stays itself on a film that is mirrored, inverted, in fewer bits or in fewer pixels.

The shipped bundles look at phantom films, of whose sides no tag speaks.
"""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import kellgren
from kellgren.datasets.phantom import PhantomFilm, draw_film, sample_film
from kellgren.datasets.phantom.film import TOP
from kellgren.datasets.phantom.film_dicom import write_drawn
from kellgren.imaging.raster import SYNTHETIC_KEY
from kellgren.records import FilmResult, Knee

SEED = 2
FILMS = 36
VARIED = 12
"""The first so many films are shown in every way, all others as they are and mirrored."""

COARSER = 2.5
"""Pixels are wider than a detector's, so that a film is drawn, read and searched in half a second;
a region has still more of them than the bundle looks at."""

OTHER: dict[str, Literal["MONOCHROME1", "MONOCHROME2"]] = {
    "MONOCHROME1": "MONOCHROME2",
    "MONOCHROME2": "MONOCHROME1",
}

SIDES = ("ImageLaterality", "Laterality", "PatientOrientation")

Seen = dict[tuple[int, str], FilmResult]
"""By the film's number, and how it was shown."""


def film_of(index: int) -> PhantomFilm:
    """A phantom film, all lengths in coarser pixels."""
    film = sample_film(np.random.default_rng((SEED, index)))
    beam = film.collimation
    if beam is not None:
        beam = replace(
            beam,
            left=beam.left / COARSER,
            top=beam.top / COARSER,
            right=beam.right / COARSER,
            bottom=beam.bottom / COARSER,
        )
    return replace(
        film,
        size=(round(film.size[0] / COARSER), round(film.size[1] / COARSER)),
        spacing_mm=film.spacing_mm * COARSER,
        legs=tuple(replace(leg, origin=_scaled(leg.origin)) for leg in film.legs),
        markers=tuple(
            replace(mark, middle=_scaled(mark.middle), height_px=mark.height_px / COARSER)
            for mark in film.markers
        ),
        collimation=beam,
    )


def _scaled(place: tuple[float, float]) -> tuple[float, float]:
    return place[0] / COARSER, place[1] / COARSER


def write_all(film: PhantomFilm, folder: Path, *, varied: bool) -> None:
    """The same film in every way, each in a file named after it."""
    drawn = draw_film(film)
    write_dicom(film, drawn, folder / "plain.dcm")
    write_dicom(film, drawn[:, ::-1], folder / "mirrored.dcm")
    if not varied:
        return
    negative = replace(film, photometric=OTHER[film.photometric])
    write_dicom(negative, drawn, folder / "negative.dcm")
    rows, columns = (length // 2 * 2 for length in drawn.shape)
    quarters = drawn[:rows, :columns].reshape(rows // 2, 2, columns // 2, 2)
    half = np.rint(quarters.mean(axis=(1, 3))).astype(np.uint16)
    half_film = replace(film, size=half.shape, spacing_mm=2.0 * film.spacing_mm)
    write_dicom(half_film, half, folder / "half.dcm")
    eight = (drawn // ((TOP + 1) // 256)).astype(np.uint8)
    write_png(eight, folder / "eight.png")


def write_dicom(film: PhantomFilm, drawn: NDArray[np.uint16], path: Path) -> None:
    write_drawn(film, drawn, path)
    dataset = pydicom.dcmread(path)
    for keyword in SIDES:
        dataset.pop(keyword, None)
    dataset.save_as(path)


def write_png(pixels: NDArray[np.uint8], path: Path) -> None:
    mark = PngInfo()
    mark.add_text(SYNTHETIC_KEY, "yes")
    Image.fromarray(pixels).save(path, pnginfo=mark, compress_level=1)


@pytest.fixture(scope="module")
def films() -> list[PhantomFilm]:
    """What was drawn."""
    return [film_of(index) for index in range(FILMS)]


@pytest.fixture(scope="module")
def seen(films: list[PhantomFilm], tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """What the shipped bundles make of every film, shown in every way."""
    folder = tmp_path_factory.mktemp("films")
    for index, film in enumerate(films):
        write_all(film, folder / str(index), varied=index < VARIED)
    results = kellgren.grade(folder)
    shutil.rmtree(folder)  # pytest would keep its 200 MB
    sources = [Path(result.source) for result in results]
    return {
        (int(source.parent.name), source.stem): result
        for source, result in zip(sources, results, strict=True)
    }


def pairs(
    films: list[PhantomFilm], seen: Seen, way: str
) -> Iterator[tuple[PhantomFilm, Knee, Knee]]:
    """Every knee on the plain film, and the same knee on the film shown in another way."""
    for index, film in enumerate(films):
        if (index, way) not in seen:
            continue
        plain, other = seen[index, "plain"].knees, seen[index, way].knees
        if way == "mirrored":
            other = other[::-1]
        assert len(plain) == len(other) == len(film.legs), index
        for one, another in zip(plain, other, strict=True):
            assert one.kl is not None
            assert another.kl is not None
            yield film, one, another


def test_a_mirrored_film_swaps_the_sides(films: list[PhantomFilm], seen: Seen) -> None:
    truth = [knee.laterality for film in films for knee in film.knees]
    found = list(pairs(films, seen, "mirrored"))
    # Enough that one knee is no more than two in a hundred.
    assert len(found) >= 50
    assert {knee.laterality_source for _, knee, _ in found} == {"place", "landmarks"}
    assert [knee.laterality for _, knee, _ in found] == truth
    assert [knee.laterality for _, _, knee in found] == [side.mirrored for side in truth]


def test_a_mirrored_film_moves_no_centre(films: list[PhantomFilm], seen: Seen) -> None:
    for film, one, other in pairs(films, seen, "mirrored"):
        (x0, y0, x1, y1), (u0, v0, u1, v1) = one.box_px, other.box_px
        columns = film.size[1]
        off = np.hypot(x0 + x1 - (2 * columns - u0 - u1), y0 + y1 - v0 - v1) / 2.0
        assert off <= 0.02 * (x1 - x0)


def test_a_mirrored_film_keeps_the_grades(films: list[PhantomFilm], seen: Seen) -> None:
    kept = [
        one.kl.grade == other.kl.grade
        for _, one, other in pairs(films, seen, "mirrored")
        if one.kl and other.kl
    ]
    assert np.mean(kept) >= 0.98


@pytest.mark.parametrize(("way", "scale"), [("negative", 1.0), ("eight", 1.0), ("half", 2.0)])
def test_the_box_stays(films: list[PhantomFilm], seen: Seen, way: str, scale: float) -> None:
    found = list(pairs(films, seen, way))
    assert len(found) >= VARIED
    for _, one, other in found:
        box, again = np.array(one.box_px), scale * np.array(other.box_px)
        assert np.abs(again - box).max() <= 0.03 * (box[2] - box[0])
        assert one.laterality is other.laterality
