"""Two readers of the same knees: how far apart they are, and whether that may be chance.

`compare` takes any statistic, its interval from resampled patients and its p from exchanging the
two readers' answers, for all knees of a patient at once. McNemar's tests are for shares of right
answers only; the plain ones take knees as independent.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from kellgren.statistics import bootstrap
from kellgren.statistics.metrics import Status
from kellgren.statistics.weighted import Statistic, Sums, by_unit

EXCHANGES = 9999
"""Chosen: with what was observed they are ten thousand, so a p of 0.05 is sure to 0.002."""

_TIE = 1e-9
"""Part of a value that rounding may move; chosen, far above what sums of a cohort lose."""

_NAN = float("nan")

Variant = Literal["exact", "mid-p", "chi2"]

Agreeing = Literal["ok", "no_knees", "never_differ", "few_patients"]


@dataclass(frozen=True, slots=True)
class Difference:
    """How far the first of two readers lies above the second, by one statistic.

    Parameters
    ----------
    first, second
        The readers' own values.
    estimate, low, high
        First minus second, and its interval by resampling patients.
    p
        Two-sided, of the hypothesis that the readers could change places.
    method
        Of the interval.
    test
        Of the p.
    n_patients, n_knees
        What all of it rests on.
    status
        As of `Metric`. ``undefined``: one of the values does not exist, so no other does.
        ``no_interval``: fewer than `bootstrap.FEWEST` patients, or no resample with a value; p
        holds for any number. ``interval_partial``: some resamples had no value and were left out.
    """

    first: float
    second: float
    estimate: float
    low: float
    high: float
    p: float
    method: str
    test: str
    n_patients: int
    n_knees: int
    status: Status

    def __post_init__(self) -> None:
        if math.isnan(self.p) != (self.status in {"no_knees", "undefined"}):
            raise ValueError(f"p is {self.p} with the status {self.status!r}.")


@dataclass(frozen=True, slots=True)
class McNemar:
    """Shares of right answers of two readers, from the knees on which only one is right.

    Parameters
    ----------
    method
        Which test.
    estimate, low, high
        Share of the first minus share of the second; a normal interval, for clustered pairs of
        patients and else of knees as if independent. NaN where all speak alike: it would have no
        width.
    chi2
        The statistic, of one degree of freedom; NaN where p is counted out.
    p
        Two-sided.
    first_only, second_only
        Knees on which only the first, or only the second, is right.
    n_patients, n_knees
        Of all pairs.
    status
        ``never_differ``: no knee, or for clustered pairs no patient, speaks for either; p is 1, and
        there is no interval. ``few_patients``: a test for many, given fewer than
        `bootstrap.FEWEST`; no p, no interval. ``no_knees``: nothing at all.
    """

    method: str
    estimate: float
    low: float
    high: float
    chi2: float
    p: float
    first_only: int
    second_only: int
    n_patients: int
    n_knees: int
    status: Agreeing


def compare(
    pooled: Sequence[Statistic],
    patients: NDArray[np.str_],
    *,
    rng: np.random.Generator,
    resamples: int = bootstrap.RESAMPLES,
    exchanges: int = EXCHANGES,
    strata: NDArray[np.int64] | None = None,
) -> tuple[Difference, ...]:
    """Compare two readers by several statistics, in the same resamples and exchanges.

    The permutation test exchanges the readers' answers for whole patients, as both knees of one
    are graded alike (well or badly). Where all ways to do so are no more than ``exchanges``, all
    are tried and p is exact; else so many are drawn, and what was observed is counted as one more
    (Phipson and Smyth 2010, doi:10.2202/1544-6115.1585). An exchange without a value counts as
    extreme, which can only raise p.

    Parameters
    ----------
    pooled
        Each a statistic of 2n rows: n knees as the first reader answers them, then the same knees
        as the second does; ``weighted.quadratic_kappa(np.tile(truth, 2), np.concatenate([first,
        second]), classes=5)``. Scores of an AUC must be on one scale, such as probabilities.
    patients
        (n,) whom each knee belongs to.
    strata
        As of `bootstrap.replicates`, for the interval.
    """
    n = len(patients)
    for statistic in pooled:
        if isinstance(statistic, Sums) and len(statistic.columns) != 2 * n:
            raise ValueError(
                f"A statistic has {len(statistic.columns)} rows; {n} knees read twice have {2 * n}."
            )
    names, owner = np.unique(patients, return_inverse=True)
    many = 2 ** max(len(names) - 1, 0)
    exact = many <= exchanges
    method = bootstrap.method(resamples=resamples, stratified=strata is not None)
    test = f"permutation, {f'all {many}' if exact else f'{exchanges} random'} exchanges of patients"
    if n == 0:
        nothing = Difference(_NAN, _NAN, _NAN, _NAN, _NAN, _NAN, method, test, 0, 0, "no_knees")
        return tuple(nothing for _ in pooled)
    apart = [_of_one(statistic, place, n) for statistic in pooled for place in (0, 1)]
    own = by_unit(apart, np.zeros(n, dtype=np.int64))(np.ones((1, 1))).reshape(-1, 2)
    found = [bootstrap.Interval(_NAN, _NAN, resamples) for _ in pooled]
    if len(names) >= bootstrap.FEWEST:
        values = bootstrap.replicates(apart, patients, rng=rng, resamples=resamples, strata=strata)
        found = list(bootstrap.intervals(values[:, ::2] - values[:, 1::2]))
    drawn = _all(len(names), n) if exact else _some(len(names), n, rng, exchanges)
    extreme, tried = _extreme(pooled, owner, own, drawn)
    p = extreme / tried if exact else (extreme + 1) / (tried + 1)
    return tuple(
        _difference(values, interval, float(each), (method, test), len(names), n)
        for values, interval, each in zip(own.tolist(), found, p, strict=True)
    )


def mcnemar(
    first_right: NDArray[np.bool_],
    second_right: NDArray[np.bool_],
    patients: NDArray[np.str_],
    *,
    variant: Variant = "mid-p",
) -> McNemar:
    """McNemar's test, which takes the knees (n,) as independent; both knees of a patient are not.

    For comparison with publications that use it; `compare` and `clustered_mcnemar` know patients.

    Parameters
    ----------
    variant
        "exact": binomial, conditional on the knees that only one gets right. "mid-p": the same less
        half the probability of what was observed, less cautious (Fagerland, Lydersen and Laake
        2013, doi:10.1186/1471-2288-13-91). "chi2": with Edwards' correction for continuity.
    """
    pairs = _Pairs.of(first_right, second_right, patients)
    discordant = pairs.first_only + pairs.second_only
    method = f"McNemar, {variant}, knees taken as independent"
    if len(patients) == 0 or discordant == 0:
        return pairs.result(method, status="never_differ" if len(patients) else "no_knees")
    fewer = min(pairs.first_only, pairs.second_only)
    # Twice a tail counts the middle twice where there is one.
    p = min(1.0, 2.0 * float(stats.binom.cdf(fewer, discordant, 0.5)))
    chi2 = _NAN
    if variant == "mid-p":
        half = 0.5 if 2 * fewer == discordant else 1.0
        p -= half * float(stats.binom.pmf(fewer, discordant, 0.5))
    elif variant == "chi2":
        chi2 = max(abs(pairs.first_only - pairs.second_only) - 1, 0) ** 2 / discordant
        p = float(stats.chi2.sf(chi2, 1))
    signs = first_right.astype(np.float64) - second_right
    return pairs.result(method, p=p, chi2=chi2, error=float(signs.std() / math.sqrt(len(signs))))


def clustered_mcnemar(
    first_right: NDArray[np.bool_], second_right: NDArray[np.bool_], patients: NDArray[np.str_]
) -> McNemar:
    """McNemar's test for knees (n,) of which several are a patient's.

    Obuchowski (1998, doi:10.1002/(SICI)1097-0258(19980715)17:13<1495::AID-SIM863>3.0.CO;2-I), in
    the form of Yang et al. (2010, doi:10.1002/bimj.201000035): with the patients' surpluses of
    knees for the first reader, the square of their sum over the sum of their squares, times
    (patients - 1) / patients. The interval has the variance of the difference of ratio estimates.
    """
    pairs = _Pairs.of(first_right, second_right, patients)
    method = "McNemar for clustered pairs (Obuchowski)"
    n = len(patients)
    if n == 0:
        return pairs.result(method, status="no_knees")
    _, owner = np.unique(patients, return_inverse=True)
    surplus = np.bincount(owner, weights=first_right.astype(np.float64) - second_right)
    k = len(surplus)
    if not surplus.any():
        return pairs.result(method, status="never_differ")
    if k < bootstrap.FEWEST:
        return pairs.result(method, status="few_patients")
    chi2 = (k - 1) / k * float(surplus.sum() ** 2 / (surplus**2).sum())
    about = surplus - np.bincount(owner) * surplus.sum() / n
    error = math.sqrt(k / (k - 1) * float((about**2).sum())) / n
    return pairs.result(method, p=float(stats.chi2.sf(chi2, 1)), chi2=chi2, error=error)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """What all of McNemar's tests count."""

    first_only: int
    second_only: int
    n_patients: int
    n_knees: int

    @classmethod
    def of(
        cls,
        first_right: NDArray[np.bool_],
        second_right: NDArray[np.bool_],
        patients: NDArray[np.str_],
    ) -> "_Pairs":
        if not len(first_right) == len(second_right) == len(patients):
            raise ValueError(
                f"{len(first_right)} and {len(second_right)} answers about {len(patients)} knees: "
                "give both readers' of the same ones."
            )
        return cls(
            first_only=int((first_right & ~second_right).sum()),
            second_only=int((second_right & ~first_right).sum()),
            n_patients=len(np.unique(patients)),
            n_knees=len(patients),
        )

    def result(
        self,
        method: str,
        *,
        p: float = _NAN,
        chi2: float = _NAN,
        error: float = _NAN,
        status: Agreeing = "ok",
    ) -> McNemar:
        """With ``error``, the standard error of the difference."""
        estimate = (self.first_only - self.second_only) / self.n_knees if self.n_knees else _NAN
        reach = float(stats.norm.ppf((1.0 + bootstrap.LEVEL) / 2.0)) * (error or _NAN)
        return McNemar(
            method=method,
            estimate=estimate,
            low=estimate - reach,
            high=estimate + reach,
            chi2=chi2,
            p=1.0 if status == "never_differ" else p,
            first_only=self.first_only,
            second_only=self.second_only,
            n_patients=self.n_patients,
            n_knees=self.n_knees,
            status=status,
        )


