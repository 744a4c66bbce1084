"""From one cohort to another: how much is lost, and how much of it the mix of grades explains.

The knees of both cohorts stand in one row, the internal ones first, and are drawn together: from
each cohort as many patients as it has. So whatever rests on both, such as the mix of grades that
one lends the other, is uncertain as both are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kellgren.statistics.bootstrap import FEWEST, RESAMPLES, Interval, intervals, replicates
from kellgren.statistics.weighted import Statistic, Sums


@dataclass(frozen=True, slots=True)
class Drop:
    """One metric on two cohorts.

    Parameters
    ----------
    internal, external
        Its values.
    points
        Internal minus external, on the metric's own scale: above zero something is lost (of an
        error, gained).
    percent
        The same in per cent of the internal value; not to be mistaken for points. NaN where the
        internal value is not above zero, which nothing is a share of.
    internal_interval, external_interval, points_interval, percent_interval
        By resampling the patients of both cohorts, each by itself. NaN where either has too few.
    """

    internal: float
    external: float
    points: float
    percent: float
    internal_interval: Interval
    external_interval: Interval
    points_interval: Interval
    percent_interval: Interval


@dataclass(frozen=True, slots=True, eq=False)
class OnBoth:
    """One metric on two cohorts, before it has an interval.

    Parameters
    ----------
    internal, external
        Of weights (weightings, m + n), the m internal knees first.
    members
        (m + n,) the knees that the values rest on.
    """

    internal: Statistic
    external: Statistic
    members: NDArray[np.bool_]


def drops(
    pairs: Sequence[OnBoth],
    *,
    internal_patients: NDArray[np.str_],
    external_patients: NDArray[np.str_],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> tuple[Drop, ...]:
    """Compare statistics of two independent cohorts, all of them in the same resamples.

    Parameters
    ----------
    internal_patients, external_patients
        (m,) and (n,) whom each knee belongs to. A name in both is two people.
    """
    inside = np.repeat([True, False], [len(internal_patients), len(external_patients)])
    # A cohort's mark before each name keeps apart who is called alike.
    patients = np.concatenate(
        [
            np.char.add(mark, np.asarray(names, dtype=np.str_))
            for mark, names in (("i", internal_patients), ("e", external_patients))
        ]
    )
    statistics = [each for pair in pairs for each in (pair.internal, pair.external)]
    once = np.ones((1, len(patients)))
    points = np.array([float(statistic(once)[0]) for statistic in statistics]).reshape(-1, 2)
    values = np.full((1, len(statistics)), np.nan)
    if min(_people(patients, inside), _people(patients, ~inside)) >= FEWEST:
        strata = np.where(inside, 0, 1)
        values = replicates(statistics, patients, rng=rng, resamples=resamples, strata=strata)
    drawn = values.reshape(len(values), -1, 2)
    return tuple(
        _drop(
            points[place],
            drawn[:, place]
            if min(_people(patients, pair.members & side) for side in (inside, ~inside)) >= FEWEST
            else np.full((1, 2), np.nan),
        )
        for place, pair in enumerate(pairs)
    )


def among(statistic: Statistic, members: NDArray[np.bool_]) -> Statistic:
    """A statistic of some knees under the weights of all, (weightings, knees).

    Parameters
    ----------
    statistic
        Of those that ``members`` (knees,) marks.
    """
    if not isinstance(statistic, Sums):
        return lambda weights: statistic(weights[:, members])
    columns = np.zeros((len(members), statistic.columns.shape[1]))
    columns[members] = statistic.columns
    return Sums(columns, statistic.value)


def standardised(
    statistic: Statistic,
    truth: NDArray[np.int64],
    reference: NDArray[np.int64],
    *,
    classes: int,
) -> Statistic:
    """A statistic of one cohort as if it had another's mix of true grades.

    Every knee is weighted by how much commoner its grade is in the reference (direct
    standardisation). In a resample the shares of the grades are the resample's own, in the cohort
    and in the reference: the reference is a sample too.

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
        Of weights (weightings, m + n), the reference first. NaN where the reference knees drawn
        have a grade that the others have not: nothing stands for it.
    """
    wanted, member = (
        (grades[:, np.newaxis] == np.arange(classes)).astype(np.float64)
        for grades in (reference, truth)
    )

    def reweighted(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        own = weights[:, len(wanted) :]
        mix, totals = weights[:, : len(wanted)] @ wanted, own @ member
        absent = ((totals == 0.0) & (mix > 0.0)).any(axis=1)
        factors = np.divide(mix, totals, out=np.zeros_like(totals), where=totals > 0.0)
        # Scaled to a sum of one, which no statistic depends on but for rounding.
        factors /= mix.sum(axis=1, keepdims=True)
        values = statistic(own * (factors @ member.T))
        values[absent] = np.nan
        return values

    return reweighted


def _drop(once: NDArray[np.float64], drawn: NDArray[np.float64]) -> Drop:
    """A drop of values (2,), internal and external, with intervals from values (resamples, 2)."""
    inside, outside = np.vstack([once, drawn]).T
    lost, shares = inside - outside, np.full(len(inside), np.nan)
    np.divide(100.0 * lost, inside, out=shares, where=inside > 0.0)
    found = intervals(np.stack([inside, outside, lost, shares], axis=1)[1:])
    return Drop(
        internal=float(inside[0]),
        external=float(outside[0]),
        points=float(lost[0]),
        percent=float(shares[0]),
        internal_interval=found[0],
        external_interval=found[1],
        points_interval=found[2],
        percent_interval=found[3],
    )


def _people(patients: NDArray[np.str_], members: NDArray[np.bool_]) -> int:
    return len(np.unique(patients[members]))
