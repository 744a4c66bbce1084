"""What is graded: phantoms drawn for the run, and the real knees of ``val`` where they are."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from kellgren.anatomy import Laterality
from kellgren.datasets import kneekl299
from kellgren.datasets.phantom import draw_knee, sample_knee

DISTINCT = 100
"""Chosen: so many pictures of a large folder differ; drawing all would take longer than grading."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A file and the side that it shows."""

    path: Path
    laterality: Laterality


def draw(folder: Path, number: int, *, suffix: str = ".jpg") -> list[Picture]:
    """Draw right knees into a new folder, at most `DISTINCT` different ones."""
    folder.mkdir()
    pictures: list[Picture] = []
    for index in range(number):
        path = folder / f"{index:05}{suffix}"
        if index < DISTINCT:
            knee = sample_knee(np.random.default_rng(index), laterality=Laterality.RIGHT)
            Image.fromarray(draw_knee(knee)).save(path, quality=92)
        else:
            shutil.copyfile(pictures[index % DISTINCT].path, path)
        pictures.append(Picture(path, Laterality.RIGHT))
    return pictures


def real() -> list[Picture]:
    """Every knee of kneeKL299's ``val``; none where ``KELLGREN_DATA`` does not have it."""
    folder = Path(os.environ.get("KELLGREN_DATA", "")).resolve() / kneekl299.NAME
    if "KELLGREN_DATA" not in os.environ or not (folder / "val").is_dir():
        return []
    rows = kneekl299.read(folder, relative_to=folder)
    return [Picture(folder / row.path, row.laterality) for row in rows if row.split == "val"]
