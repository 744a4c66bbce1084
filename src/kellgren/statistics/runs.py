"""Systems compared over their repeated runs: an analysis of variance, then every pair.

The unit is the run. Nothing here knows of patients, so nothing here speaks of other patients.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from kellgren.statistics.anova import Anova, one_way, repeated_measures
from kellgren.statistics.bootstrap import LEVEL
from kellgren.statistics.multiplicity import AdjustedP, Family
from kellgren.statistics.resampled import corrected_resampled_t
from kellgren.statistics.run_table import Runs, Score

_NAN = float("nan")

_ALONE = AdjustedP(_NAN, _NAN)
"""Of a test whose family is not known yet."""

_NOTHING = 1e-12
"""Part of a value that rounding may move; chosen, some thousand times a double's precision."""

Status = Literal["ok", "too_few", "zero_variance", "never_differ"]


@dataclass(frozen=True, slots=True)
class Splits:
    """How large the parts are of splits that were drawn again for every run.

    Parameters
    ----------
    train_patients, test_patients
        Of one split; their ratio is what counts.
    """

    train_patients: int
    test_patients: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Two systems by one score.

    Parameters
    ----------
    method
        Which t-test.
    estimate, low, high
        Mean of the first minus mean of the second, and its interval at `LEVEL`.
    t, freedom, p
        The statistic, its degrees of freedom and its p, two-sided.
    adjusted
        The p among those of all pairs of all scores.
    status
        ``zero_variance``: runs do not differ, so nothing says what chance would do.
        ``never_differ``: nor do the systems; p is 1.
    """

    first: str
    second: str
    method: str
    estimate: float
    low: float
    high: float
    t: float
    freedom: float
    p: float
    status: Status = "ok"
    adjusted: AdjustedP = _ALONE


@dataclass(frozen=True, slots=True)
class Compared:
    """All systems by one score.

    Parameters
    ----------
    score
        Its name and values.
    anova
        None for runs on splits drawn again: it takes runs for independent, and those are not.
    p
        The p that counts, of F; with three conditions or more and repeated measures, as corrected
        by Greenhouse and Geisser.
    adjusted
        That p among those of all scores.
    """

    score: Score
    anova: Anova | None
    pairs: tuple[Pair, ...]
    p: float = _NAN
    adjusted: AdjustedP = _ALONE


def compare_runs(runs: Runs, *, paired: bool, splits: Splits | None = None) -> tuple[Compared, ...]:
    """Compare the systems by every score.

    Parameters
    ----------
    paired
        Runs of one name belong together, as `pairing` says.
    splits
        Runs are on splits drawn again from the same patients. Needs pairs.
    """
    if splits is not None and not paired:
        raise ValueError("runs on splits drawn again are compared split by split: pair them")
    found = [_compare(runs, score, paired=paired, splits=splits) for score in runs.scores]
    scores = Family.of([each.p for each in found]).tests
    pairs = iter(Family.of([pair.p for each in found for pair in each.pairs]).tests)
    return tuple(
        replace(
            each,
            adjusted=adjusted,
            pairs=tuple(replace(pair, adjusted=next(pairs)) for pair in each.pairs),
        )
        for each, adjusted in zip(found, scores, strict=True)
    )


def _compare(runs: Runs, score: Score, *, paired: bool, splits: Splits | None) -> Compared:
    pairs = tuple(_pairs(runs, score, paired=paired, splits=splits))
    if splits is not None:
        return Compared(score, None, pairs)
    if not paired:
        anova = one_way(score.values)
        return Compared(score, anova, pairs, anova.p)
    anova = repeated_measures(np.column_stack(score.values))
    # Always corrected, not only where Mauchly's test says so: with few runs it seldom would.
    p = anova.p if anova.sphericity is None else anova.sphericity.greenhouse_geisser_p
    return Compared(score, anova, pairs, p)


def _pairs(runs: Runs, score: Score, *, paired: bool, splits: Splits | None) -> Iterator[Pair]:
    for i, j in combinations(range(len(runs.systems)), 2):
        names, values = (runs.systems[i], runs.systems[j]), (score.values[i], score.values[j])
        if splits is not None:
            yield _resampled(names, values[0] - values[1], splits)
        else:
            yield (_paired if paired else _welch)(names, values)


def _resampled(names: tuple[str, str], differences: NDArray[np.float64], splits: Splits) -> Pair:
    found = corrected_resampled_t(
        differences, train_patients=splits.train_patients, test_patients=splits.test_patients
    )
    return Pair(
        *names,
        method="Corrected resampled t-test",
        estimate=found.estimate,
        low=found.low,
        high=found.high,
        t=found.t,
        freedom=float(found.freedom),
        p=found.p,
        status=found.status,
    )


def _paired(
    names: tuple[str, str], values: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> Pair:
    differences = values[0] - values[1]
    freedom = len(differences) - 1
    variance = float(differences.var(ddof=1)) / len(differences)
    return _t_test(names, values, "Paired t-test", variance, float(freedom))


def _welch(names: tuple[str, str], values: tuple[NDArray[np.float64], NDArray[np.float64]]) -> Pair:
    """Does not take the systems to vary alike; Welch (1947, doi:10.1093/biomet/34.1-2.28)."""
    parts = [float(each.var(ddof=1)) / len(each) for each in values]
    # The freedom does not change with the scores' unit; squares of tiny variances would vanish.
    shares = [part / max(*parts, math.ulp(0.0)) for part in parts]
    below = sum(s**2 / (len(each) - 1) for s, each in zip(shares, values, strict=True))
    freedom = sum(shares) ** 2 / below if below else _NAN
    return _t_test(names, values, "Welch's t-test", sum(parts), freedom)


def _t_test(
    names: tuple[str, str],
    values: tuple[NDArray[np.float64], NDArray[np.float64]],
    method: str,
    variance: float,
    freedom: float,
) -> Pair:
    """From the variance of the difference of means."""
    first, second = (float(each.mean()) for each in values)
    estimate = first - second
    t, p, reach, status = _NAN, _NAN, _NAN, _status(values, variance)
    if status == "ok":
        error = math.sqrt(variance)
        t = estimate / error
        p = 2.0 * float(stats.t.sf(abs(t), freedom))
        reach = float(stats.t.ppf((1.0 + LEVEL) / 2.0, freedom)) * error
    elif status == "never_differ":
        p = 1.0
    return Pair(
        *names,
        method=method,
        estimate=estimate,
        low=estimate - reach,
        high=estimate + reach,
        t=t,
        freedom=freedom,
        p=p,
        status=status,
    )


def _status(values: tuple[NDArray[np.float64], NDArray[np.float64]], variance: float) -> Status:
    largest = max(float(np.abs(each).max()) for each in values)
    if math.sqrt(variance) > _NOTHING * largest:
        return "ok"
    apart = abs(float(values[0].mean() - values[1].mean()))
    return "never_differ" if apart <= _NOTHING * largest else "zero_variance"
