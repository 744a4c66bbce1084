"""``--boxes``: knees that a person marked."""

import csv
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.imaging import Frame, Radiograph, RegionSpec
from kellgren.localise.gate import cut_gate
from kellgren.localise.localiser import Found
from kellgren.localise.sides import sides

COLUMNS = ("source", "laterality", "x0", "y0", "x1", "y1")
ANGLE = "angle_deg"
"""The one column that may be left out."""


@dataclass(frozen=True, slots=True)
class Box:
    """The upright box of a knee's region by its film-pixel edges, and the side of the knee."""

    x0: float
    y0: float
    x1: float
    y1: float
    laterality: Laterality = Laterality.UNKNOWN


class Boxes:
    """Takes a person's word for where the knees are; only what lies off the film is refused."""

    def __init__(self, boxes: Sequence[Box]) -> None:
        self._boxes = tuple(boxes)

    @property
    def reference(self) -> None:
        """Nothing learned looks."""
        return

    def find(
        self, film: Radiograph, spec: RegionSpec, *, laterality: Laterality | None
    ) -> tuple[Found, ...]:
        """Every box as a knee, squared around its centre.

        A side in the table counts as the user's; for other boxes it is known as for knees that
        were found, but for the fibula.

        Raises
        ------
        BoxInvalid
            A box lies off the film.
        """
        rows, columns = film.shape
        middles = [((box.x0 + box.x1) / 2.0, (box.y0 + box.y1) / 2.0) for box in self._boxes]
        told = sides(middles, film.header, laterality)
        found = []
        for box, (x, y), otherwise in zip(self._boxes, middles, told, strict=True):
            if not (box.x0 < columns and box.y0 < rows and box.x1 > 0 and box.y1 > 0):
                raise errors.BoxInvalid(
                    f"the box {box.x0:g}, {box.y0:g}, {box.x1:g}, {box.y1:g} lies off a film of "
                    f"{columns}×{rows} pixels. Coordinates are pixels of the file."
                )
            half = max(box.x1 - box.x0, box.y1 - box.y0) / 2.0
            frame = Frame.of_box(x - half, y - half, x + half, y + half, size_px=spec.size_px)
            gate, warnings = cut_gate(film, frame)
            side = otherwise
            if box.laterality is not Laterality.UNKNOWN:
                (side,) = sides([(x, y)], film.header, box.laterality)
            found.append(
                Found(
                    frame=frame,
                    laterality=side.laterality,
                    laterality_source=side.source,
                    scale_source="boxes",
                    gate=gate,
                    warnings=(*warnings, *side.warnings),
                )
            )
        return tuple(found)


def read_boxes(path: Path) -> Mapping[str, tuple[Box, ...]]:
    """Read a table of boxes: source → its boxes.

    Parameters
    ----------
    path
        CSV with `COLUMNS`, edges in film pixels; ``angle_deg`` may stand there and must be zero.

    Raises
    ------
    TableError
        It cannot be read, a column is missing or unknown, or a box has no area.
    """
    boxes: dict[str, list[Box]] = defaultdict(list)
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            names = set(reader.fieldnames or ())
            if not set(COLUMNS) <= names <= {*COLUMNS, ANGLE}:
                raise errors.TableError(
                    f"{path.name}: the columns of boxes are {', '.join(COLUMNS)}[, {ANGLE}]."
                )
            for number, cells in enumerate(reader, start=2):
                where = f"{path.name}, row {number}"
                if None in cells or None in cells.values():
                    raise errors.TableError(f"{where}: more or fewer cells than columns.")
                boxes[cells["source"]].append(_box(cells, where))
    except OSError as error:
        raise errors.TableError(f"{path}: no such table. Give a CSV file.") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise errors.TableError(
            f"{path.name}: cannot be read ({error}). Save it as CSV in UTF-8."
        ) from error
    return {source: tuple(found) for source, found in boxes.items()}


def _box(cells: Mapping[str, str], where: str) -> Box:
    try:
        x0, y0, x1, y1 = (float(cells[name]) for name in ("x0", "y0", "x1", "y1"))
        side = Laterality(cells["laterality"] or "unknown")
        turned = float(cells.get(ANGLE) or 0.0) != 0.0
    except (TypeError, ValueError) as error:
        raise errors.TableError(f"{where}: a cell cannot be read ({error}).") from error
    if turned:
        raise errors.TableError(f"{where}: turned boxes are not cut yet; leave {ANGLE} at 0.")
    if not (x0 < x1 and y0 < y1 and all(map(math.isfinite, (x0, y0, x1, y1)))):
        raise errors.TableError(f"{where}: the box has no area; x0 < x1 and y0 < y1.")
    return Box(x0, y0, x1, y1, side)
