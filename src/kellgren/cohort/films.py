"""From the paths of a command line to the films to grade."""

import fnmatch
import math
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.cohort.journal import NAME
from kellgren.datasets.table import Row, read_table
from kellgren.localise import read_boxes
from kellgren.pipeline import Film

IGNORED = (".*", "Thumbs.db", "desktop.ini", "*.csv", "*.json", "*.jsonl", "*.parquet", "*.html")
"""What in a folder is plainly no film: hidden files and folders, and tables that lie beside films;
so are the output folders of batches. What is named on the command line is always tried."""


def find_films(
    paths: Sequence[Path],
    *,
    laterality: Laterality | None = None,
    manifest: Path | None = None,
    spacing_mm: float | None = None,
    boxes: Path | None = None,
) -> tuple[Film, ...]:
    """List the films under some paths, folders recursively, in the order of their names.

    Parameters
    ----------
    paths
        Files and folders. A film's ``source`` is its path below the folder given, or its name.
    laterality
        What the user says of all of them.
    manifest
        A tidy table with side, subject and spacing; without ``paths`` it lists the films itself.
    spacing_mm
        Distance of pixel centres on all of them, as the user says: more than 0, and counting more
        than what the manifest or the files say.
    boxes
        A table of knees that a person marked, by ``source``.

    Raises
    ------
    ScaleUnknown
        The spacing is no length.
    TableError
        The table of boxes names a film that is not there.
    OutputError
        Two films have the same ``source``, so that their results could not be told apart.
    """
    if spacing_mm is not None and not 0.0 < spacing_mm < math.inf:
        raise errors.ScaleUnknown(
            f"{spacing_mm} mm is no distance of pixel centres; films have 0.05 to 0.5."
        )
    known = _by_file(manifest) if manifest is not None else {}
    found = [*_walk(paths)] if paths else [(path, row.path) for path, row in known.items()]
    marked = read_boxes(boxes) if boxes is not None else {}
    films = tuple(
        replace(film, boxes=marked.get(film.source, ()))
        for film in (_film(path, source, known, laterality, spacing_mm) for path, source in found)
    )
    strangers = sorted(marked.keys() - {film.source for film in films})
    if strangers:
        raise errors.TableError(
            f"{boxes}: marks knees on {strangers[0]!r}, which is not among the films. A source is "
            "a film's path below the folder given."
        )
    seen: dict[str, Path] = {}
    for film in films:
        if film.source in seen:
            raise errors.OutputError(
                f"{film.path} and {seen[film.source]} would both be called {film.source!r}. "
                "Give one folder that holds both."
            )
        seen[film.source] = film.path
    return films


def _walk(paths: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    for path in paths:
        if path.is_dir():
            for item in sorted(_files(path)):
                yield item, item.relative_to(path).as_posix()
        else:
            yield path, path.name


def _files(folder: Path) -> Iterator[Path]:
    unreadable: list[OSError] = []
    visited = {_real(folder)}
    for place, folders, names in os.walk(folder, onerror=unreadable.append, followlinks=True):
        here = Path(place)
        inside = []
        for name in sorted(folders):
            target = _real(here / name)
            # Links are followed, but round in a circle only once.
            if not name.startswith(".") and not _results(target) and target not in visited:
                visited.add(target)
                inside.append(name)
        folders[:] = inside
        for name in names:
            ignored = any(fnmatch.fnmatch(name, pattern) for pattern in IGNORED)
            if not ignored and not _pipe_or_device(here / name):
                yield here / name
    # A folder that cannot be listed stands for the films in it, and is reported in their place.
    yield from (Path(error.filename) for error in unreadable)


def _real(path: Path) -> Path:
    # Path.resolve raises for a link that leads to itself; that is for whoever reads the film.
    return Path(os.path.realpath(path))


def _pipe_or_device(path: Path) -> bool:
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False  # whatever is wrong is reported when it is read


def _results(folder: Path) -> bool:
    """Whether a batch wrote it: its overlays are no films."""
    return (folder / NAME).is_file()


def _by_file(manifest: Path) -> Mapping[Path, Row]:
    rows: dict[Path, Row] = {}
    for row in read_table(manifest):
        if not row.path:
            continue
        rows.setdefault(_real(manifest.parent / row.path), row)
    return rows


def _film(
    path: Path,
    source: str,
    known: Mapping[Path, Row],
    laterality: Laterality | None,
    spacing_mm: float | None,
) -> Film:
    given = None if spacing_mm is None else (spacing_mm, spacing_mm)
    row = known.get(_real(path))
    # Bytes of a name that are no UTF-8 are written as letters, as in JSON, so that a journal's
    # source is the film's.
    source = source.encode("utf-8", "backslashreplace").decode()
    if row is None:
        return Film(path, source, laterality, spacing_mm=given)
    said = None if row.laterality is Laterality.UNKNOWN else row.laterality
    row_mm, column_mm = row.pixel_spacing_row_mm, row.pixel_spacing_column_mm
    if given is None and row_mm is not None and column_mm is not None:
        given = (row_mm, column_mm)
    return Film(path, source, laterality or said, row.patient or None, spacing_mm=given)
