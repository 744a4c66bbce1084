"""What a teacher says of the knees that a student learns from: any grader bundle will do."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kellgren import errors
from kellgren.anatomy import KL, Laterality
from kellgren.datasets.table import Row
from kellgren.files import write_atomically
from kellgren.grading import Bundle, Grader
from kellgren.grading.fusion import fuse
from kellgren.imaging import cut_region, read_raster, whole_picture


def teacher_logits(
    bundle: Bundle, rows: Sequence[Row], *, root: Path, kept: Path
) -> NDArray[np.float32]:
    """Fused logits of KL (n, 5), averaged over both orientations; kept in a file for a resume.

    Raises
    ------
    TrainingError
        The bundle does not grade KL, or what was kept belongs to other rows.
    """
    record = bundle.record
    if KL not in record.tasks:
        raise errors.TrainingError(f"the bundle {record.name} does not grade {KL.name}.")
    if kept.exists():
        logits: NDArray[np.float32] = np.load(kept, allow_pickle=False)
        if len(logits) != len(rows):
            raise errors.TrainingError(
                f"{kept}: of {len(logits)} knees, not {len(rows)}. Delete it."
            )
        return logits
    grader = Grader(bundle)
    answers = []
    for row in rows:
        film = read_raster(root / row.path)
        region = cut_region(film, whole_picture(film, record.region), record.region)
        if row.laterality not in {record.region.mirror_to, Laterality.UNKNOWN}:
            region = region.mirror()
        outputs = grader.outputs([region, region.mirror()])
        answers.append(fuse(outputs[f"logits/{KL.name}"], record.fusion).mean(axis=0))
    logits = np.array(answers, dtype=np.float32)
    with write_atomically(kept, binary=True) as stream:
        np.save(stream, logits)
    return logits
