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
    """The box of a knee's region by its film-pixel edges, and the side of the knee.

    ``angle_deg`` turns the box about its middle, clockwise as the film is seen.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    laterality: Laterality = Laterality.UNKNOWN
    angle_deg: float = 0.0

    @property
    def middle(self) -> tuple[float, float]:
        """(x, y) between the edges."""
        return (self.x0 + self.x1) / 2.0, (self.y0 + self.y1) / 2.0

    def frame(self, size_px: int) -> Frame:
        """The region: the box squared around its middle, then turned."""
        x, y = self.middle
        half = max(self.x1 - self.x0, self.y1 - self.y0) / 2.0
        frame = Frame.of_box(x - half, y - half, x + half, y + half, size_px=size_px)
        return frame.rotate(self.angle_deg) if self.angle_deg else frame

    def on_film(self, rows: int, columns: int) -> bool:
        """Whether a film shows any of it; of a turned box the film must show the middle."""
        if self.angle_deg:
            x, y = self.middle
            return 0.0 <= x <= columns and 0.0 <= y <= rows
        return self.x0 < columns and self.y0 < rows and self.x1 > 0.0 and self.y1 > 0.0


class Boxes:
    """Takes a person's word for where the knees are; only what lies off the film is refused."""

    def __init__(self, boxes: Sequence[Box]) -> None:
        self._boxes = tuple(boxes)

    @property
    def reference(self) -> None:
        """Nothing learned looks."""
        return

    @property
    def synthetic(self) -> bool:
        """Nothing learned looks."""
        return False

    def find(
        self, film: Radiograph, spec: RegionSpec, *, laterality: Laterality | None
    ) -> tuple[Found, ...]:
        """Every box as a knee, squared around its centre and turned as the table says.

        A side in the table counts as the user's; for other boxes it is known as for knees that
        were found, but for the fibula.

        Raises
        ------
        BoxInvalid
            A box lies off the film.
        """
        rows, columns = film.shape
        middles = [box.middle for box in self._boxes]
        told = sides(middles, film.header, laterality)
        found = []
        for box, otherwise in zip(self._boxes, told, strict=True):
            if not box.on_film(rows, columns):
                raise errors.BoxInvalid(
                    f"the box {box.x0:g}, {box.y0:g}, {box.x1:g}, {box.y1:g} lies off a film of "
                    f"{columns}×{rows} pixels. Coordinates are pixels of the file."
                )
            frame = box.frame(spec.size_px)
            gate, warnings = cut_gate(film, frame)
            side = otherwise
            if box.laterality is not Laterality.UNKNOWN:
                (side,) = sides([box.middle], film.header, box.laterality)
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
        CSV with `COLUMNS`, edges in film pixels; ``angle_deg`` may stand there, −180 to 180.

    Raises
    ------
    TableError
        It cannot be read, a column is missing or unknown, a box has no area, or an angle is none.
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
        angle = float(cells.get(ANGLE) or 0.0)
    except (TypeError, ValueError) as error:
        raise errors.TableError(f"{where}: a cell cannot be read ({error}).") from error
    if not abs(angle) <= 180.0:
        raise errors.TableError(f"{where}: {ANGLE} is {angle:g}; a turn is −180 to 180 degrees.")
    if not (x0 < x1 and y0 < y1 and all(map(math.isfinite, (x0, y0, x1, y1)))):
        raise errors.TableError(f"{where}: the box has no area; x0 < x1 and y0 < y1.")
    return Box(x0, y0, x1, y1, side, angle)
