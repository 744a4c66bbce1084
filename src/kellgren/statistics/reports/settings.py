"""What a report of answers is asked for, beside the tables."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kellgren.anatomy import TASKS
from kellgren.datasets.table import Row
from kellgren.statistics.bootstrap import RESAMPLES
from kellgren.statistics.join import Key
from kellgren.statistics.questions import cut_of

_POINT = re.compile(r"([a-z0-9_]+)>=([0-9]+)=([0-9]*\.?[0-9]+(?:[eE]-?[0-9]+)?)")


def operating_points(given: Sequence[str]) -> dict[str, dict[int, float]]:
    """Read operating points such as ``kl>=2=0.39``, named as bundles name theirs.

    Returns
    -------
    dict
        Task → cut → the probability, between 0 and 1, from which a knee is called positive.

    Raises
    ------
    ValueError
        What is no such point, and why; or a cut that is given twice.
    """
    found: dict[str, dict[int, float]] = {}
    for text in given:
        parts = _POINT.fullmatch(text)
        if parts is None:
            raise ValueError(f"{text!r} is no point; write TASK>=GRADE=PROBABILITY: kl>=2=0.39.")
        name, cut, threshold = parts[1], int(parts[2]), float(parts[3])
        if name not in TASKS or cut_of(TASKS[name]) is None:
            raise ValueError(f"{text!r}: there is no task {name!r} that can be cut in two.")
        highest = len(TASKS[name].classes) - 1
        if not 1 <= cut <= highest:
            raise ValueError(f"{text!r}: {name} is cut at 1 to {highest}, not at {cut}.")
        if not 0.0 < threshold < 1.0:
            raise ValueError(f"{text!r}: a probability lies between 0 and 1, both excluded.")
        if cut in found.setdefault(name, {}):
            raise ValueError(f"{name}>={cut} is given twice. Keep one.")
        found[name][cut] = threshold
    return found


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
    by_name: frozenset[tuple[str, Key]] = frozenset()
    internal: tuple[Sequence[Row], Sequence[Row]] | None = None

    def rng(self) -> np.random.Generator:
        """A fresh source of chance, so that no number depends on what was asked before it."""
        return np.random.default_rng(self.seed)
