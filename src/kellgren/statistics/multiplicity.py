"""Several tests at once: p values adjusted so that many looks do not pass for one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats


@dataclass(frozen=True, slots=True)
class Adjusted:
    """A family of tests.

    Parameters
    ----------
    p
        Adjusted, in the order given; NaN where the test gave none. Compare with the level as is.
    n_tests
        How many gave a p: the family's size.
    not_estimable
        How many gave none. They claim nothing, so they do not count.
    """

    method: str
    p: tuple[float, ...]
    n_tests: int
    not_estimable: int


@dataclass(frozen=True, slots=True)
class AdjustedP:
    """What one test's p becomes among those of its family; NaN where it gave none.

    Parameters
    ----------
    holm
        By `holm`.
    q
        By `benjamini_hochberg`.
    """

    holm: float
    q: float


@dataclass(frozen=True, slots=True)
class Family:
    """Tests that one report asks at once.

    Parameters
    ----------
    tests
        In the order given.
    n_tests, not_estimable
        As of `Adjusted`.
    """

    tests: tuple[AdjustedP, ...]
    n_tests: int
    not_estimable: int

    @classmethod
    def of(cls, p: Sequence[float]) -> "Family":
        """Adjust the p of all tests in both ways."""
        strict, lenient = holm(p), benjamini_hochberg(p)
        pairs = zip(strict.p, lenient.p, strict=True)
        return cls(tuple(AdjustedP(*pair) for pair in pairs), strict.n_tests, strict.not_estimable)


def holm(p: Sequence[float]) -> Adjusted:
    """Bound the chance of even one false finding, whatever the tests' dependence.

    Holm (1979, Scandinavian Journal of Statistics 6, 65-70); uniformly stronger than Bonferroni.
    """

    def adjust(values: NDArray[np.float64]) -> NDArray[np.float64]:
        order = np.argsort(values, kind="stable")
        factors = np.arange(len(values), 0, -1)
        stepped = np.minimum(np.maximum.accumulate(values[order] * factors), 1.0)
        adjusted = np.empty_like(values)
        adjusted[order] = stepped
        return adjusted

    return _adjusted("Holm", p, adjust)


def benjamini_hochberg(p: Sequence[float]) -> Adjusted:
    """Bound the expected share of false findings, for independent or positively dependent tests.

    Benjamini and Hochberg (1995, doi:10.1111/j.2517-6161.1995.tb02031.x).
    """
    return _adjusted("Benjamini-Hochberg", p, stats.false_discovery_control)


def _adjusted(
    method: str,
    p: Sequence[float],
    adjust: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> Adjusted:
    values = np.asarray(p, dtype=np.float64)
    made = ~np.isnan(values)
    if ((values[made] < 0.0) | (values[made] > 1.0)).any():
        raise ValueError(f"p values of {list(p)}: give probabilities, or NaN where there is none")
    adjusted = np.full(len(values), np.nan)
    if made.any():
        adjusted[made] = adjust(values[made])
    return Adjusted(method, tuple(adjusted.tolist()), int(made.sum()), int((~made).sum()))
