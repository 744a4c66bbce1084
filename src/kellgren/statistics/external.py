"""From one cohort to another: how much is lost, and how much of it the mix of grades explains."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kellgren.statistics.bootstrap import FEWEST, RESAMPLES, Interval, intervals, replicates
from kellgren.statistics.weighted import Statistic

_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Drop:
    """One metric on two cohorts.

    Parameters
    ----------
    internal, external
        Its values.
    points
        Internal minus external: above zero something is lost (of an error, gained).
    percent
        The same in per cent of the internal value; not to be mistaken for points.
    points_interval, percent_interval
        By resampling the patients of both cohorts, each by itself.
    """

    internal: float
    external: float
    points: float
    percent: float
    points_interval: Interval
    percent_interval: Interval


def drop(
    internal: Statistic,
    external: Statistic,
    *,
    internal_patients: NDArray[np.str_],
    external_patients: NDArray[np.str_],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Drop:
    """Compare one statistic of two independent cohorts."""
    inside, outside = (
        float(statistic(np.ones((1, len(patients))))[0])
        for statistic, patients in ((internal, internal_patients), (external, external_patients))
    )
    drawn = [
        replicates([statistic], patients, rng=rng, resamples=resamples)[:, 0]
        for statistic, patients in ((internal, internal_patients), (external, external_patients))
    ]
    lost = drawn[0] - drawn[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(drawn[0] == 0.0, np.nan, 100.0 * lost / drawn[0])
    drops = np.stack([lost, shares], axis=1)
    if min(len(np.unique(who)) for who in (internal_patients, external_patients)) < FEWEST:
        drops = np.full((1, 2), np.nan)
    points, percent = intervals(drops)
    return Drop(
        internal=inside,
        external=outside,
        points=inside - outside,
        percent=100.0 * (inside - outside) / inside if inside else _NAN,
        points_interval=points,
        percent_interval=percent,
    )


def standardised(
    statistic: Statistic,
    truth: NDArray[np.int64],
    reference: NDArray[np.int64],
    *,
    classes: int,
) -> Statistic:
    """A statistic of one cohort as if it had another's mix of true grades.

    Every knee is weighted by how much commoner its grade is in the reference (direct
    standardisation). In a resample the shares of the grades are the resample's own.

    Parameters
    ----------
    statistic
        Of the knees of ``truth``.
    truth
        (n,) grades of these.
    reference
        (m,) grades of the cohort whose mix is taken on.

    Returns
    -------
    Statistic
        NaN where the reference has a grade that the knees drawn have not: nothing stands for it.
    """
    wanted = np.bincount(reference, minlength=classes) / len(reference)
    member = (truth[:, np.newaxis] == np.arange(classes)).astype(np.float64)

    def reweighted(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        totals = weights @ member
        absent = ((totals == 0.0) & (wanted > 0.0)).any(axis=1)
        factors = np.divide(wanted, totals, out=np.zeros_like(totals), where=totals > 0.0)
        values = statistic(weights * (factors @ member.T))
        values[absent] = np.nan
        return values

    return reweighted
