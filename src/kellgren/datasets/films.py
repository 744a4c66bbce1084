"""A folder of films and nothing else."""

import hashlib
import os
from collections import Counter
from pathlib import Path

from kellgren import errors
from kellgren.datasets.table import Row
from kellgren.imaging.film import is_dicom
from kellgren.imaging.raster import SUFFIXES

NAME = "films"

_HEAD = 256
"""Bytes that tell a DICOM file, whatever it is called."""


def read(folder: Path, *, relative_to: Path) -> tuple[Row, ...]:
    """List the films of a folder, named after it; nothing is known of them but their content.

    A film's ``image`` is its name without the suffix, or where that is another one's as well, its
    path below the folder.

    Raises
    ------
    TableError
        There is no film in it.
    """
    films = [path for path in sorted(folder.rglob("*")) if _is_film(path)]
    if not films:
        raise errors.TableError(f"{folder}: no films there. Give the folder of a data set.")
    stems = Counter(path.stem for path in films)
    return tuple(
        Row(
            dataset=folder.resolve().name,
            path=Path(os.path.relpath(path, relative_to)).as_posix(),
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            kind="film",
            image=path.stem if stems[path.stem] == 1 else path.relative_to(folder).as_posix(),
        )
        for path in films
    )


def _is_film(path: Path) -> bool:
    if not path.is_file() or path.name.startswith("."):
        return False
    if path.suffix.lower() in SUFFIXES:
        return True
    with path.open("rb") as stream:
        return is_dicom(stream.read(_HEAD))
