"""What is graded: phantoms drawn for the run, and the real knees of ``val`` where they are.

Phantoms are regions that come cut, or whole films as DICOM files.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from kellgren.anatomy import Laterality
from kellgren.datasets import kneekl299
from kellgren.datasets.phantom import Leg, PhantomFilm, draw_knee, sample_knee, write_film

FILM = (3000, 4000)
"""Rows and columns of the film that the figures were asked of."""

FILM_WIDTH_MM = 430.0
"""Of a detector of 35 × 43 cm that lies across, as for both knees."""

DISTINCT_FILMS = 10
"""Chosen: so many films of a large folder differ; drawing one takes seconds."""

DISTINCT = 100
"""Chosen: so many pictures of a large folder differ; drawing all would take longer than grading."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A file and the side that it shows."""

    path: Path
    laterality: Laterality


def draw(folder: Path, number: int, *, suffix: str = ".jpg") -> list[Picture]:
    """Draw right knees into a new folder, at most `DISTINCT` different ones."""
    folder.mkdir()
    pictures: list[Picture] = []
    for index in range(number):
        path = folder / f"{index:05}{suffix}"
        if index < DISTINCT:
            knee = sample_knee(np.random.default_rng(index), laterality=Laterality.RIGHT)
            Image.fromarray(draw_knee(knee)).save(path, quality=92)
        else:
            shutil.copyfile(pictures[index % DISTINCT].path, path)
        pictures.append(Picture(path, Laterality.RIGHT))
    return pictures


def draw_film(path: Path, *, seed: int = 0, size: tuple[int, int] = FILM) -> Path:
    """Draw a film of two knees as an uncompressed DICOM file of 16 bits a pixel."""
    rows, columns = size
    spacing_mm = FILM_WIDTH_MM / columns
    rng = np.random.default_rng(seed)
    legs = [
        Leg(sample_knee(rng, laterality=side), (columns * share, rows / 2), plateau_mm=80.0)
        for side, share in ((Laterality.RIGHT, 0.28), (Laterality.LEFT, 0.72))
    ]
    write_film(PhantomFilm(tuple(legs), size, spacing_mm, seed=seed), path)
    return path


def draw_films(folder: Path, number: int, *, first: Path, size: tuple[int, int]) -> list[Path]:
    """A new folder of films, at most `DISTINCT_FILMS` different ones; the others are hard links.

    Parameters
    ----------
    folder, number
        Where, and how many.
    first
        A film that is there already; every so many are links to it.
    size
        Rows and columns of the others.
    """
    folder.mkdir()
    films: list[Path] = []
    for index in range(number):
        path = folder / f"{index:05}.dcm"
        if 0 < index < DISTINCT_FILMS:
            draw_film(path, seed=index, size=size)
        else:
            path.hardlink_to(films[index % DISTINCT_FILMS] if films else first)
        films.append(path)
    return films


def link_films(folder: Path, number: int, *, to: Path) -> list[Path]:
    """A new folder of so many names of one film."""
    folder.mkdir()
    films = [folder / f"{index:05}.dcm" for index in range(number)]
    for film in films:
        film.hardlink_to(to)
    return films


def real() -> list[Picture]:
    """Every knee of kneeKL299's ``val``; none where ``KELLGREN_DATA`` does not have it."""
    folder = Path(os.environ.get("KELLGREN_DATA", "")).resolve() / kneekl299.NAME
    if "KELLGREN_DATA" not in os.environ or not (folder / "val").is_dir():
        return []
    rows = kneekl299.read(folder, relative_to=folder)
    return [Picture(folder / row.path, row.laterality) for row in rows if row.split == "val"]
