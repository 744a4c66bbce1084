"""Analysis of variance of independent groups or of repeated measures, and what it assumes.

Its units must be independent: runs of a training, or patients with one value each; never knees.
From values, or for groups from their means and standard deviations, as publications print them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats

from kellgren import errors
from kellgren.statistics.bootstrap import LEVEL

_NAN = float("nan")

_SHAPIRO_MOST = 5000
"""Values; SciPy's approximation of p is not accurate for more."""

_NOTHING = 1e-24
"""Part of the squares about nought that rounding makes of no variance at all; chosen: the square
of 1e-12, some thousand times the precision of a double."""

Status = Literal["ok", "too_few", "too_many", "zero_variance", "always_met"]


@dataclass(frozen=True, slots=True)
class Check:
    """A test of one assumption: a small p speaks against it, a large one does not prove it.

    Parameters
    ----------
    status
        ``too_few`` or ``too_many`` values for the test, ``zero_variance`` of what it compares, or
        ``always_met``, as sphericity of two conditions: then there is no statistic and no p.
    """

    method: str
    statistic: float
    p: float
    status: Status = "ok"


@dataclass(frozen=True, slots=True)
class Ranks:
    """The twin that looks at ranks only.

    Parameters
    ----------
    effect
        Kruskal-Wallis: epsilon², H / (n - 1). Friedman: Kendall's W. Wilcoxon: the rank-biserial
        correlation, above 0 where the first condition is higher. NaN unless ``ok``.
    """

    method: str
    statistic: float
    p: float
    effect: float
    status: Status = "ok"


@dataclass(frozen=True, slots=True)
class Sphericity:
    """Whether differences of all pairs of conditions vary alike, and how F is corrected.

    Parameters
    ----------
    mauchly
        W, and p by the approximation with χ².
    chi2
        Of that approximation.
    greenhouse_geisser, huynh_feldt
        The factors on both degrees of freedom, from 1 / (conditions - 1) to 1; 1 is no correction.
        The latter is NaN for too few units, from which it cannot be had.
    greenhouse_geisser_p, huynh_feldt_p
        P values of F so corrected.
    """

    mauchly: Check
    chi2: float
    greenhouse_geisser: float
    greenhouse_geisser_p: float
    huynh_feldt: float
    huynh_feldt_p: float


@dataclass(frozen=True, slots=True)
class Anova:
    """An F test of means.

    Parameters
    ----------
    means, sizes
        Of the groups, or conditions.
    n_units
        Runs or patients in all.
    f, between, within, p
        The statistic, its degrees of freedom (effect and error) and its p.
    eta_squared, partial_eta_squared
        Share of the effect's squares in all, or in the effect's and the error's. The same for
        independent groups; they flatter small samples.
    low, high
        Interval of ``eta_squared`` at `LEVEL`, from the noncentral F distribution (Steiger 2004,
        doi:10.1037/1082-989X.9.2.164). NaN for repeated measures.
    omega_squared
        The share in the population, less biased; below 0 where F is below 1.
    assumptions
        Of groups Levene's test, Brown and Forsythe's (about medians) and Shapiro and Wilk's of the
        residuals; of repeated measures the last. None where the values are not known.
    sphericity
        Of repeated measures.
    ranks
        The twin without normal distributions; None where the values are not known.
    status
        ``too_few``: fewer than two groups, or than two units in one. ``zero_variance``: units of a
        group do not differ, so nothing says what chance would do. F, p and effects are then NaN.
    """

    method: str
    means: tuple[float, ...]
    sizes: tuple[int, ...]
    n_units: int
    f: float = _NAN
    between: float = _NAN
    within: float = _NAN
    p: float = _NAN
    eta_squared: float = _NAN
    partial_eta_squared: float = _NAN
    low: float = _NAN
    high: float = _NAN
    omega_squared: float = _NAN
    assumptions: tuple[Check, ...] = ()
    sphericity: Sphericity | None = None
    ranks: Ranks | None = None
    status: Status = "ok"


def one_way(groups: Sequence[ArrayLike]) -> Anova:
    """Analysis of variance of independent groups of values.

    Raises
    ------
    TableError
        A value is not a finite number.
    """
    values = [_finite(group, axes=1) for group in groups]
    sizes = [len(group) for group in values]
    if not _enough(sizes):
        means = [float(group.mean()) if len(group) else _NAN for group in values]
        return Anova("one-way", tuple(means), tuple(sizes), sum(sizes), status="too_few")
    means = [float(group.mean()) for group in values]
    found = _one_way(means, [float(group.var(ddof=1)) for group in values], sizes)
    if found.status != "ok":
        return found
    residuals = np.concatenate([group - mean for group, mean in zip(values, means, strict=True)])
    checks = (_levene(values, "mean"), _levene(values, "median"), _shapiro(residuals))
    return replace(found, assumptions=checks, ranks=_kruskal(values))


