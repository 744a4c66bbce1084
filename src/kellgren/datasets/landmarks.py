"""The landmarks table: where named points of knees lie on pictures, and who says so."""

import csv
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
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise errors.TableError(
                    f"{path.name}: not a landmarks table. Its columns are {', '.join(COLUMNS)}."
                )
            return tuple(_placed(cells) for cells in reader)
    except OSError as error:
        raise errors.TableError(f"{path}: no such table. Give a CSV file.") from error
    except (ValueError, TypeError) as error:
        raise errors.TableError(f"{path.name}: a cell cannot be read ({error}).") from error


def write_landmarks(landmarks: Iterable[Placed], path: Path) -> None:
    """Write a landmarks table; it appears whole or not at all."""
    with write_atomically(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(_cells(placed) for placed in landmarks)


def _placed(cells: dict[str, str]) -> Placed:
    return Placed(
        dataset=cells["dataset"],
        image=cells["image"],
        knee=int(cells["knee"]),
        landmark=cells["landmark"],
        x=float(cells["x"]) if cells["x"] else None,
        y=float(cells["y"]) if cells["y"] else None,
        visible=cells["visible"] == "1",
        laterality=Laterality(cells["laterality"]),
        annotator=cells["annotator"],
        date=cells["date"],
    )


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
