"""The landmarks table: where named points of knees lie on pictures, and who says so."""

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.files import write_atomically


@dataclass(frozen=True, slots=True)
class Placed:
    """One landmark of one knee.

    Parameters
    ----------
    dataset, image
        As in the manifest that lists the picture.
    knee
        Counted from zero, from the picture's left.
    landmark
        Its name; ``image_left`` and ``image_right`` are the picture's sides.
    x, y
        Pixels of the picture, centres at integers; None where it is not visible.
    laterality
        Of the knee.
    annotator, date
        Who looked, and when (ISO 8601).
    """

    dataset: str
    image: str
    knee: int
    landmark: str
    x: float | None
    y: float | None
    visible: bool
    laterality: Laterality
    annotator: str
    date: str


COLUMNS = tuple(field.name for field in fields(Placed))


def read_landmarks(path: Path) -> tuple[Placed, ...]:
    """Read a landmarks table (CSV).

    Raises
    ------
    TableError
        It is missing, has other columns, or a cell does not hold what its column says.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise errors.TableError(
                    f"{path.name}: not a landmarks table. Its columns are {', '.join(COLUMNS)}."
                )
            return tuple(
                _placed(cells, f"{path.name}, row {number}")
                for number, cells in enumerate(reader, start=2)
            )
    except OSError as error:
        raise errors.TableError(f"{path}: no such table. Give a CSV file.") from error
    except (csv.Error, ValueError) as error:
        raise errors.TableError(f"{path.name}: cannot be read ({error}).") from error


def write_landmarks(landmarks: Iterable[Placed], path: Path) -> None:
    """Write a landmarks table; it appears whole or not at all."""
    with write_atomically(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(_cells(placed) for placed in landmarks)


def _placed(cells: dict[str, str], where: str) -> Placed:
    if None in cells or None in cells.values():
        raise errors.TableError(f"{where}: more or fewer cells than columns.")
    try:
        x, y = (_number(cells[name]) for name in ("x", "y"))
        placed = Placed(
            dataset=cells["dataset"],
            image=cells["image"],
            knee=int(cells["knee"]),
            landmark=cells["landmark"],
            x=x,
            y=y,
            visible={"0": False, "1": True}[cells["visible"]],
            laterality=Laterality(cells["laterality"]),
            annotator=cells["annotator"],
            date=cells["date"],
        )
    except (ValueError, KeyError) as error:
        raise errors.TableError(f"{where}: a cell cannot be read ({error}).") from error
    if (x is None) != (y is None) or (placed.visible and x is None):
        raise errors.TableError(f"{where}: what is visible has an x and a y.")
    return placed


def _number(text: str) -> float | None:
    if text == "":
        return None
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no place")
    return value


def _cells(placed: Placed) -> tuple[str, ...]:
    place = ("" if value is None else f"{value:.3f}" for value in (placed.x, placed.y))
    return (
        placed.dataset,
        placed.image,
        str(placed.knee),
        placed.landmark,
        *place,
        str(int(placed.visible)),
        str(placed.laterality),
        placed.annotator,
        placed.date,
    )
