"""Confidence intervals by resampling patients.

The knees and visits of a person are alike, so whole patients are drawn with replacement and bring
all their rows with them; drawing knees would make intervals too narrow.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kellgren.statistics.weighted import Statistic, by_unit

RESAMPLES = 2000
"""Chosen: the 2.5 and 97.5 % points then rest on 50 resamples each."""

RESAMPLES_OF_TIULPIN2020 = 100
"""Stratified ones, from which Tiulpin and Saarakkala (2020) take their intervals of 95 %.

With ``strata`` the setting is theirs, but for two habits of their code: it draws pictures instead
of patients (``unit="knee"`` does so too), and it cuts at 2 and 97 %.
"""

LEVEL = 0.95
"""Of the intervals, as Tiulpin and Saarakkala (2020) and Olsson et al. (2021) report them."""

FEWEST = 30
"""Patients; chosen: of fewer, percentile intervals hold the true value far too seldom, those of an
area under a curve most of all (``python -m benchmarks.coverage --patients 20``)."""

Unit = Literal["patient", "knee"]
"""What is drawn. Knees only to show how far off the interval would have been."""

CELLS = 2**20
"""Weights held at a time; chosen: 8 MiB, as more gain little speed."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A percentile interval.

    Parameters
    ----------
    low, high
        NaN where no resample had a value.
    undefined
        How many resamples had none, and were left out.
    """

    low: float
    high: float
    undefined: int

    @property
    def width(self) -> float:
        """From low to high; a naive interval's over this one is how much it pretends to know."""
        return self.high - self.low


def replicates(
    statistics: Sequence[Statistic],
    patients: NDArray[np.str_],
    *,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    strata: NDArray[np.int64] | None = None,
    unit: Unit = "patient",
) -> NDArray[np.float64]:
    """Values of every statistic in the same resamples.

    Parameters
    ----------
    statistics
        Of the same knees.
    patients
        (n,) whom each knee belongs to; at least one.
    rng
        Where the draws come from: the only source of chance.
    resamples
        How many there are.
    strata
        (n,) such as each knee's true grade: as many patients are drawn from each stratum as it
        has. A patient whose knees differ belongs to the highest of theirs, so it is patients that
        every resample has the same number of, not knees. One who is a stratum alone is in all
        resamples. Such intervals are narrower: they are about cohorts with this very mix, and of
        others hold the true value too seldom. None: all patients are one stratum.
    unit
        "knee" draws every row by itself, in the stratum of its own, as if patients had one knee.

    Returns
    -------
    NDArray
        (resamples, statistics).
    """
    _, owner = np.unique(patients, return_inverse=True)
    if unit == "knee":
        owner = np.arange(len(patients))
    values = by_unit(statistics, owner)
    at_once = max(1, CELLS // len(patients))
    n = int(owner.max()) + 1
    stratum = np.zeros(n, dtype=np.int64)
    if strata is not None:
        stratum = np.full(n, strata.min())
        np.maximum.at(stratum, owner, strata)
    return np.concatenate(
        [values(counts) for counts in _counts(stratum, rng, resamples, at_once=at_once)]
    )


def intervals(values: NDArray[np.float64], *, level: float = LEVEL) -> tuple[Interval, ...]:
    """Percentile interval of every column of `replicates`."""
    return tuple(_interval(column, level) for column in values.T)


def method(*, resamples: int = RESAMPLES, stratified: bool = False, unit: Unit = "patient") -> str:
    """How an interval was made, in words."""
    drawn = f"{'stratified ' if stratified else ''}resamples of {unit}s"
    return f"percentile bootstrap, {resamples} {drawn}, {100 * LEVEL:g} %"


def stratified_words(by: str = "true grade") -> str:
    """What a page says of stratified intervals; ``by``: whose grade made the strata."""
    return (
        f"The bootstrap was stratified: from the patients of each {by} as many were drawn as it "
        "has; a patient counts by the highest grade of the knees compared. Such intervals take the "
        "grades' shares as fixed, and are therefore as a rule narrower than what another sample, "
        "of another mix, would show."
    )


def _interval(values: NDArray[np.float64], level: float) -> Interval:
    defined = values[~np.isnan(values)]
    undefined = len(values) - len(defined)
    if len(defined) == 0:
        return Interval(float("nan"), float("nan"), undefined)
    low, high = np.quantile(defined, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return Interval(float(low), float(high), undefined)


def _counts(
    stratum: NDArray[np.int64], rng: np.random.Generator, resamples: int, *, at_once: int
) -> Iterator[NDArray[np.float64]]:
    """How often each unit was drawn (some resamples, units), until all resamples are done."""
    n = len(stratum)
    order = np.argsort(stratum, kind="stable")
    _, first, sizes = np.unique(stratum[order], return_index=True, return_counts=True)
    for start in range(0, resamples, at_once):
        batch = min(at_once, resamples - start)
        if len(sizes) == 1:
            drawn = rng.integers(0, n, size=(batch, n))
        else:
            within = rng.integers(0, np.repeat(sizes, sizes), size=(batch, n))
            drawn = order[np.repeat(first, sizes) + within]
        # One count over all resamples of the batch: each has its own range of numbers.
        drawn += np.arange(batch)[:, None] * n
        counts = np.bincount(drawn.ravel(), minlength=batch * n)
        yield counts.reshape(batch, n).astype(np.float64)
