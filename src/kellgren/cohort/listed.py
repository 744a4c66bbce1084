"""From a manifest, or a folder, to films and all that a table says of each."""

import os
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

from kellgren import errors
from kellgren.anatomy import TASKS, Laterality
from kellgren.cohort.films import find_films
from kellgren.datasets.table import Row, read_table
from kellgren.pipeline import Film


@dataclass(frozen=True, slots=True)
class Listed:
    """A film, and the rows of a table that are about it: one at least."""

    film: Film
    rows: tuple[Row, ...]

    @property
    def cropped(self) -> bool:
        """Whether the table says that the picture is one knee's region, and nobody marked one."""
        return self.rows[0].kind == "region" and not self.film.boxes

    @property
    def answers(self) -> tuple[Row, ...]:
        """The rows that answer a question about a knee, not about the picture or examination."""
        return tuple(row for row in self.rows if row.task and _of_a_knee(row.task))

    @property
    def labelled(self) -> bool:
        """Whether one of its knees has an answer."""
        return any(row.value is not None for row in self.answers)

    def describes(self, sha256: str | None) -> bool:
        """Whether a file's content is the one that the table says, if it says one."""
        return all(row.sha256 in {"", sha256} for row in self.rows)


def list_films(
    source: Path,
    *,
    laterality: Laterality | None = None,
    spacing_mm: float | None = None,
    boxes: Path | None = None,
) -> tuple[Listed, ...]:
    """List the films of a tidy table in its order, or those of a folder by their names.

    Parameters
    ----------
    source
        A tidy table, or a folder of films about which nothing is known.
    laterality
        What the user says of every film of one knee. Else the side counts that a table gives for
        a film, if it gives but one.
    spacing_mm, boxes
        As for `find_films`.

    Raises
    ------
    TableError
        A row has an answer and no file, or the table cannot be read.
    OutputError
        Two films have the same ``source``.
    """
    if source.is_dir():
        found = find_films([source], laterality=laterality, spacing_mm=spacing_mm, boxes=boxes)
        name = source.resolve().name
        return tuple(
            Listed(film, (Row(dataset=name, path=film.source, kind="film"),)) for film in found
        )
    by_file: dict[Path, list[Row]] = defaultdict(list)
    for row in read_table(source):
        if row.path:
            by_file[Path(os.path.realpath(source.parent / row.path))].append(row)
        elif row.task:
            raise errors.TableError(
                f"{source.name}: an answer for patient {row.patient!r}, image {row.image!r}, names "
                "no file. Fill in 'path', or leave the row out."
            )
    found = find_films([], manifest=source, spacing_mm=spacing_mm, boxes=boxes)
    return tuple(
        Listed(replace(film, laterality=laterality or _only_side(rows)), tuple(rows))
        for film in found
        for rows in [by_file[film.path]]
    )


def _of_a_knee(task: str) -> bool:
    """A task that is not ours is a user's own of knees."""
    return task not in TASKS or TASKS[task].unit == "knee"


def _only_side(rows: list[Row]) -> Laterality | None:
    """The side that a table gives; None where it gives none, or both."""
    sides = {row.laterality for row in rows} - {Laterality.UNKNOWN}
    return sides.pop() if len(sides) == 1 else None
