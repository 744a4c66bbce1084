"""Who learns, who chooses and who calibrates: patients, never images."""

import hashlib
from collections.abc import Iterable
from typing import Literal

from kellgren.datasets.table import Row

Part = Literal["learning", "snapshot", "calibration"]


def part_of(patient: str) -> Part:
    """The part of an official ``train`` split that a patient belongs to.

    A tenth of the patients is held back from learning, by a hash of their identifier and
    therefore alike for every seed and system; the next bit of the hash halves it: one half chooses
    among snapshots, the other does not, and both are calibrated on.
    """
    tenth, remainder = divmod(int(hashlib.sha256(patient.encode()).hexdigest(), 16), 10)
    if remainder != 0:
        return "learning"
    return "snapshot" if tenth % 2 == 0 else "calibration"


def split_sha256(rows: Iterable[Row]) -> str:
    """A hash of who is in a split with which content and truth, whatever the order of the rows.

    Bundles and ledgers carry it, so what it is made from never changes.
    """
    lines = sorted("\t".join(_hashed(row)) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _hashed(row: Row) -> tuple[str, ...]:
    about = (row.patient, row.exam, row.image, str(row.laterality), row.task)
    return (*about, row.sha256, str(row.value))