def one_way_from_summary(
    means: Sequence[float], deviations: Sequence[float], sizes: Sequence[int]
) -> Anova:
    """Analysis of variance of groups of which means and standard deviations (n − 1) are known.

    Raises
    ------
    TableError
        A number is not finite, a deviation is below 0, or the three differ in length.
    """
    centres, spreads = _finite(means, axes=1), _finite(deviations, axes=1)
    if not len(centres) == len(spreads) == len(sizes) or (spreads < 0.0).any():
        raise errors.TableError(
            f"{len(centres)} means, {len(spreads)} standard deviations and {len(sizes)} sizes: "
            "give one of each for every group, and no deviation below 0."
        )
    if not _enough(sizes):
        return Anova("one-way", tuple(centres.tolist()), tuple(sizes), sum(sizes), status="too_few")
    return _one_way(centres.tolist(), (spreads**2).tolist(), sizes)


def repeated_measures(values: ArrayLike) -> Anova:
    """Analysis of variance of the same units under several conditions.

    Parameters
    ----------
    values
        (units, conditions), such as runs on the same splits by networks.

    Raises
    ------
    TableError
        A value is not a finite number, as where a unit lacks a condition.
    """
    table = _finite(values, axes=2)
    n, k = table.shape
    means = table.mean(axis=0).tolist() if n else [_NAN] * k
    method = "repeated measures"
    if n < 2 or k < 2:
        return Anova(method, tuple(means), (n,) * k, n, status="too_few")
    grand = table.mean()
    own = table.mean(axis=1, keepdims=True)
    residuals = table - own - table.mean(axis=0) + grand
    effect = n * float(((table.mean(axis=0) - grand) ** 2).sum())
    units = k * float(((own - grand) ** 2).sum())
    error = float((residuals**2).sum())
    if _vanishes(error, (k - 1) * (n - 1), table**2):
        return Anova(method, tuple(means), (n,) * k, n, status="zero_variance")
    between, within = k - 1, (k - 1) * (n - 1)
    total = effect + units + error
    f = (effect / between) / (error / within)
    return Anova(
        method=method,
        f=f,
        between=between,
        within=within,
        p=float(stats.f.sf(f, between, within)),
        eta_squared=effect / total,
        partial_eta_squared=effect / (effect + error),
        low=_NAN,
        high=_NAN,
        # As the R package MOTE has it (omega_partial_ss_rm), where all squares are those below.
        omega_squared=(effect - between * error / within) / (total + units / (n - 1)),
        means=tuple(means),
        sizes=(n,) * k,
        n_units=n,
        assumptions=(_shapiro(residuals.ravel()),),
        sphericity=sphericity(np.cov(table, rowvar=False), freedom=n - 1, f=f),
        ranks=_friedman(table),
    )


