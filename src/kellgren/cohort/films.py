"""From the paths of a command line to the films to grade."""

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from kellgren import errors
from kellgren.anatomy import Laterality
from kellgren.datasets.table import Row, read_table
from kellgren.pipeline import Film

IGNORED = (".*", "Thumbs.db", "desktop.ini", "*.csv", "*.json", "*.jsonl", "*.parquet", "*.html")
"""Files of a folder that are plainly no films: hidden ones, and tables that lie beside films. What
is named on the command line is always tried."""


def find_films(
    paths: Sequence[Path], *, laterality: Laterality | None, manifest: Path | None
) -> tuple[Film, ...]:
    """List the films under some paths, folders recursively, in the order of their names.

    Parameters
    ----------
    paths
        Files and folders. A film's ``source`` is its path below the folder given, or its name.
    laterality
        What the user says of all of them.
    manifest
        A tidy table with side and subject; without ``paths`` it lists the films itself.

    Raises
    ------
    OutputError
        Two films have the same ``source``, so that their results could not be told apart.
    """
    known = _by_file(manifest) if manifest is not None else {}
    found = [*_walk(paths)] if paths else [(path, row.path) for path, row in known.items()]
    films = tuple(_film(path, source, known, laterality) for path, source in found)
    seen: dict[str, Path] = {}
    for film in films:
        if film.source in seen:
            raise errors.OutputError(
                f"{film.path} and {seen[film.source]} would both be called {film.source!r}. "
                "Give one folder that holds both."
            )
        seen[film.source] = film.path
    return films


def _walk(paths: Iterable[Path]) -> Iterable[tuple[Path, str]]:
    for path in paths:
        if not path.is_dir():
            yield path, path.name
            continue
        for item in sorted(path.rglob("*")):
            if item.is_dir() or any(fnmatch.fnmatch(item.name, p) for p in IGNORED):
                continue
            yield item, item.relative_to(path).as_posix()


def _by_file(manifest: Path) -> Mapping[Path, Row]:
    rows: dict[Path, Row] = {}
    for row in read_table(manifest):
        rows.setdefault((manifest.parent / row.path).resolve(), row)
    return rows


def _film(
    path: Path, source: str, known: Mapping[Path, Row], laterality: Laterality | None
) -> Film:
    row = known.get(path.resolve())
    if row is None:
        return Film(path, source, laterality)
    said = None if row.laterality is Laterality.UNKNOWN else row.laterality
    return Film(path, source, laterality or said, row.patient or None)
