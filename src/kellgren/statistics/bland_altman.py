"""Agreement of two measurements in millimetres.

The mean difference, and the limits between which 95 % of differences lie if they are normal (Bland
and Altman 1999, doi:10.1177/096228029900800204).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kellgren import errors
from kellgren.statistics.bootstrap import FEWEST, RESAMPLES, Interval, intervals, replicates
from kellgren.statistics.weighted import Statistic, Sums

LIMIT: Final = 1.96
"""Standard deviations on either side of the mean difference; 95 % of a normal distribution."""

_ROUNDING: Final = 1e-9
"""Chosen: relative; millions of times what a float loses, and far below what anybody measures."""


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
    slope, slope_interval
        How much larger the difference is for each unit of the mean, by least squares; with a trend
        one pair of limits does not serve all sizes. NaN where either does not vary.
    slope_p
        Of no trend, by patient; see `trend_p`.
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
    slope: float
    slope_interval: Interval
    slope_p: float
    n_patients: int
    n_knees: int


def bland_altman(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    patients: NDArray[np.str_],
    *,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> BlandAltman:
    """Compare two measurements (n,) of the same knees; differences are first minus second.

    Parameters
    ----------
    patients
        (n,) whom each knee belongs to.
    resamples
        Of patients.

    Raises
    ------
    TableError
        Fewer than three knees, or a measurement that is not finite.
    """
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise errors.TableError("A measurement is not a finite number. Leave such knees out.")
    if len(first) < 3:
        raise errors.TableError(f"{len(first)} knees; limits of agreement need at least three.")
    differences, means = first - second, (first + second) / 2.0
    limits = (limit(differences, times) for times in (0.0, -LIMIT, LIMIT))
    statistics = [*limits, slope(means, differences)]
    bias, lower, upper, trend = (
        float(statistic(np.ones((1, len(differences))))[0]) for statistic in statistics
    )
    people = len(np.unique(patients))
    of_bias, of_lower, of_upper, of_trend = intervals(
        replicates(statistics, patients, rng=rng, resamples=resamples)
        if people >= FEWEST
        else np.full((1, len(statistics)), np.nan)
    )
    return BlandAltman(
        means,
        differences,
        bias,
        lower,
        upper,
        of_bias,
        of_lower,
        of_upper,
        slope=trend,
        slope_interval=of_trend,
        slope_p=trend_p(means, differences, patients),
        n_patients=people,
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


def slope(means: NDArray[np.float64], differences: NDArray[np.float64]) -> Statistic:
    """Least-squares slope of the differences on the means (n,), under many weightings."""
    if not _varied(means, differences):
        return lambda weights: np.full(len(weights), np.nan)
    x, y = means - means.mean(), differences - differences.mean()

    def value(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        xs, ys, squares, products, n = sums.T
        spread = squares - xs**2 / n
        found = np.full(len(sums), np.nan)
        # A resample of one measurement, drawn again and again, has no slope.
        some = spread > _ROUNDING * squares
        np.divide(products - xs * ys / n, spread, out=found, where=some)
        return found

    return Sums(np.stack([x, y, x**2, x * y, np.ones_like(x)], axis=1), value)


def trend_p(
    means: NDArray[np.float64], differences: NDArray[np.float64], patients: NDArray[np.str_]
) -> float:
    """Two-sided p of no slope of the differences on the means (n,), by patient.

    The residuals of a patient are added up before they are squared (Liang and Zeger 1986,
    doi:10.1093/biomet/73.1.13), with the usual correction for few patients and t with one degree of
    freedom less than there are patients. NaN for fewer than `FEWEST`, or where nothing varies.
    """
    from scipy.stats import t

    _, owner = np.unique(patients, return_inverse=True)
    people, n = int(owner.max()) + 1, len(means)
    if people < FEWEST or not _varied(means, differences):
        return float("nan")
    x, y = means - means.mean(), differences - differences.mean()
    found = (x * y).sum() / (x**2).sum()
    scores = np.bincount(owner, weights=x * (y - found * x))
    # Residuals of a line and its slope: two numbers were fitted.
    few = people / (people - 1) * (n - 1) / (n - 2)
    error = np.sqrt(few * (scores**2).sum()) / (x**2).sum()
    if error == 0.0:
        return 0.0
    return float(2.0 * t.sf(abs(found) / error, people - 1))


def _varied(means: NDArray[np.float64], differences: NDArray[np.float64]) -> bool:
    """Whether both differ by more than the rounding of their size."""
    smallest: float = min(np.ptp(means), np.ptp(differences))
    return bool(smallest > _ROUNDING * max(np.abs(means).max(), 1.0))
