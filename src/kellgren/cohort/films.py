"""From the paths of a command line to the films to grade."""

import fnmatch
import logging
import math
import os
import re
import stat
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.cohort.journal import NAME
from kellgren.datasets.table import Row, read_table
from kellgren.localise import read_boxes
from kellgren.pipeline import Film

_log = logging.getLogger(__name__)

IGNORED = (".*", "Thumbs.db", "desktop.ini", "*.csv", "*.json", "*.jsonl", "*.parquet", "*.html")
"""What in a folder is plainly no film: hidden files and folders, and tables that lie beside films;
so are the output folders of batches. What is named on the command line is always tried."""

_LIKE_A_BYTE = re.compile(r"\\+(?=[\udc80-\udcff]|udc[89a-f][0-9a-f])")
"""Backslashes before a byte that is no UTF-8, or before letters that look like a written one."""


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
        A log line says so where it names only some of the films.
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
        The manifest names none of the films, or the table of boxes one that is not there.
    OutputError
        Two films have the same ``source``, so that their results could not be told apart.
    """
    if spacing_mm is not None and not 0.0 < spacing_mm < math.inf:
        raise errors.ScaleUnknown(
            f"{spacing_mm} mm is no distance of pixel centres; films have 0.05 to 0.5."
        )
    known = _by_file(manifest) if manifest is not None else {}
    found = (
        [(path, source, known.get(_real(path))) for path, source in _walk(paths)]
        if paths
        else [(path, row.path, row) for path, row in known.items()]
    )
    if manifest is not None and found:
        _say_how_many(manifest, known, [row for _, _, row in found])
    marked = read_boxes(boxes) if boxes is not None else {}
    films = tuple(
        replace(film, boxes=marked.get(film.source, ()))
        for film in (
            _film(path, source, row, laterality, spacing_mm) for path, source, row in found
        )
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
        if stat.S_ISDIR(_mode(path)):
            for item in sorted(_files(path)):
                yield item, item.relative_to(path).as_posix()
        else:
            yield path, path.name


def _files(folder: Path) -> Iterator[Path]:
    unreadable: list[OSError] = []
    visited: set[Path] = set()
    starts = deque([folder])
    while starts:
        start = starts.popleft()
        if _real(start) in visited:
            continue
        for place, folders, names in os.walk(start, onerror=unreadable.append):
            here = Path(place)
            visited.add(_real(here))
            wanted = sorted(name for name in folders if _holds_films(here / name))
            # Links are followed when all else is known: none leads round in a circle, and none
            # takes the place of a folder that lies here itself.
            starts += (here / name for name in wanted if _leads_elsewhere(here / name))
            folders[:] = (name for name in wanted if _real(here / name) not in visited)
            for name in names:
                ignored = any(fnmatch.fnmatch(name, pattern) for pattern in IGNORED)
                if not ignored and not _pipe_or_device(here / name):
                    yield here / name
    # A folder that cannot be listed stands for the films in it, and is reported in their place.
    yield from (Path(error.filename) for error in unreadable)


def _real(path: Path) -> Path:
    # Path.resolve raises for a link that leads to itself; that is for whoever reads the film.
    return Path(os.path.realpath(path))


def _mode(path: Path, *, of_link: bool = False) -> int:
    """What the system says a path leads to, or the link itself is; 0 where it says nothing.

    Whatever is wrong, such as a name that is too long, is reported when the film is read.
    """
    try:
        return path.stat(follow_symlinks=not of_link).st_mode
    except OSError:
        return 0


def _leads_elsewhere(folder: Path) -> bool:
    return stat.S_ISLNK(_mode(folder, of_link=True))


def _pipe_or_device(path: Path) -> bool:
    mode = _mode(path)
    return mode != 0 and not stat.S_ISREG(mode)


def _holds_films(folder: Path) -> bool:
    """Whether it is neither hidden nor written by a batch, whose overlays are no films."""
    return not folder.name.startswith(".") and not stat.S_ISREG(_mode(folder / NAME))


def _by_file(manifest: Path) -> Mapping[Path, Row]:
    rows: dict[Path, Row] = {}
    for row in read_table(manifest):
        if not row.path:
            continue
        if "\0" in row.path:
            raise errors.TableError(
                f"{manifest.name}: {row.path!r} is no path. Write the table again."
            )
        rows.setdefault(_real(manifest.parent / row.path), row)
    return rows


def _say_how_many(manifest: Path, known: Mapping[Path, Row], rows: Sequence[Row | None]) -> None:
    """Raise where a manifest names none of the films, and log it where some are missing."""
    named = sum(row is not None for row in rows)
    if not named:
        first = next(iter(known), None)
        lead = "no row has one" if first is None else f"the first leads to {first}"
        raise errors.TableError(
            f"{manifest}: the manifest names 0 of {len(rows)} pictures. Its paths are relative to "
            f"its own folder; {lead}. Write paths that lead to these pictures, put the table where "
            "they do, or give the manifest alone to grade what it lists."
        )
    if named < len(rows):
        _log.warning(
            "%s: the manifest names %d of %d pictures; the others are graded without its sides, "
            "subjects and spacings.",
            manifest,
            named,
            len(rows),
        )


def _film(
    path: Path,
    source: str,
    row: Row | None,
    laterality: Laterality | None,
    spacing_mm: float | None,
) -> Film:
    given = None if spacing_mm is None else (spacing_mm, spacing_mm)
    source = _as_text(source)
    if row is None:
        return Film(path, source, laterality, spacing_mm=given)
    said = None if row.laterality is Laterality.UNKNOWN else row.laterality
    row_mm, column_mm = row.pixel_spacing_row_mm, row.pixel_spacing_column_mm
    if given is None and row_mm is not None and column_mm is not None:
        given = (row_mm, column_mm)
    return Film(path, source, laterality or said, row.patient or None, spacing_mm=given)


def _as_text(source: str) -> str:
    """A source whose bytes that are no UTF-8 are written as letters, as in JSON.

    So a journal's source is the film's. Backslashes that could be taken for such a byte's are
    doubled, as otherwise two names would be one source.
    """
    unlike = _LIKE_A_BYTE.sub(lambda found: 2 * found[0], source)
    return unlike.encode("utf-8", "backslashreplace").decode()
