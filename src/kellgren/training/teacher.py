"""What a teacher says of the knees that a student learns from: any grader bundle will do."""

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from kellgren import errors
from kellgren.anatomy import KL
from kellgren.datasets.table import Row
from kellgren.files import write_atomically
from kellgren.grading import Bundle
from kellgren.grading.backend import open_backend
from kellgren.grading.fusion import fuse
from kellgren.imaging import standardise
from kellgren.systems.system import Recipe
from kellgren.training.augmentation import apply, sample_distortion, view_stream
from kellgren.training.regions import load_regions

_BATCH = 32


def teacher_logits(
    bundle: Bundle,
    rows: Sequence[Row],
    recipe: Recipe,
    *,
    root: Path,
    folder: Path,
    watch: Callable[[int, int], None],
) -> NDArray[np.float32]:
    """Fused logits of KL (views, n, 5) for the student's own distortions of every knee.

    The teacher cuts the regions as its own specification says and sees the distortions that the
    student will see, without their blur and noise. Through OpenVINO's short formats where it is
    installed, else ONNX Runtime.

    Parameters
    ----------
    recipe
        The student's: its augmentation and number of views.
    root
        The folder that the rows' ``path`` is relative to.
    folder
        Keeps what is answered, view by view, for a resume.
    watch
        Called with (views answered, all).

    Raises
    ------
    TrainingError
        The recipe distils nothing, the bundle does not grade KL, or what was kept is of another
        number of knees.
    """
    record = bundle.record
    if KL not in record.tasks:
        raise errors.TrainingError(f"the bundle {record.name} does not grade {KL.name}.")
    if recipe.distillation is None:
        raise errors.TrainingError("this recipe learns from no teacher.")
    views = recipe.distillation.views
    paths = [folder / f"view-{view:02d}.npy" for view in range(views)]
    there = [path for path in paths if path.exists()]
    for path in there:
        _kept(path, len(rows))
    if len(there) < views:
        # turned to the student's side until it is distorted, or a shift would go the other way
        turned = replace(record.region, mirror_to=recipe.region.mirror_to)
        regions = load_regions(
            rows, turned, root=root, cache=folder, watch=lambda _done, _all: None
        )
        quick = importlib.util.find_spec("openvino") is not None
        backend = open_backend(bundle, precision="fast" if quick else "default", threads=None)
        for view, path in enumerate(paths):
            if not path.exists():
                answers = []
                for first in range(0, len(rows), _BATCH):
                    chosen = range(first, min(first + _BATCH, len(rows)))
                    pixels = _seen(regions[chosen.start : chosen.stop], chosen, view, recipe)
                    if turned != record.region:
                        pixels = np.ascontiguousarray(pixels[..., ::-1])
                    outputs = backend.run(region=standardise(pixels, record.region))
                    answers.append(fuse(outputs[f"logits/{KL.name}"], record.fusion))
                with write_atomically(path, binary=True) as stream:
                    np.save(stream, np.concatenate(answers).astype(np.float32))
            watch(view + 1, views)
    return np.stack([_kept(path, len(rows)) for path in paths])


def _kept(path: Path, knees: int) -> NDArray[np.float32]:
    """One view's answers, of so many knees; whose they are, the run's record says."""
    answered: NDArray[np.float32] = np.load(path, allow_pickle=False)
    if len(answered) != knees:
        raise errors.TrainingError(f"{path}: of {len(answered)} knees, not {knees}. Delete it.")
    return answered


def _seen(
    levels: NDArray[np.uint8], indices: range, view: int, recipe: Recipe
) -> NDArray[np.float32]:
    """One view of some knees, (B, 1, H, W) in [0, 1]."""
    upright = torch.from_numpy(levels).unsqueeze(1).float() / 255.0
    distortions = [
        sample_distortion(recipe.augmentation, view_stream(view, index)).clear for index in indices
    ]
    seen: NDArray[np.float32] = apply(upright, distortions, fill=recipe.region.fill).numpy()
    return seen
