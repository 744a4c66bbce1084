"""A folder of films and nothing else."""

import hashlib
import os
from pathlib import Path

from kellgren import errors
from kellgren.datasets.table import Row
from kellgren.imaging.raster import SUFFIXES

NAME = "films"


def read(folder: Path, *, relative_to: Path) -> tuple[Row, ...]:
    """List the films of a folder, named after it; nothing is known of them but their content.

    Raises
    ------
    TableError
        There is no film in it.
    """
    rows = tuple(
        Row(
            dataset=folder.name,
            path=Path(os.path.relpath(path, relative_to)).as_posix(),
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            kind="film",
            image=path.stem,
        )
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in SUFFIXES and path.is_file()
    )
    if not rows:
        raise errors.TableError(f"{folder}: no films there. Give the folder of a data set.")
    return rows
