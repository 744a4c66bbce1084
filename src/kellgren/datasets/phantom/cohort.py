"""A folder of phantoms with its tables: the same seed writes the same bytes."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from kellgren import errors
from kellgren.anatomy import KL, Laterality
from kellgren.datasets.landmarks import Placed, write_landmarks
from kellgren.datasets.phantom.draw import draw_knee
from kellgren.datasets.phantom.film import TOP, film_landmarks
from kellgren.datasets.phantom.film_dicom import write_drawn
from kellgren.datasets.phantom.film_drawing import draw_film
from kellgren.datasets.phantom.film_sampling import sample_film
from kellgren.datasets.phantom.geometry import SIZE_PX, Landmark, landmarks
from kellgren.datasets.phantom.knee import TASKS, PhantomKnee
from kellgren.datasets.phantom.sampling import sample_knee
from kellgren.datasets.table import TRUTH, Row, read_table, write_table
from kellgren.files import refuse_foreign, write_atomically
from kellgren.imaging.raster import SYNTHETIC_KEY

NAME: Final = "phantom"

Layout = Literal["regions", "films"]
"""Pictures of one knee each, or whole films."""

_IMAGES: Final = "images"
_LANDMARKS: Final = "landmarks.csv"
_MANIFEST: Final = "manifest.csv"
_SHEET: Final = "sheet.png"

_SPLITS: Final = ("train", "train", "train", "val", "test")
"""Chosen: of each patient in turn, so that ten knees already have all three."""

_SIDES: Final = (Laterality.RIGHT, Laterality.LEFT)

_SHEET_COLUMNS: Final = 8


def write_cohort(
    folder: Path, n: int, *, seed: int, layout: Layout = "regions", sheet: bool = False
) -> Path:
    """Write synthetic knees, fully labelled, as a data set.

    Parameters
    ----------
    folder
        Gets ``images/*.png`` or ``images/*.dcm`` (each marked as synthetic), ``landmarks.csv``,
        ``sheet.png`` if asked for, and, last, ``manifest.csv``. An earlier cohort there is replaced
        as a whole; its ledger, and files of others beside it, stay.
    n
        Pictures. Of regions, these are knees: the right and the left one of each patient in turn.
        Of films, each is of another patient, and shows one knee or both. Picture ``i`` depends on
        ``seed`` and ``i`` only, so that a larger cohort begins with the smaller one. The two knees
        of a patient are no more alike than others.
    seed
        Names the cohort, and its patients.
    layout
        ``regions`` for pictures of one knee each, ``films`` for whole films in DICOM, some 14 MB
        each.
    sheet
        Whether to draw pictures side by side: up to eight knees of each grade, a grade in a row, or
        the first 40 films.

    Returns
    -------
    Path
        The manifest: of each knee the grade ``kl`` and the six OARSI features, by reader ``truth``.

    Raises
    ------
    ValueError
        ``n`` is less than one.
    OutputError
        The folder holds something, but no cohort.
    """
    if n < 1:
        raise ValueError(f"n is {n}; a cohort has at least one picture")
    earlier = _earlier(folder)
    refuse_foreign(folder, ours=bool(earlier), what="cohort")
    _remove(earlier, folder)
    write = _write_region if layout == "regions" else _write_film
    shelves: list[list[NDArray[np.uint8]]] = [[] for _ in KL.classes]
    rows: list[Row] = []
    places: list[Placed] = []
    for index in range(n):
        written = write(folder, seed, index)
        rows += written.rows
        places += written.places
        if written.shelf < len(shelves) and len(shelves[written.shelf]) < _SHEET_COLUMNS:
            shelves[written.shelf].append(written.thumbnail)
    if sheet:
        shown = shelves if layout == "regions" else [shelf for shelf in shelves if shelf]
        _write_picture(_contact_sheet(shown), folder / _SHEET)
    write_landmarks(places, folder / _LANDMARKS)
    manifest = folder / _MANIFEST
    write_table(rows, manifest)
    return manifest


def _earlier(folder: Path) -> tuple[Row, ...]:
    """The rows of the cohort that is there; none if there is none."""
    try:
        rows = read_table(folder / _MANIFEST)
    except errors.TableError:
        return ()
    return rows if all(row.dataset == NAME and row.synthetic for row in rows) else ()


def _remove(rows: tuple[Row, ...], folder: Path) -> None:
    # The manifest goes first: there is none while its pictures are not complete.
    for name in (_MANIFEST, _LANDMARKS, _SHEET) if rows else ():
        (folder / name).unlink(missing_ok=True)
    for picture in {Path(row.path).name for row in rows}:
        (folder / _IMAGES / picture).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True, eq=False)
class _Written:
    """One picture that was written: its lines of the tables, and its place on the sheet."""

    rows: tuple[Row, ...]
    places: tuple[Placed, ...]
    thumbnail: NDArray[np.uint8]
    shelf: int


def _write_region(folder: Path, seed: int, index: int) -> _Written:
    knee = sample_knee(np.random.default_rng((seed, index)), laterality=_SIDES[index % 2])
    pixels = draw_knee(knee)
    patient = _patient(seed, index // 2)
    path = Path(_IMAGES) / f"{patient}{knee.laterality[0].upper()}.png"
    picture = Row(
        path=path.as_posix(),
        sha256=_write_picture(pixels, folder / path),
        kind="region",
        patient=patient,
        split=_split(index // 2),
    )
    return _Written(
        rows=_rows(picture, [knee]),
        places=_places(picture, [knee], [landmarks(knee)]),
        thumbnail=pixels,
        shelf=knee.kl,
    )


def _write_film(folder: Path, seed: int, index: int) -> _Written:
    film = sample_film(np.random.default_rng((seed, index)))
    pixels = draw_film(film)
    patient = _patient(seed, index)
    path = Path(_IMAGES) / f"{patient}.dcm"
    picture = Row(
        path=path.as_posix(),
        sha256=write_drawn(film, pixels, folder / path, patient=patient),
        kind="film",
        patient=patient,
        split=_split(index),
        pixel_spacing_row_mm=film.spacing_mm,
        pixel_spacing_column_mm=film.spacing_mm,
    )
    return _Written(
        rows=_rows(picture, film.knees),
        places=_places(picture, film.knees, film_landmarks(film)),
        thumbnail=_thumbnail(pixels),
        shelf=index // _SHEET_COLUMNS,
    )


def _patient(seed: int, number: int) -> str:
    return f"{NAME}-{seed}-{number:05d}"


def _split(number: int) -> str:
    return _SPLITS[number % len(_SPLITS)]


def _rows(picture: Row, knees: Sequence[PhantomKnee]) -> tuple[Row, ...]:
    return tuple(
        replace(
            picture,
            dataset=NAME,
            exam="baseline",
            visit="V00",
            image=Path(picture.path).stem,
            laterality=knee.laterality,
            synthetic=True,
            task=task.name,
            reader=TRUTH,
            value=knee.grade(task),
        )
        for knee in knees
        for task in TASKS
    )


def _places(
    picture: Row, knees: Sequence[PhantomKnee], found: Sequence[Sequence[Landmark]]
) -> tuple[Placed, ...]:
    return tuple(
        Placed(
            dataset=NAME,
            image=Path(picture.path).stem,
            knee=number,
            landmark=landmark.name,
            x=landmark.x if landmark.visible else None,
            y=landmark.y if landmark.visible else None,
            visible=landmark.visible,
            laterality=knee.laterality,
            annotator=TRUTH,
            date="",  # nobody looked, so there is no day
        )
        for number, (knee, marks) in enumerate(zip(knees, found, strict=True))
        for landmark in marks
    )


def _write_picture(pixels: NDArray[np.uint8], path: Path) -> str:
    """Write a marked PNG; give the hash of its bytes."""
    mark = PngInfo()
    mark.add_text(SYNTHETIC_KEY, "yes")
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, format="PNG", pnginfo=mark)
    with write_atomically(path, binary=True) as stream:
        stream.write(content.getvalue())
    return hashlib.sha256(content.getvalue()).hexdigest()


def _thumbnail(pixels: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """A film in a square as large as a region's picture."""
    picture = Image.fromarray((pixels // ((TOP + 1) // 256)).astype(np.uint8))
    return np.asarray(ImageOps.pad(picture, (SIZE_PX, SIZE_PX)), dtype=np.uint8)


def _contact_sheet(shelves: Sequence[Sequence[NDArray[np.uint8]]]) -> NDArray[np.uint8]:
    columns = max(len(pictures) for pictures in shelves)
    sheet = np.zeros((len(shelves) * SIZE_PX, columns * SIZE_PX), dtype=np.uint8)
    for row, pictures in enumerate(shelves):
        for column, pixels in enumerate(pictures):
            area = np.s_[row * SIZE_PX :, column * SIZE_PX :]
            sheet[area][:SIZE_PX, :SIZE_PX] = pixels
    return sheet
