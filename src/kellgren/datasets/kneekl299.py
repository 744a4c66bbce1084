"""Chen's knee regions: ``{train,val,test}/{0…4}/<patient><L|R>.<png|jpg>``.

Chen P., Mendeley Data, doi:10.17632/56rmx5bjcr.1, CC BY 4.0: 299×299 regions of the baseline
films of the Osteoarthritis Initiative. The archive's ``auto_test`` shows ``test``
again and is not read.
"""

import hashlib
import os
import re
from pathlib import Path

from kellgren import errors
from kellgren.anatomy import KL, Laterality
from kellgren.datasets.table import TRUTH, Row

NAME = "kneeKL299"
SPLITS = ("train", "val", "test")
_FILE = re.compile(r"(?P<patient>\d+)(?P<side>[LR])\.(png|jpg|jpeg)", re.IGNORECASE)
_SIDES = {"L": Laterality.LEFT, "R": Laterality.RIGHT}


def looks_like(folder: Path) -> bool:
    """Whether a folder is laid out like this data set."""
    return any((folder / split / grade).is_dir() for split in SPLITS for grade in KL.classes)


def read(folder: Path, *, relative_to: Path) -> tuple[Row, ...]:
    """List the regions with their grades.

    Parameters
    ----------
    folder
        The unpacked archive, or any part of it with at least one split.
    relative_to
        The folder that the paths of the table will be relative to.

    Raises
    ------
    TableError
        The folder is laid out differently, or a file's name does not follow the scheme.
    """
    if not looks_like(folder):
        raise errors.TableError(
            f"{folder}: not laid out as {NAME}. Expected folders such as train/0 … train/4, as in "
            "the archive of doi:10.17632/56rmx5bjcr.1."
        )
    rows = [
        _row(path, split, value, relative_to)
        for split in SPLITS
        for value, grade in enumerate(KL.classes)
        for path in sorted((folder / split / grade).glob("*"))
        if not path.name.startswith(".")
    ]
    return tuple(sorted(rows, key=lambda row: (row.split, row.patient, row.laterality)))


def _row(path: Path, split: str, value: int, relative_to: Path) -> Row:
    found = _FILE.fullmatch(path.name)
    if found is None:
        raise errors.TableError(
            f"{path}: the name should be the patient's number and L or R, such as 9000099L.png."
        )
    return Row(
        dataset=NAME,
        path=Path(os.path.relpath(path, relative_to)).as_posix(),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        kind="region",
        patient=found["patient"],
        exam="baseline",
        visit="V00",
        image=path.stem,
        laterality=_SIDES[found["side"].upper()],
        split=split,
        task=KL.name,
        reader=TRUTH,
        value=value,
    )
