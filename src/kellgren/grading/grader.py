"""A region goes in; calibrated grades, their sets and the reason come out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kellgren.anatomy import KL, Laterality, Task
from kellgren.grading.attention import normalised, upsampled
from kellgren.grading.backend import Precision, open_backend
from kellgren.grading.bundle import Bundle
from kellgren.grading.conformal import contiguous_sets, nominal_sets
from kellgren.grading.fusion import fuse
from kellgren.imaging.region import Region, standardise
from kellgren.records import Prediction

DECIMALS = 6
"""Of a published probability."""


@dataclass(frozen=True, slots=True, eq=False)
class Graded:
    """The answer about one region.

    Parameters
    ----------
    predictions
        By task name.
    activation
        Of the shown task's most probable grade: (h, w) float32, min–max normalised, its edges the
        region's edges as the film shows it (not mirrored); None where the bundle explains nothing.
    size_px
        Side of the region.
    """

    predictions: dict[str, Prediction]
    activation: NDArray[np.float32] | None
    size_px: int

    @property
    def attention(self) -> NDArray[np.float32] | None:
        """The activation over the region, (size_px, size_px) in [0, 1]; drawn up when asked for."""
        if self.activation is None:
            return None
        return upsampled(self.activation, (self.size_px, self.size_px))


class Grader:
    """A loaded bundle.

    Parameters
    ----------
    bundle
        From `load_bundle`.
    precision
        ``fast`` needs the extra of that name; the calibration is the same.
    threads
        Of one inference; None means all cores.
    """

    def __init__(
        self, bundle: Bundle, *, precision: Precision = "default", threads: int | None = None
    ) -> None:
        self.bundle = bundle
        self._backend = open_backend(bundle, precision=precision, threads=threads)

    @property
    def shown_task(self) -> Task:
        """The task whose attention is drawn: KL, where the bundle grades it."""
        tasks = self.bundle.record.tasks
        return next((task for task in tasks if task.name == KL.name), tasks[0])

    def grade(self, region: Region, laterality: Laterality) -> Graded:
        """Grade one region, cut as the film shows it.

        Parameters
        ----------
        region
            From `kellgren.imaging.cut_region` with the bundle's specification.
        laterality
            Decides whether it is mirrored before the networks see it. ``unknown``: both
            orientations are graded and their calibrated probabilities averaged.
        """
        if laterality is Laterality.UNKNOWN:
            mirrorings: tuple[bool, ...] = (False, True)
        else:
            mirrorings = (laterality != self.bundle.record.region.mirror_to,)
        outputs = self.outputs([region.mirror() if m else region for m in mirrorings])
        predictions = {}
        for task in self.bundle.record.tasks:
            probabilities = self.probabilities(outputs, task).mean(axis=0)
            predictions[task.name] = self._prediction(task, probabilities)
        return Graded(
            predictions,
            self._activation(outputs, predictions, mirrorings),
            self.bundle.record.region.size_px,
        )

    def outputs(self, regions: Sequence[Region]) -> dict[str, NDArray[np.float32]]:
        """The graph's raw outputs for regions that are mirrored already."""
        pixels = np.stack([region.pixels for region in regions])[:, np.newaxis]
        return self._backend.run(region=standardise(pixels, self.bundle.record.region))

    def probabilities(
        self, outputs: dict[str, NDArray[np.float32]], task: Task
    ) -> NDArray[np.float64]:
        """Fused and calibrated probabilities (n, classes) of raw outputs."""
        record = self.bundle.record
        return record.calibration(task)(fuse(outputs[f"logits/{task.name}"], record.fusion))

    def _prediction(self, task: Task, probabilities: NDArray[np.float64]) -> Prediction:
        shares = rounded(probabilities)
        plan = self.bundle.record.conformal[task.name]
        sets = contiguous_sets if task.ordinal else nominal_sets
        members = sets(shares[np.newaxis], plan.q)[0]
        expected = float(shares @ np.arange(len(shares))) if task.ordinal else None
        return Prediction(
            grade=int(shares.argmax()),
            probabilities=tuple(float(share) for share in shares),
            expected=None if expected is None else round(expected, DECIMALS),
            set=tuple(int(index) for index in np.flatnonzero(members)),
            coverage=plan.coverage,
        )

    def _activation(
        self,
        outputs: dict[str, NDArray[np.float32]],
        predictions: dict[str, Prediction],
        mirrorings: tuple[bool, ...],
    ) -> NDArray[np.float32] | None:
        task = self.shown_task
        maps = outputs.get(f"attention/{task.name}")
        if maps is None:
            return None
        shown = maps[:, predictions[task.name].grade]
        upright = [
            m[:, ::-1] if mirrored else m for m, mirrored in zip(shown, mirrorings, strict=True)
        ]
        return normalised(np.mean(upright, axis=0))


def rounded(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Six decimals that still sum to one: what rounding lost goes to the most probable class."""
    shares = np.round(probabilities, DECIMALS)
    top = int(probabilities.argmax())
    shares[top] = round(1.0 - (shares.sum() - shares[top]), DECIMALS)
    return shares
