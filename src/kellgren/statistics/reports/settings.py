"""What a report of answers is asked for, beside the tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kellgren.datasets.table import Row
from kellgren.statistics.bootstrap import RESAMPLES
from kellgren.statistics.join import Key


@dataclass(frozen=True, slots=True)
class Settings:
    """How answers are reported.

    Parameters
    ----------
    stratified
        By the true grade, all but what is lost from another cohort: its mix of grades is another.
    sets
        (reader, task) → who is in the conformal set of each of his answers, (answers, classes) in
        the order of the table; none if left out.
    coverage
        (reader, task) → what the sets promise.
    operating_points
        (reader, task) → cut → the probability that calls a knee positive, fixed on other knees.
    points_given
        Whether somebody gave those by hand: then nothing is known of the knees they come from.
    quantiles_given
        The same of what made the sets.
    by_name
        (reader, `Row.key`) of the answers that were matched to the truth by file name.
    internal
        Truth and answers of the cohort that the readers come from, to say what is lost on this one.
    """

    resamples: int = RESAMPLES
    seed: int = 0
    stratified: bool = False
    sets: Mapping[tuple[str, str], NDArray[np.bool_]] = field(default_factory=dict)
    coverage: Mapping[tuple[str, str], float] = field(default_factory=dict)
    operating_points: Mapping[tuple[str, str], Mapping[int, float]] = field(default_factory=dict)
    points_given: bool = False
    quantiles_given: bool = False
    by_name: frozenset[tuple[str, Key]] = frozenset()
    internal: tuple[Sequence[Row], Sequence[Row]] | None = None

    def rng(self) -> np.random.Generator:
        """A fresh source of chance, so that no number depends on what was asked before it."""
        return np.random.default_rng(self.seed)
