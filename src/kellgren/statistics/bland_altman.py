"""Agreement of two measurements in millimetres.

The mean difference, and the limits between which 95 % of differences lie if they are normal (Bland
and Altman 1999, doi:10.1177/096228029900800204).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kellgren import errors
from kellgren.statistics.bootstrap import FEWEST, Interval, intervals, replicates
from kellgren.statistics.weighted import Statistic

LIMIT: Final = 1.96
"""Standard deviations on either side of the mean difference; 95 % of a normal distribution."""


@dataclass(frozen=True, slots=True, eq=False)
class BlandAltman:
    """Mean difference and limits of agreement, in the unit of the measurements.

    Parameters
    ----------
    means, differences
        (n,) of each knee: what is drawn.
    bias, lower, upper
        Mean difference, and the limits of agreement around it.
    bias_interval, lower_interval, upper_interval
        By resampling patients.
    slope_p
        Of no trend of the differences with the means (Pearson); small where one pair of limits
        does not serve all sizes.
    n_patients, n_knees
        What they rest on.
    """

    means: NDArray[np.float64]
    differences: NDArray[np.float64]
    bias: float
    lower: float
    upper: float
    bias_interval: Interval
    lower_interval: Interval
    upper_interval: Interval
    slope_p: float
    n_patients: int
    n_knees: int


def bland_altman(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    patients: NDArray[np.str_],
    *,
    rng: np.random.Generator,
) -> BlandAltman:
    """Compare two measurements (n,) of the same knees; differences are first minus second.

    Raises
    ------
    TableError
        Fewer than three knees, or a measurement that is not finite.
    """
    from scipy.stats import pearsonr

    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise errors.TableError("A measurement is not a finite number. Leave such knees out.")
    if len(first) < 3:
        raise errors.TableError(f"{len(first)} knees; limits of agreement need at least three.")
    differences, means = first - second, (first + second) / 2.0
    statistics = [limit(differences, times) for times in (0.0, -LIMIT, LIMIT)]
    ones = np.ones((1, len(differences)))
    bias, lower, upper = (float(statistic(ones)[0]) for statistic in statistics)
    of_bias, of_lower, of_upper = intervals(
        replicates(statistics, patients, rng=rng)
        if len(np.unique(patients)) >= FEWEST
        else np.full((1, len(statistics)), np.nan)
    )
    varied = min(np.ptp(means), np.ptp(differences)) > 1e-9 * max(np.abs(means).max(), 1.0)
    return BlandAltman(
        means,
        differences,
        bias,
        lower,
        upper,
        of_bias,
        of_lower,
        of_upper,
        slope_p=float(pearsonr(means, differences).pvalue) if varied else float("nan"),
        n_patients=len(np.unique(patients)),
        n_knees=len(differences),
    )


def limit(differences: NDArray[np.float64], times: float) -> Statistic:
    """Mean difference plus so many standard deviations (n − 1 below), under many weightings."""
    centre = float(differences.mean())
    centred = differences - centre
    columns = np.stack([centred, centred**2, np.ones_like(centred)], axis=1)

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        sums, squares, n = (weights @ columns).T
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = sums / n
            spread = np.sqrt(np.maximum(squares - n * mean**2, 0.0) / (n - 1.0))
            values: NDArray[np.float64] = centre + mean + times * spread
        values[~np.isfinite(values)] = np.nan
        return values

    return statistic
