"""A folder of phantoms with its tables: the same seed writes the same bytes."""

import csv
import hashlib
import io
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from kellgren import errors
from kellgren.anatomy import KL, Laterality
from kellgren.datasets.phantom.draw import draw_knee
from kellgren.datasets.phantom.geometry import SIZE_PX, landmarks
from kellgren.datasets.phantom.knee import TASKS, PhantomKnee
from kellgren.datasets.phantom.sampling import sample_knee
from kellgren.datasets.table import TRUTH, Row, read_table, write_table
from kellgren.files import refuse_foreign, write_atomically
from kellgren.imaging.raster import SYNTHETIC_KEY

NAME: Final = "phantom"

_IMAGES: Final = "images"
_LANDMARKS: Final = "landmarks.csv"
_MANIFEST: Final = "manifest.csv"
_SHEET: Final = "sheet.png"

_SPLITS: Final = ("train", "train", "train", "val", "test")
"""Chosen: of each patient in turn, so that ten knees already have all three."""

_SIDES: Final = (Laterality.RIGHT, Laterality.LEFT)

_LANDMARK_COLUMNS: Final = (
    "dataset",
    "image",
    "knee",
    "landmark",
    "x",
    "y",
    "visible",
    "laterality",
    "annotator",
    "date",
)

_SHEET_COLUMNS: Final = 8


def write_cohort(folder: Path, n: int, *, seed: int, sheet: bool = False) -> Path:
    """Write synthetic knees, fully labelled, as a data set.

    Parameters
    ----------
    folder
        Gets ``images/*.png`` (each marked as synthetic), ``landmarks.csv``, ``sheet.png`` if asked
        for, and, last, ``manifest.csv``. An earlier cohort there is replaced as a whole; its
        ledger, and files of others beside it, stay.
    n
        Knees: the right and the left one of each patient in turn. Knee ``i`` depends on ``seed``
        and ``i`` only, so that a larger cohort begins with the smaller one. The two knees of a
        patient are no more alike than others.
    seed
        Names the cohort, and its patients.
    sheet
        Whether to draw up to eight knees of each grade side by side, a grade in a row.

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
        raise ValueError(f"n is {n}; a cohort has at least one knee")
    earlier = _earlier(folder)
    refuse_foreign(folder, ours=bool(earlier), what="cohort")
    _remove(earlier, folder)
    rows: list[Row] = []
    places: list[tuple[str, ...]] = []
    shown: dict[int, list[NDArray[np.uint8]]] = {grade: [] for grade in range(len(KL.classes))}
    for index in range(n):
        knee = sample_knee(np.random.default_rng((seed, index)), laterality=_SIDES[index % 2])
        pixels = draw_knee(knee)
        patient = f"{NAME}-{seed}-{index // 2:05d}"
        path = Path(_IMAGES) / f"{patient}{knee.laterality[0].upper()}.png"
        sha256 = _write_picture(pixels, folder / path)
        rows += _rows(knee, patient, path, sha256, _SPLITS[index // 2 % len(_SPLITS)])
        places += _places(knee, path.stem)
        if len(shown[knee.kl]) < _SHEET_COLUMNS:
            shown[knee.kl].append(pixels)
    if sheet:
        _write_picture(_contact_sheet(shown), folder / _SHEET)
    with write_atomically(folder / _LANDMARKS) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(_LANDMARK_COLUMNS)
        writer.writerows(places)
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


def _rows(knee: PhantomKnee, patient: str, path: Path, sha256: str, split: str) -> list[Row]:
    return [
        Row(
            dataset=NAME,
            path=path.as_posix(),
            sha256=sha256,
            kind="region",
            patient=patient,
            exam="baseline",
            visit="V00",
            image=path.stem,
            laterality=knee.laterality,
            split=split,
            synthetic=True,
            task=task.name,
            reader=TRUTH,
            value=knee.grade(task),
        )
        for task in TASKS
    ]


def _places(knee: PhantomKnee, image: str) -> list[tuple[str, ...]]:
    return [
        (
            NAME,
            image,
            "0",  # the only knee of its picture
            landmark.name,
            f"{landmark.x:.3f}",
            f"{landmark.y:.3f}",
            "1",
            str(knee.laterality),
            TRUTH,
            "",  # nobody looked, so there is no day
        )
        for landmark in landmarks(knee)
    ]


def _write_picture(pixels: NDArray[np.uint8], path: Path) -> str:
    """Write a marked PNG; give the hash of its bytes."""
    mark = PngInfo()
    mark.add_text(SYNTHETIC_KEY, "yes")
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, format="PNG", pnginfo=mark)
    with write_atomically(path, binary=True) as stream:
        stream.write(content.getvalue())
    return hashlib.sha256(content.getvalue()).hexdigest()


def _contact_sheet(shown: dict[int, list[NDArray[np.uint8]]]) -> NDArray[np.uint8]:
    columns = max(len(pictures) for pictures in shown.values())
    sheet = np.zeros((len(shown) * SIZE_PX, columns * SIZE_PX), dtype=np.uint8)
    for row, pictures in shown.items():
        for column, pixels in enumerate(pictures):
            area = np.s_[row * SIZE_PX :, column * SIZE_PX :]
            sheet[area][:SIZE_PX, :SIZE_PX] = pixels
    return sheet