def _of_one(pooled: Statistic, place: int, n: int) -> Statistic:
    """The statistic of the first reader (0) or the second (1) alone, of n knees."""
    if isinstance(pooled, Sums):
        return Sums(pooled.columns[place * n : (place + 1) * n], pooled.value)

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        nought = np.zeros_like(weights)
        return pooled(np.concatenate([nought, weights] if place else [weights, nought], axis=1))

    return statistic


def _all(patients: int, n: int) -> Iterator[NDArray[np.float64]]:
    """All ways to exchange patients (some ways, patients), 1 for exchanged.

    The first patient stays: exchanging all others instead only turns the difference's sign.
    """
    many = 2 ** (patients - 1)
    for start in range(0, many, _at_once(n)):
        numbers = np.arange(start, min(start + _at_once(n), many))
        bits = (numbers[:, np.newaxis] >> np.arange(patients - 1)) & 1
        yield np.pad(bits, ((0, 0), (1, 0))).astype(np.float64)


def _some(
    patients: int, n: int, rng: np.random.Generator, exchanges: int
) -> Iterator[NDArray[np.float64]]:
    """So many ways by chance."""
    for start in range(0, exchanges, _at_once(n)):
        batch = min(_at_once(n), exchanges - start)
        yield rng.integers(0, 2, size=(batch, patients)).astype(np.float64)