def sphericity(covariance: NDArray[np.float64], *, freedom: int, f: float) -> Sphericity:
    """Mauchly's test and the corrections of F, which has conditions - 1 degrees of freedom.

    Mauchly (1940, doi:10.1214/aoms/1177731915), Greenhouse and Geisser (1959,
    doi:10.1007/BF02289823), Huynh and Feldt (1976, doi:10.3102/10769986001001069).

    Parameters
    ----------
    covariance
        (conditions, conditions).
    freedom
        Its degrees of freedom: units - 1.
    f
        To be corrected.
    """
    k = len(covariance)
    d = k - 1
    if d == 1:
        p = float(stats.f.sf(f, 1, freedom))
        met = Check("Mauchly", _NAN, _NAN, "always_met")
        return Sphericity(met, _NAN, 1.0, p, 1.0, p)
    # Any orthonormal contrasts: the columns of Q that are orthogonal to a constant.
    q, _ = np.linalg.qr(np.column_stack([np.ones(k), np.eye(k)[:, :d]]))
    contrasts = q[:, 1:].T @ covariance @ q[:, 1:]
    trace = float(np.trace(contrasts))
    box = trace**2 / (d * float((contrasts**2).sum()))
    huynh = _NAN
    if freedom > d * box * (1.0 + 1e-9):
        huynh = min(1.0, ((freedom + 1) * d * box - 2.0) / (d * (freedom - d * box)))
    mauchly, chi2 = Check("Mauchly", _NAN, _NAN, "too_few"), _NAN
    sign, logarithm = np.linalg.slogdet(contrasts)
    if freedom >= d and sign > 0:
        log_w = float(logarithm) - d * math.log(trace / d)
        chi2 = -(freedom - (2 * d**2 + d + 2) / (6 * d)) * log_w
        p = float(stats.chi2.sf(chi2, d * (d + 1) // 2 - 1))
        mauchly = Check("Mauchly", math.exp(log_w), p)
    return Sphericity(
        mauchly=mauchly,
        chi2=chi2,
        greenhouse_geisser=box,
        greenhouse_geisser_p=float(stats.f.sf(f, box * d, box * d * freedom)),
        huynh_feldt=huynh,
        huynh_feldt_p=float(stats.f.sf(f, huynh * d, huynh * d * freedom)),
    )


def _one_way(means: Sequence[float], variances: Sequence[float], sizes: Sequence[int]) -> Anova:
    centres, counts = np.asarray(means), np.asarray(sizes, dtype=np.float64)
    n = int(counts.sum())
    grand = float((counts * centres).sum() / n)
    effect = float((counts * (centres - grand) ** 2).sum())
    error = float(((counts - 1.0) * np.asarray(variances)).sum())
    if _vanishes(error, n - len(means), counts * centres**2):
        return Anova("one-way", tuple(means), tuple(sizes), n, status="zero_variance")
    between, within = len(means) - 1, n - len(means)
    f = (effect / between) / (error / within)
    low, high = _eta_interval(f, between, within)
    return Anova(
        method="one-way",
        f=f,
        between=between,
        within=within,
        p=float(stats.f.sf(f, between, within)),
        eta_squared=effect / (effect + error),
        partial_eta_squared=effect / (effect + error),
        low=low,
        high=high,
        omega_squared=(effect - between * error / within) / (effect + error + error / within),
        means=tuple(means),
        sizes=tuple(sizes),
        n_units=n,
    )


def _eta_interval(f: float, between: int, within: int) -> tuple[float, float]:
    """Where F lies at either end of what a noncentral distribution would give."""

    def noncentrality(share: float) -> float:
        def above(value: float) -> float:
            return float(stats.ncf.cdf(f, between, within, value)) - share

        if stats.f.cdf(f, between, within) <= share:
            return 0.0
        far = max(1.0, 2.0 * f * between)
        while above(far) > 0.0:
            far *= 2.0
        return float(optimize.brentq(above, 0.0, far))

    n = between + within + 1
    ends = [noncentrality((1.0 + sign * LEVEL) / 2.0) for sign in (1.0, -1.0)]
    return ends[0] / (ends[0] + n), ends[1] / (ends[1] + n)


def _levene(groups: Sequence[NDArray[np.float64]], about: Literal["mean", "median"]) -> Check:
    """An analysis of variance of the distances from the centre of each group."""
    method = {"mean": "Levene", "median": "Brown-Forsythe"}[about]
    if min(len(group) for group in groups) < 3:
        # Two values are always equally far from their centre.
        return Check(method, _NAN, _NAN, "too_few")
    centres = [np.median(group) if about == "median" else group.mean() for group in groups]
    far = [np.abs(group - centre) for group, centre in zip(groups, centres, strict=True)]
    found = _one_way(
        [float(each.mean()) for each in far],
        [float(each.var(ddof=1)) for each in far],
        [len(each) for each in far],
    )
    return Check(method, found.f, found.p, found.status)


def _shapiro(residuals: NDArray[np.float64]) -> Check:
    method = "Shapiro-Wilk, residuals"
    if not 3 <= len(residuals) <= _SHAPIRO_MOST:
        return Check(method, _NAN, _NAN, "too_few" if len(residuals) < 3 else "too_many")
    found = stats.shapiro(residuals)
    return Check(method, float(found.statistic), float(found.pvalue))


def _kruskal(groups: Sequence[NDArray[np.float64]]) -> Ranks:
    found = stats.kruskal(*groups)
    h = float(found.statistic)
    share = h / (sum(len(group) for group in groups) - 1)
    return Ranks("Kruskal-Wallis", h, float(found.pvalue), share)


def _friedman(table: NDArray[np.float64]) -> Ranks:
    """Friedman's test, which needs three conditions; of two, Wilcoxon's of signed ranks."""
    n, k = table.shape
    if k > 2:
        found = stats.friedmanchisquare(*table.T)
        chi2 = float(found.statistic)
        return Ranks("Friedman", chi2, float(found.pvalue), chi2 / (n * (k - 1)))
    differences = table[:, 0] - table[:, 1]
    differences = differences[differences != 0.0]
    found = stats.wilcoxon(differences)
    ranks = stats.rankdata(np.abs(differences))
    biserial = float((ranks * np.sign(differences)).sum() / ranks.sum())
    return Ranks("Wilcoxon signed ranks", float(found.statistic), float(found.pvalue), biserial)


def _vanishes(error: float, freedom: int, squares: NDArray[np.float64]) -> bool:
    """Whether the error's squares are no more than rounding leaves of what does not vary."""
    return error / freedom == 0.0 or error <= _NOTHING * float(squares.sum())


def _finite(values: ArrayLike, *, axes: int) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != axes:
        raise ValueError(f"values of shape {array.shape} where {axes} axes are needed")
    if not np.isfinite(array).all():
        place = tuple(int(index) for index in np.argwhere(~np.isfinite(array))[0])
        raise errors.TableError(
            f"The value at {place} is {array[place]}; an analysis of variance needs finite ones. "
            "Leave out the run or patient, or complete it."
        )
    return array


def _enough(sizes: Sequence[int]) -> bool:
    return len(sizes) >= 2 and min(sizes) >= 2
