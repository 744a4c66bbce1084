"""Analysis of variance from group means, their spread and sizes, as far as rounding lets it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Literal

from scipy import stats

from kellgren.statistics.claims.rounding import Interval, Printed
from kellgren.statistics.claims.verdict import Reading, Row, row, unknown


@dataclass(frozen=True, slots=True)
class Group:
    """What a paper prints of one group.

    Parameters
    ----------
    n
        Its size, at least 2.
    """

    mean: Printed
    spread: Printed
    n: int


@dataclass(frozen=True, slots=True)
class Printout:
    """What a paper prints of the test: any of these.

    Parameters
    ----------
    f, p
        The statistic and its p value.
    below
        A level that p is said to lie under.
    """

    f: Printed | None = None
    p: Printed | None = None
    below: Printed | None = None


@dataclass(frozen=True, slots=True)
class _Test:
    """An F test whose numbers are known within rounding."""

    f: Interval
    face: Fraction | None
    between: int
    within: Interval
    """Degrees of freedom."""
    face_within: Fraction

    @property
    def p(self) -> Interval:
        """Smallest for the largest F and the most degrees of freedom."""
        least = stats.f.sf(float(self.f.high), self.between, float(self.within.high))
        most = stats.f.sf(float(self.f.low), self.between, float(self.within.low))
        return Interval.around(float(least), float(most))

    @property
    def face_p(self) -> Fraction | None:
        if self.face is None:
            return None
        return Fraction(float(stats.f.sf(float(self.face), self.between, float(self.face_within))))


_NEARLY_ONE = Fraction(1, 10**12)
"""Least part of the largest possible variance of differences; chosen: F is then beyond print.

Spreads that print alike allow runs that move as one, whose differences vary as little as one likes.
"""


def check_anova(groups: Sequence[Group], printed: Printout) -> tuple[Reading, ...]:
    """Compare F and p with the groups, in every way that ``±`` and "ANOVA" are used.

    One-way with ± as the sample's standard deviation comes first; then ± as that of a population,
    or as a standard error. Of two groups also Welch's test, and the same runs measured twice,
    whose correlation is not printed: any is allowed.

    Parameters
    ----------
    groups
        At least two.
    """
    sample = [_moments(group, spread="sample") for group in groups]
    population = [_moments(group, spread="population") for group in groups]
    error = [_moments(group, spread="standard error") for group in groups]
    tests: dict[str, Callable[[], _Test]] = {
        "one-way, ± a standard deviation": lambda: _one_way(sample),
        "one-way, ± a standard deviation that divides by n": lambda: _one_way(population),
        "one-way, ± a standard error": lambda: _one_way(error),
    }
    if len(groups) == 2:
        tests["Welch's, for unequal variances"] = lambda: _welch(*sample)
        if groups[0].n == groups[1].n:
            name = "repeated measures, whatever the correlation of the runs"
            tests[name] = lambda: _repeated(*groups)
    return tuple(Reading(name, _rows(test, printed)) for name, test in tests.items())


def _rows(test: Callable[[], _Test], printed: Printout) -> tuple[Row, ...]:
    try:
        found = test()
    except ZeroDivisionError:
        return (unknown("the spread may be nought before rounding: F has no bound"),)
    rows = []
    if printed.f is not None:
        rows.append(row(printed.f, found.f, face=found.face, name="F"))
    if printed.p is not None:
        rows.append(row(printed.p, found.p, face=found.face_p, name="p"))
    if printed.below is not None:
        exact = Printed(printed.below.text, printed.below.value, Fraction(0))
        rows.append(row(exact, found.p, face=found.face_p, name="p", relation="less_than"))
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class _Moments:
    """A group's mean and variance, which divides by n - 1: within rounding, and at face value."""

    n: int
    mean: Interval
    face_mean: Fraction
    variance: Interval
    face_variance: Fraction


def _moments(
    group: Group, *, spread: Literal["sample", "population", "standard error"]
) -> _Moments:
    factor = {
        "sample": Fraction(1),
        "population": Fraction(group.n, group.n - 1),
        "standard error": Fraction(group.n),
    }[spread]
    return _Moments(
        n=group.n,
        mean=group.mean.interval,
        face_mean=group.mean.value,
        variance=group.spread.interval.square() * factor,
        face_variance=group.spread.value**2 * factor,
    )


def _one_way(groups: Sequence[_Moments]) -> _Test:
    total = sum(group.n for group in groups)
    between, within = len(groups) - 1, total - len(groups)
    # By pairs of groups, so that for two groups each mean stands in the expression once.
    apart, face_apart = Interval.of(0), Fraction(0)
    for one, other in combinations(groups, 2):
        weight = Fraction(one.n * other.n, total * between)
        apart += (one.mean - other.mean).square() * weight
        face_apart += (one.face_mean - other.face_mean) ** 2 * weight
    inside, face_inside = Interval.of(0), Fraction(0)
    for group in groups:
        inside += group.variance * Fraction(group.n - 1, within)
        face_inside += group.face_variance * Fraction(group.n - 1, within)
    f, face = apart / inside, face_apart / face_inside
    return _Test(f, face, between, Interval.of(within), Fraction(within))


def _welch(one: _Moments, other: _Moments) -> _Test:
    """The squared t, with the degrees of freedom of Welch and Satterthwaite."""
    first, second = one.variance / one.n, other.variance / other.n
    face_first, face_second = one.face_variance / one.n, other.face_variance / other.n
    f = (one.mean - other.mean).square() / (first + second)
    face = (one.face_mean - other.face_mean) ** 2 / (face_first + face_second)

    def freedom(part: Fraction) -> Fraction:
        return 1 / (part**2 / (one.n - 1) + (1 - part) ** 2 / (other.n - 1))

    # The first group's part of the error, in which each variance stands once. The degrees of
    # freedom are most where it is the peak, and fall to both sides.
    part = Interval.of(1) / (second / first + 1)
    peak = Fraction(one.n - 1, one.n + other.n - 2)
    reached = [*part.ends, *([peak] if peak in part else [])]
    within = Interval.around(*(freedom(each) for each in reached))
    return _Test(f, face, 1, within, freedom(face_first / (face_first + face_second)))


def _repeated(one: Group, other: Group) -> _Test:
    """The squared paired t. The two spreads bound that of the differences."""
    first, second = one.spread.interval, other.spread.interval
    most = (first + second).square()
    least = max((first - second).square().low, most.high * _NEARLY_ONE)
    f = (one.mean.interval - other.mean.interval).square() * one.n / Interval(least, most.high)
    return _Test(f, None, 1, Interval.of(one.n - 1), Fraction(one.n - 1))