def _at_once(n: int) -> int:
    return max(1, bootstrap.CELLS // (2 * n))


def _extreme(
    pooled: Sequence[Statistic],
    owner: NDArray[np.int64],
    own: NDArray[np.float64],
    ways: Iterator[NDArray[np.float64]],
) -> tuple[NDArray[np.int64], int]:
    """How many exchanges leave the readers (statistics,) as far apart, and how many there were."""
    values = by_unit(pooled, np.concatenate([owner, owner + owner.max() + 1]))
    least = np.abs(own[:, 0] - own[:, 1]) - _TIE * np.abs(own).max(axis=1)
    extreme, tried = np.zeros(len(pooled), dtype=np.int64), 0
    for exchanged in ways:
        kept = 1.0 - exchanged
        first = values(np.concatenate([kept, exchanged], axis=1))
        second = values(np.concatenate([exchanged, kept], axis=1))
        # Written so that NaN counts.
        extreme += (~(np.abs(first - second) < least)).sum(axis=0)
        tried += len(exchanged)
    return extreme, tried


def _difference(
    own: Sequence[float],
    interval: bootstrap.Interval,
    p: float,
    how: tuple[str, str],
    n_patients: int,
    n_knees: int,
) -> Difference:
    first, second = own
    undefined = math.isnan(first - second)
    status: Status = "interval_partial" if interval.undefined else "ok"
    if undefined or math.isnan(interval.low):
        status = "undefined" if undefined else "no_interval"
    return Difference(
        first=first,
        second=second,
        estimate=first - second,
        low=_NAN if undefined else interval.low,
        high=_NAN if undefined else interval.high,
        p=_NAN if undefined else p,
        method=how[0],
        test=how[1],
        n_patients=n_patients,
        n_knees=n_knees,
        status=status,
    )
