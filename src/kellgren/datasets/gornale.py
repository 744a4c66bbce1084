"""Gornale & Patravali's strips: ``labels.csv`` and ``images/``.

Digital Knee X-ray Images, Mendeley Data, doi:10.17632/t9ndx37v5h.1, CC BY 4.0: pictures across one
joint, or across both. No spacing, no side, no patients; ``cluster`` groups near-duplicates.
"""

import csv
import hashlib
import os
from pathlib import Path

from kellgren import errors
from kellgren.anatomy import KL
from kellgren.datasets.table import Row

NAME = "digital_knee_xray"
_READERS = ("kl_expert_1", "kl_expert_2")


def looks_like(folder: Path) -> bool:
    """Whether a folder is laid out like this data set."""
    return (folder / "labels.csv").is_file() and (folder / "images").is_dir()


def read(folder: Path, *, relative_to: Path) -> tuple[Row, ...]:
    """List the pictures with both experts' grades; two knees of a picture share one grade.

    Raises
    ------
    TableError
        ``labels.csv`` lacks a column, holds something else than a grade, or names a picture that
        is not there.
    """
    try:
        with (folder / "labels.csv").open(newline="", encoding="utf-8-sig") as stream:
            labels = list(csv.DictReader(stream))
    except (csv.Error, UnicodeDecodeError) as error:
        raise errors.TableError(f"{folder}/labels.csv: cannot be read ({error}).") from error
    wanted = {"image", "cluster", *_READERS}
    if not labels or not wanted <= labels[0].keys():
        raise errors.TableError(f"{folder}/labels.csv: needs the columns {sorted(wanted)}.")
    rows = []
    for label in labels:
        path = folder / "images" / label["image"]
        if not path.is_file():
            raise errors.TableError(f"{path}: is listed in labels.csv and not there.")
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        rows += [
            Row(
                dataset=NAME,
                path=Path(os.path.relpath(path, relative_to)).as_posix(),
                sha256=sha256,
                kind="film",
                image=path.stem,
                cluster=label["cluster"],
                task=KL.name,
                reader=reader,
                value=_grade(label[reader], path),
            )
            for reader in _READERS
        ]
    return tuple(rows)


def _grade(text: str, path: Path) -> int:
    if text not in KL.classes:
        raise errors.TableError(f"{path}: its grade in labels.csv is {text!r}, not 0 to 4.")
    return KL.classes.index(text)
